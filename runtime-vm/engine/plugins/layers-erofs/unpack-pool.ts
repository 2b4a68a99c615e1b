import { reasonOf, type UnpackOptions, UnpackThread } from "./unpack-thread.ts";
import type { Unpacked, UnpackRequest } from "./unpack.worker.ts";

/** Sooner than an engine at rest gives its memory back, which theirs is then part of. */
const idleMsMax = 2_000;

export interface PoolLimits {
  /** At once; the rest waits in order. */
  readonly layersMax: number;
  /** To start one costs a good part of a small layer's unpacking. */
  readonly threadsMax: number;
}

/** Threads that unpack layers, each several at a time; idle ones end after a few seconds. */
export class UnpackPool implements AsyncDisposable {
  readonly #limits: PoolLimits;
  readonly #onIdle: () => void;
  /** With what ends each that is idle. */
  readonly #threads = new Map<UnpackThread, NodeJS.Timeout | undefined>();
  /** Each has one layer to itself. */
  readonly #alone = new Set<UnpackThread>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** `onIdle` is called when the last thread has ended for want of work. */
  constructor(limits: PoolLimits, onIdle: () => void) {
    this.#limits = limits;
    this.#onIdle = onIdle;
  }

  /** `alone`: on a thread that is given nothing else. */
  async run(request: UnpackRequest, opts: UnpackOptions, { alone = false } = {}): Promise<Unpacked> {
    await this.#turn(opts.signal);
    const thread = alone ? new UnpackThread() : this.#thread();
    if (alone) this.#alone.add(thread);
    try {
      return await thread.ask(request, opts);
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
      if (this.#alone.delete(thread)) await thread.end();
      else if (thread.over) this.#threads.delete(thread);
      else if (thread.layers === 0) this.#endWhenIdle(thread);
    }
  }

  /** Whether a layer is being unpacked, or waits for its turn. */
  get busy(): boolean {
    return this.#running > 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#threads.keys(), ...this.#alone].map((thread) => thread.end()));
    this.#threads.clear();
  }

  async #turn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#running >= this.#limits.layersMax) {
      await new Promise<void>((resolve, reject) => {
        const go = (): void => {
          signal.removeEventListener("abort", leave);
          resolve();
        };
        const leave = (): void => {
          this.#waiting.splice(this.#waiting.indexOf(go), 1);
          reject(reasonOf(signal));
        };
        signal.addEventListener("abort", leave, { once: true });
        this.#waiting.push(go);
      });
    }
    this.#running += 1;
  }

  /** The one that has the fewest layers, or another where all have some. */
  #thread(): UnpackThread {
    const [least] = [...this.#threads.keys()].filter(({ over }) => !over).toSorted((a, b) => a.layers - b.layers);
    const isEnough = least !== undefined && (least.layers === 0 || this.#threads.size >= this.#limits.threadsMax);
    const thread = isEnough ? least : new UnpackThread();
    clearTimeout(this.#threads.get(thread));
    this.#threads.set(thread, undefined);
    return thread;
  }

  #endWhenIdle(thread: UnpackThread): void {
    const end = async (): Promise<void> => {
      this.#threads.delete(thread);
      await thread.end();
      if (this.#threads.size === 0) this.#onIdle();
    };
    this.#threads.set(thread, setTimeout(() => void end(), idleMsMax).unref());
  }
}
