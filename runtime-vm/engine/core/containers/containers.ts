import type { Readable } from "node:stream";
import type { ContainerInspect, ContainerStats, ContainerSummary, ExecCreateRequest } from "#api/containers.ts";
import type { EndpointSettings } from "#api/networks.ts";
import type { Filters } from "#api/filters.ts";
import { EngineError, isClass } from "#base/errors.ts";
import type { Digest } from "../content/content.ts";
import type { ImageUser } from "../images/images.ts";
import type { PathStat } from "./archive-path.ts";
import { type AttachOptions, type Attached, attachContainer } from "./attach.ts";
import type { ContainerBackends } from "./backends.ts";
import { Catalog } from "./catalog.ts";
import type { Container } from "./container.ts";
import type { Change } from "./changes.ts";
import { type CommitOptions, commitContainer, diffContainer } from "./commit.ts";
import { type CreateRequest, createContainer } from "./create.ts";
import { connectNetwork, disconnectNetwork } from "./connect.ts";
import { publishEvent } from "./events.ts";
import { type Exec, Execs } from "./exec.ts";
import { ContainerFiles, type WriteOptions } from "./files.ts";
import { inspectContainer } from "./inspect.ts";
import { type ListOptions, listContainers } from "./list.ts";
import { closeLog, openLog } from "./logs.ts";
import { parseContainerName } from "./names.ts";
import { type PruneResult, pruneContainers } from "./prune.ts";
import { ContainerTable } from "./record.ts";
import { type RemoveOptions, removeContainer } from "./remove.ts";
import { restoreContainers, startAtBoot } from "./restore.ts";
import { startContainer } from "./start.ts";
import { statsOnce, streamStats } from "./statistics.ts";
import { type StopOptions, endRun, killContainer, pauseContainer, restartContainer, stopContainer, unpauseContainer } from "./stop.ts";
import { Supervisor } from "./supervisor.ts";
import { type Top, topOf } from "./top.ts";
import { type UpdateRequest, updateContainer } from "./update.ts";
import type { WaitCondition, WaitResult } from "./waiters.ts";
import type { ContainerLog } from "../logs/logs.ts";

/** Everything that can be done with containers. Every `reference` is an id, a name or the beginning of an id. */
export class ContainerManager {
  readonly #backends: ContainerBackends;
  readonly #catalog = new Catalog();
  readonly #table: ContainerTable;
  readonly #supervisor: Supervisor;
  readonly #execs: Execs;
  readonly #files: ContainerFiles;

