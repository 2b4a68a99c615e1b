import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { EngineError, messageOf } from "#base/errors.ts";
import { formatNano, nowNano } from "../clock/clock.ts";
import { Stopwatch } from "../journal/stopwatch.ts";
import type { Sandbox } from "../networks/networks.ts";
import type { SpecRequest } from "../specs/builder.ts";
import type { Task } from "../tasks/tasks.ts";
import { chosenRuntime } from "../config/runtime.ts";
import type { ContainerBackends } from "./backends.ts";
import type { Catalog } from "./catalog.ts";
import type { Container, Run } from "./container.ts";
import { containerJoined, joinableMode, sandboxRequest } from "./endpoints.ts";
import { publishEvent, publishNetworkEvents, publishVolumeEvents } from "./events.ts";
import { linkSettings } from "./links.ts";
import { connectLog } from "./logs.ts";
import { giveToRoot, usernsOf } from "./mapped-users.ts";
import { specMounts } from "./mounts.ts";
import { prepareMountPoint } from "./prepare-root.ts";
import { releaseRoot } from "./root.ts";
import type { Supervisor } from "./supervisor.ts";
import { closeShm, joinedIpc, openShm } from "./shm.ts";
import { Undo } from "./undo.ts";

/**
 * Brings a stopped container up: root, network, log, task. The caller holds its lock and has checked that it may start.
 * When it fails everything is taken down again, and exit code and reason are kept as dockerd keeps them.
 */
export async function startContainer(supervisor: Supervisor, container: Container): Promise<void> {
  const { backends } = supervisor;
  await container.settled;
  const failedStart = container.state;
  try {
    await bringUp(supervisor, container);
  } catch (error) {
    const { exitCode: before = 0 } = failedStart.kind === "exited" ? failedStart.last : {};
    // What failed before the runtime was asked leaves the code of the last run.
    const exitCode = ofRuntime(error) || before === 0 ? exitCodeOfFailure(error) : before;
    const reason = messageOf(error);
    container.state =
      failedStart.kind === "created"
        ? { kind: "created", exitCode, error: reason }
        : { kind: "exited", last: { ...lastOf(failedStart), exitCode, error: reason } };
    supervisor.table.setProgress(container.id, container.progress, container);
    backends.journal.debug(`container ${container.id} did not start: ${reason}`);
    throw error;
  }
}

async function bringUp(supervisor: Supervisor, container: Container): Promise<void> {
  const { backends, table } = supervisor;
  await using undo = new Undo(backends.journal);
  const watch = new Stopwatch();
  const rootfs = await backends.snapshots.mount(container.id);
  undo.defer(`unmount the root of ${container.id}`, () => releaseRoot(supervisor, container));
  watch.lap("root");
  const mode = joinableMode(supervisor.catalog, container.spec.hostConfig.NetworkMode ?? "");
  const links = linkSettings(supervisor.catalog, container);
  const sandbox = await backends.sandboxes.open(sandboxRequest(backends.config, container, mode, links.hosts));
  undo.defer(`close the network of ${container.id}`, () => backends.sandboxes.close(container.id));
  watch.lap("network");
  const shm = openShm(backends, container);
  if (shm !== undefined) undo.defer(`unmount ${shm}`, () => closeShm(backends, container.id));
  const log = await connectLog(backends, container);
  watch.lap("log");
  const task = await createTask(supervisor, container, { rootfs, sandbox, shm, linkEnv: links.env });
  undo.defer(`delete the task of ${container.id}`, () => discardTask(task));
  watch.lap("create");
  const drained = log.consume(task.stdio);
  await task.start();
  undo.commit();
  watch.lap("start");
  // From here on the process runs: whatever it does next is its end, not a failed start.
  const startedAt = formatNano(nowNano());
  const run: Run = supervisor.watch(container, { task, sandbox, rootfs, startedAt, drained });
  container.state = { kind: "running", paused: false, run };
  container.formerly = undefined;
  container.manuallyStopped = false;
  container.endsForGood = false;
  table.setProgress(container.id, container.progress, container);
  container.input.open(task);
  publishVolumeEvents(backends.events, container, "mount");
  publishNetworkEvents(backends, container, sandbox, "connect");
  publishEvent(backends.events, container, "start");
  watch.lap("record");
  backends.journal.debug(`container ${container.id} started: ${watch.toString()}`);
}

interface Surroundings {
  readonly rootfs: string;
  readonly sandbox: Sandbox;
  readonly shm: string | undefined;
  readonly linkEnv: readonly string[];
}

