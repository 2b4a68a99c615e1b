import { EngineError, isClass, messageOf } from "#base/errors.ts";
import { specJson } from "#core/specs/json.ts";
import type { OciSpec } from "#core/specs/spec.ts";
import type { Task, TaskRuntime } from "#core/tasks/tasks.ts";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { clearCgroup, killCgroup, removeCgroup } from "./cgroup.ts";
import { runtimeError } from "./crun-errors.ts";
import { Holder } from "./holder.ts";
import { createRequest, processRequest, readPid, readState, runcOptions } from "./messages.ts";
import { optionsFor, shimBinaryOf } from "./runtimes.ts";
import { bootId, bundlePaths, resolveOptions, shimPaths, type ResolvedOptions, type ShimRuntimeOptions } from "./options.ts";
import { ShimPool } from "./pool.ts";
import { runDelete, type Shim } from "./shim.ts";
import { ProcessStdio } from "./stdio.ts";
import { ShimTask } from "./task.ts";
import { forgetOtherBoot, readRecord, type TaskRecord, writeRecord } from "./task-record.ts";
import { serveTtrpc, TtrpcError } from "./ttrpc.ts";

interface Kept {
  readonly id: string;
  readonly shim: Shim;
  readonly pid: number;
  readonly io: ProcessStdio;
  readonly cgroup: string;
  readonly held: TaskRecord["held"];
  readonly started: boolean;
}

/** How many shims may die under one create before it is given up. */
const createTriesMax = 3;
/** In the shim's State answer. */
const createdStatus = 1;

type Create = Parameters<TaskRuntime["create"]>[0];
type Restore = Parameters<TaskRuntime["restore"]>[0];

/** Takes up the shims of an earlier engine and starts what is missing in the background. */
export async function openShimRuntime(given: ShimRuntimeOptions): Promise<TaskRuntime> {
  const options = resolveOptions(given);
  mkdirSync(options.bundles, { recursive: true, mode: 0o711 });
  mkdirSync(options.shims, { recursive: true, mode: 0o700 });
  forgetOtherBoot(options);
  const events = await serveEvents(options);
  try {
    return new ShimRuntime(options, await ShimPool.open(options), new Holder(options), events);
  } catch (error) {
    await events[Symbol.asyncDispose]();
    throw error;
  }
}

class ShimRuntime implements TaskRuntime {
  readonly #options: ResolvedOptions;
  readonly #pool: ShimPool;
  readonly #holder: Holder;
  readonly #events: AsyncDisposable;
  readonly #tasks = new Map<string, ShimTask>();
  /** Deleted tasks whose record in the shim and whose bundle are still being freed. */
  readonly #freeing = new Map<string, Promise<void>>();
  readonly #runtimeOptions: Buffer;

  constructor(options: ResolvedOptions, pool: ShimPool, holder: Holder, events: AsyncDisposable) {
    this.#options = options;
    this.#pool = pool;
    this.#holder = holder;
    this.#events = events;
    this.#runtimeOptions = runcOptions({ binaryName: options.runtimeBinary, root: shimPaths(options.shims).runtimeState });
  }

  async create(what: Create): Promise<Task> {
    const bundle = this.#bundle(what.id);
    await this.#freeing.get(what.id);
    if (existsSync(bundle)) throw new EngineError("conflict", `container ${what.id} has a task already`);
    for (let tries = 1; ; tries += 1) {
      const { shim, done } = await this.#shimFor(what);
      try {
        return await this.#createIn(shim, what, bundle);
      } catch (error) {
        // Its shim died under it: nothing of it has run, so another shim makes it.
        if (!isClass(error, "unavailable") || tries === createTriesMax) throw error;
      } finally {
        done();
      }
    }
  }

