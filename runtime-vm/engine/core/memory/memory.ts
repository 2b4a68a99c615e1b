import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { ServerResponse } from "node:http";
import type { Processes } from "#core/kernel/kernel.ts";

/** Rest begins so long after the last request began or ended; after a pull its threads have ended by then. */
const quietMs = 3_000;
/** An engine that is never left alone (a window asks every second) gives back what a big piece of work has left, this often at most. */
const busyMsMax = 30_000;
const busyBytesMin = 64 * 1024 * 1024;

export interface MemoryKeeperOptions {
  readonly kernel: Pick<Processes, "releaseMemory" | "unmapPrograms">;
  /** Full, compacting garbage collection. */
  readonly collect: () => void;
  readonly quietMs?: number;
}

/**
 * Gives memory back when nobody asks anything. Node keeps what it once had: the heap's free pages, the pages malloc has freed, the
 * program text that starting needed. A user's machine has better use for it, and most of the time an engine does nothing.
 */
export class MemoryKeeper implements Disposable {
  readonly #options: MemoryKeeperOptions;
  #asked = performance.now();
  #given = performance.now();
  #restingBytes = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: MemoryKeeperOptions) {
    this.#options = options;
    subscribe(requestStart, this.#begun);
    this.#touch();
  }

  [Symbol.dispose](): void {
    unsubscribe(requestStart, this.#begun);
    clearTimeout(this.#timer);
  }

  /** A long request (a pull, a followed log) is no unrest by itself; its end leaves something to collect, however it ends. */
  readonly #begun = (message: unknown): void => {
    this.#touch();
    (message as { readonly response: ServerResponse }).response.once("close", this.#touch);
  };

  readonly #touch = (): void => {
    this.#asked = performance.now();
    this.#timer ??= this.#later(this.#options.quietMs ?? quietMs);
  };

  #later(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#look(), ms).unref();
  }

  #look(): void {
    this.#timer = undefined;
    const now = performance.now();
    const left = (this.#options.quietMs ?? quietMs) - (now - this.#asked);
    const due = left <= 0 || (now - this.#given > busyMsMax && process.memoryUsage.rss() - this.#restingBytes > busyBytesMin);
    if (due) this.give();
    if (left > 0) this.#timer = this.#later(left);
  }

  /** Gives back all there is. Some 20 ms of work; the first request after it is some 2 ms slower. */
  give(): void {
    this.#options.collect();
    this.#options.kernel.releaseMemory();
    this.#options.kernel.unmapPrograms();
    this.#given = performance.now();
    this.#restingBytes = process.memoryUsage.rss();
  }
}

/** Told by node:http of every server's requests, whoever made the server. */
const requestStart = "http.server.request.start";

/** V8's own way to collect everything, compiled code that has not run for long included. Undefined where Node was not started with --expose-gc. */
export function exposedCollector(): (() => void) | undefined {
  const { gc } = globalThis as { gc?: (options: { type: "major"; execution: "sync"; flavor: "last-resort" }) => void };
  return gc && (() => gc({ type: "major", execution: "sync", flavor: "last-resort" }));
}
