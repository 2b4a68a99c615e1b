import { EngineError, messageOf } from "#base/errors.ts";
import { randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import type { ResolvedOptions } from "./options.ts";
import { Shim } from "./shim.ts";

/** From this load on (tasks; a create under way counts eight) another shim is started, up to the limit. */
const loadPerShim = 24;
/** How names of the hot ones begin; the others are called as their container. */
const hot = "hot-";
const shimName = /^(hot-|[0-9a-f]{64}$)/;
/** Where processors are emulated a shim's start takes seconds of them. */
const warmUpMs = 3_000;

/**
 * The hot shims: a few processes that hold all containers. A shim serialises the creates it is given, so each goes to the least loaded;
 * starting one takes about as long as two creates, so that is done ahead of need.
 */
export class ShimPool {
  readonly #options: ResolvedOptions;
  readonly #ready = new Map<string, Shim>();
  /** Shims that hold one container each, for runtimes that come with a shim of their own. */
  readonly #own = new Map<string, Shim>();
  readonly #starting = new Set<Promise<Shim>>();
  #closed = false;

  private constructor(options: ResolvedOptions) {
    this.#options = options;
  }

  /** Finds the shims of an earlier engine; new ones start in the background, a little later: they must not delay the engine's first answer. */
  static async open(options: ResolvedOptions): Promise<ShimPool> {
    const pool = new ShimPool(options);
    const names = readdirSync(options.shims, { withFileTypes: true }).filter((entry) => entry.isDirectory() && shimName.test(entry.name));
    const found = await Promise.all(names.map((entry) => Shim.find(entry.name, options)));
    for (const shim of found) if (shim) pool.#add(shim, shim.name.startsWith(hot) ? pool.#ready : pool.#own);
    setTimeout(() => pool.#closed || pool.#grow(), warmUpMs).unref();
    return pool;
  }

  get(name: string): Shim | undefined {
    return this.#ready.get(name) ?? this.#own.get(name);
  }

  /** Starts a shim of its own for one container; it ends when the container is freed. */
  async startOwn(id: string, binary: string): Promise<Shim> {
    return this.#add(await Shim.start(id, { ...this.#options, shimBinary: binary }), this.#own);
  }

  isOwn(shim: Shim): boolean {
    return this.#own.get(shim.name) === shim;
  }

  /** The least loaded shim, counted as creating until `done`. */
  async acquire(): Promise<{ shim: Shim; done: () => void }> {
    if (this.#closed) throw new EngineError("unavailable", "the engine is stopping");
    let shim = this.#least();
    this.#grow();
    shim ??= await Promise.any(this.#starting).catch((error: unknown) => {
      throw error instanceof AggregateError ? error.errors[0] : error;
    });
    shim.creating++;
    return { shim, done: () => shim.creating-- };
  }

  get shims(): readonly Shim[] {
    return [...this.#ready.values(), ...this.#own.values()];
  }

  /** Lets go of the shims; with `stop` those without containers end. */
  async close(stop: boolean): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#starting);
    const idle = stop ? this.shims.filter((shim) => shim.tasks === 0) : [];
    await Promise.all(idle.map((shim) => shim.shutdown()));
    for (const shim of this.shims) shim.disconnect();
  }

  #least(): Shim | undefined {
    let best: Shim | undefined;
    for (const shim of this.#ready.values()) if (!best || shim.load < best.load) best = shim;
    return best;
  }

  #grow(): void {
    const { shimCountMin, shimCountMax } = this.#options;
    while (this.#ready.size + this.#starting.size < shimCountMin) this.#startOne();
    const busy = (this.#least()?.load ?? 0) >= loadPerShim;
    if (busy && this.#starting.size === 0 && this.#ready.size < shimCountMax) this.#startOne();
  }

  #startOne(): void {
    const started = Shim.start(`${hot}${randomBytes(4).toString("hex")}`, this.#options).then((shim) => this.#add(shim, this.#ready));
    this.#starting.add(started);
    const settled = (): boolean => this.#starting.delete(started);
    started.then(settled, (error: unknown) => {
      settled();
      this.#options.log(messageOf(error));
    });
  }

  #add(shim: Shim, among: Map<string, Shim>): Shim {
    among.set(shim.name, shim);
    void shim.gone.then(() => {
      among.delete(shim.name);
      if (this.#closed) return;
      this.#options.log(`shim ${shim.name} (pid ${shim.pid}) is gone`);
      Shim.forget(shim.name, this.#options);
    });
    return shim;
  }
}
