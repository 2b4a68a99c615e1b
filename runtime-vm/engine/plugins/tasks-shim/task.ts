import { EngineError, codeOf } from "#base/errors.ts";
import { specJson } from "#core/specs/json.ts";
import type { OciProcess } from "#core/specs/spec.ts";
import type { Exit, Task, TaskProcess, TaskStdio } from "#core/tasks/tasks.ts";
import { runtimeError } from "./crun-errors.ts";
import { killCgroup, readPids, waitFrozen } from "./cgroup.ts";
import { closeStdinRequest, execRequest, processRequest, readExit, readPid, resizeRequest } from "./messages.ts";
import { runDelete, type Shim } from "./shim.ts";
import { ProcessStdio } from "./stdio.ts";
import type { ResolvedOptions } from "./options.ts";
import { TtrpcError } from "./ttrpc.ts";

/** What a process needs of the world around it. */
interface Context {
  readonly id: string;
  readonly bundle: string;
  readonly shim: Shim;
  readonly options: ResolvedOptions;
}

/** A shim that was killed takes the exit code with it; its containers are killed, as containerd does. */
const lostExitCode = 137;

/** A process in a shim: the container's first (`execId` "") or an exec. */
class ShimProcess implements TaskProcess {
  readonly pid: number;
  readonly stdio: TaskStdio;
  protected readonly context: Context;
  protected readonly io: ProcessStdio;
  protected readonly execId: string;
  readonly #exit: Promise<Exit>;
  /** It has ended, or was sent the signal nobody survives. */
  protected doomed = false;
  #ended = false;

  constructor(context: Context, execId: string, pid: number, io: ProcessStdio, lost: () => Promise<Exit>) {
    this.context = context;
    this.execId = execId;
    this.pid = pid;
    this.io = io;
    this.stdio = io.stdio;
    this.#exit = this.#watch(lost);
    // Somebody may never ask; the reason (an engine that stops) is then nobody's business.
    this.#exit.catch(() => undefined);
  }

  wait(): Promise<Exit> {
    return this.#exit;
  }

  kill(signal: number): Promise<void> {
    if (!this.#ended) signalProcess(this.pid, signal);
    if (signal === 9) this.doomed = true;
    return Promise.resolve();
  }

  async resize(size: { width: number; height: number }): Promise<void> {
    await this.context.shim.call("ResizePty", resizeRequest(this.context.id, this.execId, size.width, size.height));
  }

  async closeStdin(): Promise<void> {
    await this.io.endStdin();
    if (!this.#ended) await this.context.shim.call("CloseIO", closeStdinRequest(this.context.id, this.execId)).catch(ignoreGone);
  }

  async #watch(lost: () => Promise<Exit>): Promise<Exit> {
    try {
      const reply = readExit(await this.context.shim.wait(processRequest(this.context.id, this.execId)), 1);
      return { code: reply.code, at: reply.at ?? new Date() };
    } catch (error) {
      if (error instanceof EngineError && error.class === "cancelled") throw error;
      return await lost();
    } finally {
      this.#ended = true;
      this.doomed = true;
      this.io.dropStdin();
    }
  }
}

export class ShimTask extends ShimProcess implements Task {
  readonly id: string;
  readonly cgroup: string;
  readonly #release: (freed: () => Promise<void>) => void;
  readonly #execs = new Set<string>();
  #started: boolean;
  #shimLost = false;
  #deleted = false;