  async #createIn(shim: Shim, what: Create, bundle: string): Promise<Task> {
    await using undo = new AsyncDisposableStack();
    mkdirSync(bundle, { mode: 0o711 });
    undo.defer(() => rmSync(bundle, { recursive: true, force: true }));
    const cgroup = join(this.#options.cgroupRoot, what.spec.linux.cgroupsPath);
    undo.defer(() => clearCgroup(cgroup));
    writeFileSync(bundlePaths(bundle).spec, specJson(specWithTerminal(what)), { mode: 0o600 });
    const io = undo.use(ProcessStdio.create(bundle, "", what, this.#options));
    const held = [io.wire.stdout, io.wire.stderr].filter((path) => path !== "").map((path) => ({ number: this.#holder.reserve(path), path }));
    undo.defer(() => held.forEach(({ number }) => this.#holder.drop(number)));
    writeRecord(bundle, { shim: shim.name, boot: bootId(), cgroup, held });
    const pid = await this.#createInShim(shim, { ...what, bundle, io, cgroup });
    undo.defer(() => this.#abandon(shim, what.id, pid));
    await io.connected();
    for (const { number } of held) this.#holder.hold(number);
    undo.move();
    return this.#keep({ id: what.id, shim, pid, io, cgroup, held, started: false });
  }

  async restore(what: Restore): Promise<Task | undefined> {
    const known = this.#tasks.get(what.id);
    if (known) return known;
    await this.#freeing.get(what.id);
    const bundle = this.#bundle(what.id);
    const record = readRecord(bundle);
    if (!record) return undefined;
    const shim = this.#pool.get(record.shim);
    const state = shim && (await shim.call("State", processRequest(what.id)).then(readState, ignoreNotFound));
    if (!shim || !state) {
      await this.#discard(what.id, bundle, record);
      return undefined;
    }
    for (const { number, path } of record.held) this.#holder.adopt(number, path);
    const io = ProcessStdio.restore(bundle, "", what, this.#options);
    const task = this.#keep({ id: what.id, shim, pid: state.pid, io, cgroup: record.cgroup, held: record.held, started: state.status !== createdStatus });
    task.freeOrphanedExecs(readdirSync(bundle));
    return task;
  }

  recorded(): readonly string[] {
    return readdirSync(this.#options.bundles).filter((id) => !this.#freeing.has(id) && readRecord(this.#bundle(id)) !== undefined);
  }

  async close(opts: { stopShims: boolean }): Promise<void> {
    await Promise.all(this.#freeing.values());
    for (const task of this.#tasks.values()) task.disconnect();
    const empty = this.#tasks.size === 0;
    await this.#pool.close(opts.stopShims);
    if (opts.stopShims && empty) this.#holder.stop();
    else this.#holder[Symbol.dispose]();
    await this.#events[Symbol.asyncDispose]();
  }

  #bundle(id: string): string {
    return join(this.#options.bundles, id);
  }

  async #createInShim(shim: Shim, what: Create & { bundle: string; io: ProcessStdio; cgroup: string }): Promise<number> {
    const { id, bundle, io, cgroup } = what;
    try {
      return readPid(
        await shim.call(
          "Create",
          createRequest(id, bundle, io.wire, what.runtime === undefined ? this.#runtimeOptions : optionsFor(what.runtime, this.#options.shims)),
        ),
      );
    } catch (error) {
      // A refusal leaves nothing in the shim. No answer at all may leave a half-made container.
      if (!(error instanceof TtrpcError)) {
        killCgroup(cgroup);
        await runDelete(id, bundle, this.#options).catch((late: unknown) => this.#options.log(messageOf(late)));
      }
      throw runtimeError("create", error);
    }
  }

  async #shimFor({ id, runtime }: Create): Promise<{ shim: Shim; done: () => void }> {
    if (runtime?.kind !== "shim") return await this.#pool.acquire();
    const shim = await this.#pool.startOwn(id, shimBinaryOf(runtime.type));
    const endUnused = (): void => {
      if (shim.tasks === 0) void shim.shutdown();
    };
    return { shim, done: endUnused };
  }

  /** Created, but the engine cannot keep it. */
  async #abandon(shim: Shim, id: string, pid: number): Promise<void> {
    process.kill(pid, "SIGKILL");
    await shim.wait(processRequest(id));
    await shim.call("Delete", processRequest(id));
  }

  #keep({ id, shim, pid, io, cgroup, held, started }: Kept): ShimTask {
    const bundle = this.#bundle(id);
    shim.tasks++;
    const task = new ShimTask({ id, bundle, shim, options: this.#options }, pid, io, cgroup, started, (freed) => {
      for (const { number } of held) this.#holder.drop(number);
      this.#tasks.delete(id);
      this.#freeing.set(id, this.#free(id, shim, cgroup, freed));
    });
    this.#tasks.set(id, task);
    return task;
  }

  /**
   * The last part of a delete, which nobody waits for: the shim starts crun once more to forget a container that is gone already. What
   * others can see of it, its cgroup, goes first.
   */
  async #free(id: string, shim: Shim, cgroup: string, freed: () => Promise<void>): Promise<void> {
    const bundle = this.#bundle(id);
    try {
      removeCgroup(cgroup);
      await freed();
      await clearCgroup(cgroup);
      rmSync(bundle, { recursive: true, force: true });
    } catch (error) {
      this.#options.log(`container ${id} could not be freed: ${messageOf(error)}`);
      await this.#forget(id, bundle, cgroup);
    } finally {
      await this.#pool.release(shim);
      this.#freeing.delete(id);
    }
  }

  /** Its shim died, or forgot it, while no engine ran. */
  async #discard(id: string, bundle: string, record: TaskRecord): Promise<void> {
    this.#options.log(`container ${id}: its shim ${record.shim} no longer has it, cleaning up`);
    for (const { number, path } of record.held) {
      this.#holder.adopt(number, path);
      this.#holder.drop(number);
    }
    await this.#forget(id, bundle, record.cgroup);
  }

  /** Whatever is left of a container that no shim has. */
  async #forget(id: string, bundle: string, cgroup: string): Promise<void> {
    killCgroup(cgroup);
    const report = (error: unknown): void => this.#options.log(`container ${id}: ${messageOf(error)}`);
    await runDelete(id, bundle, this.#options).catch(report);
    await clearCgroup(cgroup).catch(report);
    rmSync(bundle, { recursive: true, force: true });
  }
}

/** Shims stall after 128 events nobody takes; we take them and need none: `Wait` tells of exits, the cgroup of memory kills. */
async function serveEvents(options: ResolvedOptions): Promise<AsyncDisposable> {
  const { events } = shimPaths(options.shims);
  rmSync(events, { force: true });
  return await serveTtrpc(events, (service, method) => {
    if (service === "containerd.services.events.ttrpc.v1.Events" && method === "Forward") return Buffer.alloc(0);
    throw new TtrpcError(12, `${service}/${method} is not served`);
  });
}

function specWithTerminal(what: Create): OciSpec {
  const { width, height } = what.size ?? { width: 0, height: 0 };
  const size = what.terminal && width > 0 ? { consoleSize: { width, height } } : {};
  return { ...what.spec, process: { ...what.spec.process, terminal: what.terminal, ...size } };
}

function ignoreNotFound(error: unknown): undefined {
  if (error instanceof EngineError && error.class === "notFound") return undefined;
  throw error;
}