async function createTask(supervisor: Supervisor, container: Container, { rootfs, sandbox, shm, linkEnv }: Surroundings): Promise<Task> {
  const { backends } = supervisor;
  const { config, hostConfig } = container.spec;
  const userns = usernsOf(backends, container.spec);
  const mounts = await specMounts(backends, container);
  const tmpfs = Object.keys(hostConfig.Tmpfs ?? {}).map((destination) => ({ destination }));
  for (const mount of [...mounts, ...tmpfs]) prepareMountPoint(backends.kernel, rootfs, mount, userns?.map);
  const files = writeFiles(backends, container, sandbox);
  const built = backends.specs.build({
    id: container.id,
    rootfs,
    config,
    hostConfig,
    hostname: config.Hostname ?? "",
    ...(sandbox.netns === undefined ? {} : { netns: sandbox.netns }),
    ...(userns === undefined ? {} : { userns: userns.path }),
    files,
    mounts,
    ...joined(supervisor, container, shm),
    ...(linkEnv.length === 0 ? {} : { linkEnv }),
  });
  giveToRoot(userns?.map, ...Object.values(files));
  const [height, width] = hostConfig.ConsoleSize ?? [0, 0];
  const runtime = chosenRuntime(backends.config, hostConfig.Runtime ?? "");
  return await backends.tasks.create({
    id: container.id,
    rootfs,
    spec: built.spec,
    terminal: config.Tty ?? false,
    stdin: config.OpenStdin ?? false,
    ...(height > 0 && width > 0 ? { size: { height, width } } : {}),
    ...(runtime === undefined ? {} : { runtime }),
  });
}

/** The three files the container sees over its image's; kept beside its log, found by inspect. */
function writeFiles(backends: ContainerBackends, container: Container, { files }: Sandbox): ContainerFilePaths {
  const paths = containerFiles(backends, container);
  if (ownerOfFiles(container) !== container.id) return paths;
  mkdirSync(join(backends.paths.containers, container.id), { recursive: true, mode: 0o710 });
  writeFileSync(paths.hosts, files.hosts);
  writeFileSync(paths.hostname, files.hostname);
  writeFileSync(paths.resolvConf, files.resolvConf);
  return paths;
}

interface ContainerFilePaths {
  readonly hosts: string;
  readonly hostname: string;
  readonly resolvConf: string;
}

export function containerFiles(backends: Pick<ContainerBackends, "paths">, container: Pick<Container, "id" | "spec">): ContainerFilePaths {
  const directory = join(backends.paths.containers, ownerOfFiles(container));
  return { hosts: join(directory, "hosts"), hostname: join(directory, "hostname"), resolvConf: join(directory, "resolv.conf") };
}

/** Who is in the network of another has its files too: names are the same to both. */
const ownerOfFiles = ({ id, spec }: Pick<Container, "id" | "spec">): string => containerJoined(spec.hostConfig.NetworkMode ?? "") ?? id;

/** Namespaces of other containers, and the directory at /dev/shm where it is not the container's alone. */
function joined({ backends, catalog }: Supervisor, container: Container, own: string | undefined): Pick<SpecRequest, "join" | "shm"> {
  const pid = joinedPid(catalog, container);
  const ipc = joinedIpc(backends, catalog, container);
  const shm = ipc?.shm ?? own;
  return {
    join: { ...(pid === undefined ? {} : { pid }), ...(ipc === undefined ? {} : { ipc: ipc.pid }) },
    ...(shm === undefined ? {} : { shm }),
  };
}

function joinedPid(catalog: Catalog, container: Container): number | undefined {
  const name = containerJoined(container.spec.hostConfig.PidMode ?? "");
  if (name === undefined) return undefined;
  const other = catalog.find(name);
  if (other === undefined) throw new EngineError("notFound", `failed to join PID namespace: No such container: ${name}`);
  if (other.run === undefined) throw new EngineError("conflict", `failed to join PID namespace: container ${other.id} is not running`);
  return other.run.task.pid;
}

async function discardTask(task: Task): Promise<void> {
  await task.kill(9).catch(() => undefined);
  await task.delete();
}

function lastOf(state: Container["state"]): { startedAt: string; finishedAt: string; oomKilled: boolean } {
  if (state.kind === "exited" || state.kind === "restarting") return state.last;
  throw new EngineError("internal", `a ${state.kind} container has no last run`);
}

/** The shell's convention for commands that did not run; 128 for whatever else kept the container down. */
export function exitCodeOfFailure(error: unknown): number {
  const text = messageOf(error);
  if (!ofRuntime(error)) return 128;
  if (/executable file not found|no such file or directory|not a directory/.test(text)) return 127;
  if (/permission denied|is a directory|exec format error/.test(text)) return 126;
  return 128;
}

const ofRuntime = (error: unknown): boolean => /OCI runtime|executable file not found/.test(messageOf(error));