  constructor(backends: ContainerBackends) {
    this.#backends = backends;
    this.#table = new ContainerTable(backends.state);
    this.#supervisor = new Supervisor({
      backends,
      catalog: this.#catalog,
      table: this.#table,
      removeEnded: (container) => this.#remove(container, { force: true, volumes: true }),
    });
    this.#execs = new Execs(this.#supervisor);
    this.#files = new ContainerFiles(this.#supervisor);
  }

  /** Takes up what an earlier engine left running. Before the API answers. */
  restore(): Promise<void> {
    return restoreContainers(this.#supervisor);
  }

  /** Acts on restart policies. May take as long as containers take to start. */
  startAtBoot(): Promise<void> {
    return startAtBoot(this.#supervisor);
  }

  async create(request: CreateRequest): Promise<{ Id: string; Warnings: readonly string[] }> {
    const { container, warnings } = await createContainer(this.#backends, this.#catalog, this.#table, request);
    return { Id: container.id, Warnings: warnings };
  }

  list(options: ListOptions): Promise<ContainerSummary[]> {
    return listContainers(this.#backends, this.#catalog, options);
  }

  inspect(reference: string, opts: { size: boolean }): Promise<ContainerInspect> {
    const container = this.#catalog.get(reference);
    return inspectContainer(this.#backends, this.#catalog, container, { size: opts.size, execIds: this.#execs.idsOf(container) });
  }

  /** Class notModified when it runs already. */
  async start(reference: string): Promise<void> {
    const container = this.#catalog.get(reference);
    using _lock = await this.#supervisor.locks.acquire(container.id);
    if (container.removing) throw new EngineError("conflict", "container is marked for removal and cannot be started");
    if (container.state.kind === "running" && container.state.paused) throw new EngineError("conflict", "cannot start a paused container, try unpause instead");
    if (container.state.kind === "running") throw new EngineError("notModified", `container ${container.id} runs already`);
    this.#supervisor.cancelRestart(container);
    container.backoffMs = 0;
    container.restartCount = 0;
    try {
      await startContainer(this.#supervisor, container);
    } catch (error) {
      if (container.spec.hostConfig.AutoRemove === true) this.#removeLater(container);
      throw error;
    }
  }

  /** After the lock is free. */
  #removeLater(container: Container): void {
    void this.#remove(container, { force: true, volumes: true }).catch((error: unknown) =>
      this.#backends.journal.warn(`container ${container.id} could not be removed after its start failed`, error),
    );
  }

  stop(reference: string, options: StopOptions): Promise<void> {
    return stopContainer(this.#supervisor, this.#catalog.get(reference), options);
  }

  restart(reference: string, options: StopOptions): Promise<void> {
    return restartContainer(this.#supervisor, this.#catalog.get(reference), options);
  }

  async kill(reference: string, signal: string): Promise<void> {
    try {
      await killContainer(this.#supervisor, this.#catalog.get(reference), signal);
    } catch (error) {
      if (error instanceof EngineError) throw new EngineError(error.class, `cannot kill container: ${reference}: ${error.message}`, { cause: error });
      throw error;
    }
  }

  pause(reference: string): Promise<void> {
    return pauseContainer(this.#supervisor, this.#catalog.get(reference));
  }

  unpause(reference: string): Promise<void> {
    return unpauseContainer(this.#supervisor, this.#catalog.get(reference));
  }

  /** Registers at once; `result` settles when the condition comes true. */
  wait(reference: string, condition: WaitCondition, signal: AbortSignal): { result: Promise<WaitResult> } {
    const container = this.#catalog.get(reference);
    if (condition === "not-running" && !container.isRunning) {
      const exitCode = container.state.kind === "created" ? container.state.exitCode : container.state.kind === "exited" ? container.state.last.exitCode : 0;
      return { result: Promise.resolve({ exitCode }) };
    }
    return { result: container.exits.next(condition, signal) };
  }

  remove(reference: string, options: RemoveOptions): Promise<void> {
    return this.#remove(this.#catalog.get(reference), options);
  }

  async #remove(container: Container, options: RemoveOptions): Promise<void> {
    await removeContainer(this.#supervisor, container, options);
    this.#execs.forget(container);
  }

  async rename(reference: string, name: string): Promise<void> {
    if (reference === "" || name === "") throw new EngineError("invalidArgument", "Neither old nor new names may be empty");
    const container = this.#catalog.get(reference);
    using _lock = await this.#supervisor.locks.acquire(container.id);
    const oldName = container.name;
    const newName = checkedName(name);
    if (newName === oldName) throw new EngineError("invalidArgument", "Renaming a container with the same name as its current name");
    this.#catalog.reserve(newName, container.id);
    this.#table.setSpec(container.id, newName, container.spec);
    this.#catalog.release(oldName, container.id);
    container.name = newName;
    this.#backends.sandboxes.rename(container.id, newName);
    publishEvent(this.#backends.events, container, "rename", { oldName: `/${oldName}` });
  }

  /** Joins one more network, at once when it runs, else from its next start. */
  connectNetwork(reference: string, network: string, settings: EndpointSettings): Promise<void> {
    return connectNetwork(this.#supervisor, this.#catalog.get(reference), network, settings);
  }

  disconnectNetwork(reference: string, network: string): Promise<void> {
    return disconnectNetwork(this.#supervisor, this.#catalog.get(reference), network);
  }

  /** `docker update`: limits and restart policy, at once. */
  update(reference: string, request: UpdateRequest): Promise<readonly string[]> {
    return updateContainer(this.#supervisor, this.#catalog.get(reference), request);
  }

  /** `docker rm --link PARENT/ALIAS`: the parent forgets the link, both containers stay. */
  async unlink(name: string): Promise<void> {
    const { parent, alias } = this.#catalog.link(name);
    using _lock = await this.#supervisor.locks.acquire(parent.id);
    const links = (parent.spec.links ?? []).filter((link) => link.alias !== alias);
    parent.spec = { ...parent.spec, links };
    this.#table.setSpec(parent.id, parent.name, parent.spec);
  }

  statPath(reference: string, path: string): Promise<PathStat> {
    return this.#files.stat(this.#catalog.get(reference), { container: reference, path });
  }

  /** The tar's files are held until it was read, or the signal aborts. */
  readArchive(reference: string, path: string, signal: AbortSignal): Promise<{ stat: PathStat; tar: AsyncIterable<Buffer> }> {
    return this.#files.read(this.#catalog.get(reference), { container: reference, path }, signal);
  }

  export(reference: string, signal: AbortSignal): AsyncIterable<Buffer> {
    return this.#files.export(this.#catalog.get(reference), signal);
  }

  changes(reference: string): Promise<Change[]> {
    return diffContainer(this.#supervisor, this.#catalog.get(reference));
  }

  commit(reference: string, options: CommitOptions): Promise<Digest> {
    return commitContainer(this.#supervisor, this.#catalog.get(reference), options);
  }

  writeArchive(reference: string, path: string, tar: Readable, opts: WriteOptions): Promise<void> {
    return this.#files.write(this.#catalog.get(reference), { container: reference, path, tar }, opts);
  }

  attach(reference: string, options: AttachOptions): Promise<Attached> {
    return attachContainer(this.#supervisor, this.#catalog.get(reference), options);
  }

  /** The log with what a reader must know of it. */
  async log(reference: string): Promise<{ log: ContainerLog; tty: boolean; running: boolean }> {
    const container = this.#catalog.get(reference);
    const log = await openLog(this.#backends, container);
    return { log, tty: container.spec.config.Tty ?? false, running: container.isRunning };
  }

  async resize(reference: string, size: { width: number; height: number }): Promise<void> {
    const container = this.#catalog.get(reference);
    if (container.run === undefined) throw new EngineError("conflict", `container ${container.id} is not running`);
    await container.run.task.resize(size);
    publishEvent(this.#backends.events, container, "resize", { height: String(size.height), width: String(size.width) });
  }

  top(reference: string, psArgs: string): Top {
    const container = this.#catalog.get(reference);
    if (container.run === undefined) throw new EngineError("conflict", `container ${container.id} is not running`);
    publishEvent(this.#backends.events, container, "top");
    return topOf(this.#backends, container.run.task.pids(), psArgs);
  }

  stats(reference: string, signal: AbortSignal): AsyncIterable<ContainerStats> {
    return streamStats(this.#backends, this.#catalog.get(reference), signal);
  }

  statsOnce(reference: string, opts: { oneShot: boolean; signal: AbortSignal }): Promise<ContainerStats> {
    return statsOnce(this.#backends, this.#catalog.get(reference), opts);
  }

  prune(filters: Filters): Promise<PruneResult> {
    return pruneContainers(this.#backends, this.#catalog, filters, (container) => this.#remove(container, { force: false, volumes: false }));
  }

  createExec(reference: string, request: ExecCreateRequest): Exec {
    return this.#execs.create(this.#catalog.get(reference), request);
  }

  get execs(): Pick<Execs, "get" | "checkStartable" | "start"> {
    return this.#execs;
  }

  /** How many there are, for `/info`. */
  counts(): { total: number; running: number; paused: number; stopped: number } {
    const all = this.#catalog.all();
    const count = (...statuses: string[]): number => all.filter(({ status }) => statuses.includes(status)).length;
    const paused = count("paused");
    const running = count("running", "restarting");
    return { total: all.length, running, paused, stopped: all.length - running - paused };
  }

  /** Who is made of an image, for `rmi` and `images`. */
  imageUsers(image: Digest): readonly ImageUser[] {
    const users = this.#catalog.all().filter(({ spec }) => spec.image.id === image);
    return users.map(({ id, isRunning }) => ({ id, running: isRunning }));
  }

  /** The engine stops: with `stopContainers` each gets its stop signal and its time, otherwise they go on by themselves. */
  async close(opts: { stopContainers: boolean }): Promise<void> {
    this.#supervisor.stop();
    const all = this.#catalog.all();
    if (opts.stopContainers) await Promise.all(all.map((container) => this.#stopForShutdown(container)));
    for (const container of all) {
      container.run?.health?.stop();
      if (container.state.kind === "restarting") container.state.timer.abort();
      await closeLog(container);
    }
  }

  async #stopForShutdown(container: Container): Promise<void> {
    const { run } = container;
    if (run === undefined) return;
    try {
      await endRun(this.#supervisor, container, run, {});
      await container.settled;
    } catch (error) {
      if (!isClass(error, "notModified")) this.#backends.journal.warn(`container ${container.id} could not be stopped`, error);
    }
  }
}

function checkedName(name: string): string {
  try {
    return parseContainerName(name);
  } catch {
    throw new EngineError("invalidArgument", `Error when allocating new name: Invalid container name (/${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`);
  }
}
