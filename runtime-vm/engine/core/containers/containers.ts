import type { FileList } from "#api/files.ts";
import type { Readable } from "node:stream";
import type { ContainerInspect, ContainerSummary } from "#api/containers.ts";
import type { ExecCreateRequest } from "#api/exec.ts";
import type { ContainerStats } from "#api/stats.ts";
import type { Why } from "#api/why.ts";
import type { EndpointSettings, PortMap } from "#api/networks.ts";
import type { Filters } from "#api/filters.ts";
import { EngineError } from "#base/errors.ts";
import type { Digest } from "../content/content.ts";
import type { ImageUser } from "../images/images.ts";
import type { PathStat } from "./archive-path.ts";
import { type AttachOptions, type Attached, attachContainer } from "./attach.ts";
import type { ContainerBackends } from "./backends.ts";
import { killByHand, startByHand, waitFor } from "./by-hand.ts";
import { Catalog } from "./catalog.ts";
import { type Census, censusOf } from "./census.ts";
import type { Container } from "./container.ts";
import type { Change } from "./changes.ts";
import { type CommitOptions, commitContainer, diffContainer } from "./commit.ts";
import { type CreateRequest, createContainer } from "./create.ts";
import { connectNetwork, disconnectNetwork } from "./connect.ts";
import { changePorts } from "./published-ports.ts";
import { publishEvent } from "./events.ts";
import { type Exec, Execs } from "./exec.ts";
import { ContainerFiles, type WriteOptions } from "./files.ts";
import { subjectOf } from "./subject.ts";
import type { Subject } from "../pressure/recorder.ts";
import { inspectContainer } from "./inspect.ts";
import { ContainerKeeper } from "./kept.ts";
import { leaveContainers } from "./leave.ts";
import { type ListOptions, listContainers } from "./list.ts";
import { logOwner } from "./log-memory.ts";
import { openLog } from "./logs.ts";
import { removeLink } from "./links.ts";
import { type PruneResult, pruneContainers } from "./prune.ts";
import { ContainerTable } from "./record.ts";
import { type RemoveOptions, removeContainer } from "./remove.ts";
import { restoreContainers, startAtBoot } from "./restore.ts";
import { renameContainer } from "./rename.ts";
import { statsOnce, streamStats } from "./statistics.ts";
import { type StopOptions, pauseContainer, restartContainer, stopContainer, unpauseContainer } from "./stop.ts";
import { Supervisor } from "./supervisor.ts";
import { type Top, topOf } from "./top.ts";
import { settleUpdate, type UpdateRequest, updateContainer } from "./update.ts";
import { whyOf } from "./why.ts";
import type { WaitCondition, WaitResult } from "./waiters.ts";
import type { ContainerLog } from "../logs/logs.ts";
import type { LogSearch } from "../logs/memory.ts";
import type { PortChange } from "../networks/ports.ts";

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
    backends.bin.register("container", new ContainerKeeper(this.#supervisor));
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
  start(reference: string): Promise<void> {
    return startByHand(this.#supervisor, this.#catalog.get(reference));
  }

  stop(reference: string, options: StopOptions): Promise<void> {
    return stopContainer(this.#supervisor, this.#catalog.get(reference), options);
  }

  restart(reference: string, options: StopOptions): Promise<void> {
    return restartContainer(this.#supervisor, this.#catalog.get(reference), options);
  }

  kill(reference: string, signal: string): Promise<void> {
    return killByHand(this.#supervisor, reference, signal);
  }

  pause(reference: string): Promise<void> {
    return pauseContainer(this.#supervisor, this.#catalog.get(reference));
  }

  unpause(reference: string): Promise<void> {
    return unpauseContainer(this.#supervisor, this.#catalog.get(reference));
  }

  /** Registers at once; `result` settles when the condition comes true. */
  wait(reference: string, condition: WaitCondition, signal: AbortSignal): { result: Promise<WaitResult> } {
    return { result: waitFor(this.#catalog.get(reference), condition, signal) };
  }

  remove(reference: string, options: RemoveOptions): Promise<void> {
    return this.#remove(this.#catalog.get(reference), options);
  }

  async #remove(container: Container, options: RemoveOptions): Promise<void> {
    await removeContainer(this.#supervisor, container, options);
    this.#execs.forget(container);
  }

  rename(reference: string, name: string): Promise<void> {
    if (reference === "" || name === "") throw new EngineError("invalidArgument", "Neither old nor new names may be empty");
    return renameContainer(this.#supervisor, this.#catalog.get(reference), name);
  }

  /** Joins one more network, at once when it runs, else from its next start. */
  connectNetwork(reference: string, network: string, settings: EndpointSettings): Promise<void> {
    return connectNetwork(this.#supervisor, this.#catalog.get(reference), network, settings);
  }

  disconnectNetwork(reference: string, network: string): Promise<void> {
    return disconnectNetwork(this.#supervisor, this.#catalog.get(reference), network);
  }

  /** Publishes ports of a running container, and takes others back. */
  changePorts(reference: string, change: PortChange): Promise<PortMap> {
    return changePorts(this.#supervisor, this.#catalog.get(reference), change);
  }

  /** `docker update`: limits and restart policy, at once; resolves with the warnings. What is wrong in itself is said before who is missing. */
  async update(reference: string, request: UpdateRequest): Promise<readonly string[]> {
    const settled = settleUpdate(this.#supervisor, request);
    await updateContainer(this.#supervisor, this.#catalog.get(reference), settled);
    return settled.warnings;
  }

  /** `docker rm --link PARENT/ALIAS`: the parent forgets the link, both containers stay. */
  unlink(name: string): Promise<void> {
    return removeLink(this.#supervisor, name);
  }

  statPath(reference: string, path: string): Promise<PathStat> {
    return this.#files.stat(this.#catalog.get(reference), { container: reference, path });
  }

  /** What is in a directory of a container's. */
  listFiles(reference: string, path: string): Promise<FileList> {
    return this.#files.list(this.#catalog.get(reference), { container: reference, path });
  }

  /** The tar's files are held until it was read, or the signal aborts. */
  readArchive(reference: string, path: string, signal: AbortSignal): Promise<{ stat: PathStat; tar: AsyncIterable<Buffer> }> {
    return this.#files.read(this.#catalog.get(reference), { container: reference, path }, signal);
  }

  export(reference: string, signal: AbortSignal): Promise<AsyncIterable<Buffer>> {
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
    return attachContainer(this.#supervisor, reference, options);
  }

  /** The log with what a reader must know of it. */
  async log(reference: string): Promise<{ log: ContainerLog; tty: boolean; running: boolean }> {
    const container = this.#catalog.get(reference);
    const log = await openLog(this.#backends, container);
    return { log, tty: container.spec.config.Tty ?? false, running: container.isRunning };
  }

  /** Through the logs of all there are and of those that were removed: JSON lines. */
  searchLogs(search: LogSearch): AsyncIterable<Buffer> {
    return this.#backends.logMemory.search(search, () => this.#catalog.all().map(logOwner));
  }

  async resize(reference: string, size: { width: number; height: number }): Promise<void> {
    const container = this.#catalog.get(reference);
    if (container.run === undefined) throw new EngineError("conflict", `container ${container.id} is not running`);
    await container.run.task.resize(size);
    publishEvent(this.#backends.events, container, "resize", { height: String(size.height), width: String(size.width) });
  }

  /** Why it ended, does not start or is not well. */
  why(reference: string): Promise<Why> {
    return whyOf(this.#supervisor, this.#catalog.get(reference));
  }

  top(reference: string, psArgs: string): Top {
    const container = this.#catalog.get(reference);
    const { run } = container;
    if (container.state.kind === "restarting")
      throw new EngineError("conflict", `Container ${container.id} is restarting, wait until the container is running`);
    if (run === undefined) throw new EngineError("conflict", `container ${container.id} is not running`);
    publishEvent(this.#backends.events, container, "top");
    return topOf(this.#backends, run.task.pids(), psArgs);
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

  /** The full id. */
  idOf(reference: string): string {
    return this.#catalog.get(reference).id;
  }

  /** Whose pressure is recorded. */
  subjects(): Subject[] {
    return this.#catalog.all().map(subjectOf);
  }

  /** How many there are, for `/info`. */
  counts(): Census {
    return censusOf(this.#catalog);
  }

  /** Who is made of an image, for `rmi` and `images`. */
  imageUsers(image: Digest): readonly ImageUser[] {
    const users = this.#catalog.all().filter(({ spec }) => spec.image.id === image);
    return users.map(({ id, isRunning }) => ({ id, running: isRunning }));
  }

  /** The engine stops: with `stopContainers` each gets its stop signal and its time, otherwise they go on by themselves. */
  close(opts: { stopContainers: boolean }): Promise<void> {
    return leaveContainers(this.#supervisor, opts);
  }
}