  constructor(context: Context, pid: number, io: ProcessStdio, cgroup: string, started: boolean, release: (freed: () => Promise<void>) => void) {
    super(context, "", pid, io, () => this.#reap());
    this.#started = started;
    this.id = context.id;
    this.cgroup = cgroup;
    this.#release = release;
  }

  async start(): Promise<void> {
    this.#started = true;
    await this.context.shim.call("Start", processRequest(this.id)).catch((error: unknown) => {
      throw runtimeError("start", error);
    });
  }

  async exec(execId: string, process: OciProcess, opts: { terminal: boolean; stdin: boolean; size?: { width: number; height: number } }): Promise<TaskProcess> {
    if (this.#execs.has(execId)) throw new EngineError("conflict", `exec ${execId} of container ${this.id} exists already`);
    this.#execs.add(execId);
    const { shim, bundle, options } = this.context;
    const io = ProcessStdio.create(bundle, execId, opts, options);
    const free = (): Promise<void> => this.#freeExec(execId, io);
    const given: OciProcess = { ...process, terminal: opts.terminal, ...(opts.size ? { consoleSize: opts.size } : {}) };
    try {
      await shim.call("Exec", execRequest(this.id, execId, io.wire, specJson(given)));
      const pid = readPid(await shim.oomScore.during(given.oomScoreAdj ?? 0, () => shim.call("Start", processRequest(this.id, execId))));
      await io.connected();
      const started = new ShimProcess(this.context, execId, pid, io, () => Promise.resolve({ code: lostExitCode, at: new Date() }));
      // crun sets an exec's console size after it has let the program go.
      if (opts.terminal && opts.size) await started.resize(opts.size).catch(ignoreGone);
      // The record in the shim and the FIFOs go with the process; what is still unread stays readable through our descriptors.
      void started.wait().then(free, () => undefined);
      return started;
    } catch (error) {
      await free();
      io.close();
      throw runtimeError("exec", error);
    }
  }

  /**
   * Execs that an earlier engine started, told by the FIFOs in the bundle: their clients are gone with it. Their output is read and
   * dropped, so that they do not stand still for want of a reader, and they are freed when they end.
   */
  freeOrphanedExecs(files: readonly string[]): void {
    for (const file of files) {
      const execId = /^(.+)\.stdout$/.exec(file)?.[1];
      if (execId === undefined || this.#execs.has(execId)) continue;
      this.#execs.add(execId);
      const io = ProcessStdio.restore(
        this.context.bundle,
        execId,
        { terminal: !files.includes(`${execId}.stderr`), stdin: files.includes(`${execId}.stdin`) },
        this.context.options,
      );
      io.stdio.stdout.resume();
      io.stdio.stderr?.resume();
      const orphan = new ShimProcess(this.context, execId, 0, io, () => Promise.resolve({ code: lostExitCode, at: new Date() }));
      void orphan.wait().then(
        async () => {
          await this.#freeExec(execId, io);
          io.close();
        },
        () => io.close(),
      );
    }
  }

  async pause(): Promise<void> {
    await this.context.shim.call("Pause", processRequest(this.id));
    // The runtime only asks the kernel for it.
    await waitFrozen(this.cgroup, true);
  }

  async resume(): Promise<void> {
    await this.context.shim.call("Resume", processRequest(this.id));
    await waitFrozen(this.cgroup, false);
  }

  pids(): readonly number[] {
    return readPids(this.cgroup);
  }

  async delete(): Promise<Exit> {
    if (!this.doomed) {
      if (this.#started) throw new EngineError("conflict", `container ${this.id} is running: its task cannot be deleted before it has ended`);
      await this.kill(9);
    }
    const exit = await this.wait();
    this.io[Symbol.dispose]();
    if (!this.#deleted) this.#release(() => this.#deleteInShim());
    this.#deleted = true;
    return exit;
  }

  disconnect(): void {
    this.io.close();
  }

  async #deleteInShim(): Promise<void> {
    if (this.#shimLost) return;
    try {
      await this.context.shim.call("Delete", processRequest(this.id));
    } catch (error) {
      if (error instanceof EngineError && error.class === "notFound") return;
      // The shim may have died under the call: then waiting for the exit has cleaned up.
      if (error instanceof TtrpcError) throw error;
      await this.wait();
      if (!this.#shimLost) throw error;
    }
  }

  async #freeExec(execId: string, io: ProcessStdio): Promise<void> {
    await this.context.shim.call("Delete", processRequest(this.id, execId)).catch(() => undefined);
    this.#execs.delete(execId);
    io.removeFifos();
  }

  /** The shim died: nobody can tell how the container ends, so it ends now. */
  async #reap(): Promise<Exit> {
    this.#shimLost = true;
    const { options, id, bundle } = this.context;
    options.log(`container ${id}: its shim died, cleaning up`);
    killCgroup(this.cgroup);
    signalProcess(this.pid, 9);
    const reply = await runDelete(id, bundle, options).catch((error: unknown) => options.log(String(error)));
    const exit = reply ? readExit(reply, 2) : { code: 0, at: undefined };
    return { code: exit.code === 0 ? lostExitCode : exit.code, at: exit.at ?? new Date() };
  }
}

function signalProcess(pid: number, signal: number): void {
  if (pid <= 1) return;
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It ended on its own a moment ago.
    if (codeOf(error) !== "ESRCH") throw error;
  }
}

function ignoreGone(error: unknown): void {
  if (error instanceof EngineError && (error.class === "notFound" || error.class === "conflict" || error.class === "unavailable")) return;
  throw error;
}
