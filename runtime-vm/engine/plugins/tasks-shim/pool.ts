import { EngineError, messageOf } from "#base/errors.ts";
import { randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import type { ResolvedOptions } from "./options.ts";
import { Shim } from "./shim.ts";

/** A fuller shim is given more only when all are: some 0.3 MiB a container, and what dies with a shim that is killed. */
const tasksPerShim = 24;
/** One create at work in a shim, one that waits there for it. */
const creatingPerShim = 2;
/** How long a shim may stand empty beside others. */
const emptyMsMax = 10_000;
/** How names of the hot ones begin; the others are called as their container. */
const hot = "hot-";
const shimName = /^(hot-|[0-9a-f]{64}$)/;
/** Where processors are emulated a shim's start takes seconds of them. */
const warmUpMs = 3_000;

/**
 * The hot shims: a few processes that hold all containers. The first costs 20 MB of memory, each further one 5 MB and 0.2 MB more a
 * container, so containers gather in the fullest that has room; but a shim serialises the creates it is given, so when these come side
 * by side others are started, which end when they have been empty for a while.
 */
export class ShimPool {
  readonly #options: ResolvedOptions;
  readonly #ready = new Map<string, Shim>();
  /** Shims that hold one container each, for runtimes that come with a shim of their own. */
  readonly #own = new Map<string, Shim>();
  readonly #starting = new Set<Promise<Shim>>();
  /** Creates for which no shim is free. */
  readonly #waiting: (() => void)[] = [];
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

  /** The shim to create in, counted as creating until `done`. Waits while all have enough to do. */
  async acquire(): Promise<{ shim: Shim; done: () => void }> {
    for (;;) {
      if (this.#closed) throw new EngineError("unavailable", "the engine is stopping");
      const shim = this.#choose();
      this.#grow(shim);
      if (shim === undefined) {
        await this.#change();
        continue;
      }
      shim.creating++;
      const done = (): void => {
        shim.creating--;
        this.#changed();
      };
      return { shim, done };
    }
  }

  /** One task less. */
  async release(shim: Shim): Promise<void> {
    shim.tasks--;
    if (this.isOwn(shim)) await shim.shutdown();
    else if (shim.tasks === 0) setTimeout(() => this.#closed || this.#shrink(), emptyMsMax).unref();
  }

  get shims(): readonly Shim[] {
    return [...this.#ready.values(), ...this.#own.values()];
  }

  /** Lets go of the shims; with `stop` those without containers end. */
  async close(stop: boolean): Promise<void> {
    this.#closed = true;
    this.#changed();
    await Promise.allSettled(this.#starting);
    const idle = stop ? this.shims.filter((shim) => shim.tasks === 0) : [];
    await Promise.all(idle.map((shim) => shim.shutdown()));
    for (const shim of this.shims) shim.disconnect();
  }

  /** The idlest, and of those the fullest that has room. */
  #choose(): Shim | undefined {
    const rank = ({ creating, tasks }: Shim): number => (tasks < tasksPerShim ? -tasks : tasks) + 1_000_000 * creating;
    const free = [...this.#ready.values()].filter(({ creating }) => creating < creatingPerShim);
    return free.toSorted((a, b) => rank(a) - rank(b))[0];
  }

  /** Ahead of need: a start takes about as long as two creates. */
  #grow(chosen?: Shim): void {
    const { shimCountMin, shimCountMax } = this.#options;
    while (this.#ready.size + this.#starting.size < shimCountMin) this.#startOne();
    const enough = chosen !== undefined && chosen.creating === 0 && chosen.tasks < tasksPerShim;
    if (!enough && this.#starting.size === 0 && this.#ready.size < shimCountMax) this.#startOne();
  }

  #shrink(): void {
    for (const shim of this.#ready.values()) {
      if (this.#ready.size <= this.#options.shimCountMin) return;
      if (shim.tasks > 0 || shim.creating > 0) continue;
      this.#ready.delete(shim.name);
      void shim.shutdown();
    }
  }

  /** Resolves when a shim may have become free; rejects when there is none and none can be started. */
  async #change(): Promise<void> {
    if (this.#ready.size > 0) return await new Promise((resolve) => this.#waiting.push(resolve));
    await Promise.any(this.#starting).catch((error: unknown) => {
      throw error instanceof AggregateError ? error.errors[0] : error;
    });
  }

  #changed(): void {
    for (const go of this.#waiting.splice(0)) go();
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
    this.#changed();
    void shim.gone.then(() => {
      const expected = !among.delete(shim.name);
      this.#changed();
      if (this.#closed) return;
      if (!expected) this.#options.log(`shim ${shim.name} (pid ${shim.pid}) is gone`);
      Shim.forget(shim.name, this.#options);
    });
    return shim;
  }
}
