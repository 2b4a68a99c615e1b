import { chownSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { HostConfig } from "#api/containers.ts";
import { EngineError } from "#base/errors.ts";
import { completeHostConfig } from "../containers/host-config.ts";
import { giveToRoot } from "../containers/mapped-users.ts";
import { generateId } from "../containers/names.ts";
import { Undo } from "../containers/undo.ts";
import type { Digest } from "../content/content.ts";
import type { BuiltLayer } from "../images/building.ts";
import { tarEnd } from "../layers/tar-writer.ts";
import { gathered } from "../containers/tar-files.ts";
import type { Sandbox, SandboxRequest } from "../networks/networks.ts";
import type { SpecMount } from "../specs/builder.ts";
import { memoryKill } from "../tasks/memory-kill.ts";
import type { Task } from "../tasks/tasks.ts";
import { mappedRoot } from "../userns/identity.ts";
import type { Userns } from "../userns/open.ts";
import type { BuildBackends } from "./backends.ts";
import { MountPoints } from "./mount-points.ts";
import { openDirectory, openRoot, type Roots } from "./roots.ts";
import { upperTar } from "./upper.ts";

/** A command in some root. */
export interface CommandRequest {
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly user: string;
  readonly workdir: string;
  /** "": the short id of the run. */
  readonly hostname: string;
  /** Limits, network, hosts; the rest is as containers have it. */
  readonly hostConfig: HostConfig;
  readonly mounts: readonly SpecMount[];
  /** Its users are these of the machine. */
  readonly userns: Userns | undefined;
  readonly output: (stream: "stdout" | "stderr", chunk: Buffer) => void | Promise<void>;
  readonly signal: AbortSignal;
}

/** A command in the root of a build step. */
export interface RunRequest extends CommandRequest {
  readonly layers: readonly Digest[];
  readonly started: (id: string) => void;
  /** Seconds: no file of the layer is younger. */
  readonly latest: number | undefined;
}

/** How a command ended. */
export interface RunEnd {
  readonly exitCode: number;
  /** The kernel killed a process of it for memory. */
  readonly lackedMemory: boolean;
}

/** The command ended, and not well. */
export class RunFailed extends EngineError {
  readonly args: readonly string[];
  readonly exitCode: number;
  constructor(args: readonly string[], { exitCode, lackedMemory }: RunEnd, options?: ErrorOptions) {
    // BuildKit tells a lack of memory instead of the code, whichever that is: a shell whose child was killed has one of its own.
    const [cls, why] = lackedMemory ? (["exhausted", "cannot allocate memory"] as const) : (["invalidArgument", `exit code: ${exitCode}`] as const);
    super(cls, `process ${JSON.stringify(args.join(" "))} did not complete successfully: ${why}`, options);
    this.args = args;
    this.exitCode = exitCode;
  }
}

/** Runs it to its end; the layer it made, undefined where it wrote nothing. Nothing else of it is left, whatever happens. */
export async function runStep(backends: BuildBackends, roots: Roots, request: RunRequest): Promise<BuiltLayer | undefined> {
  await using undo = new Undo(backends.journal);
  const { layers, signal } = request;
  const id = generateId();
  const root = await openRoot(backends, layers, { id, mapped: request.userns !== undefined });
  undo.defer(`remove the root of ${id}`, () => backends.snapshots.remove(id));
  request.started(id);
  const points = MountPoints.make(
    backends.kernel,
    root.rootfs,
    request.mounts.map(({ destination, source }) => ({ destination, source })),
    request.userns?.map,
  );
  const end = await execute(backends, { id, rootfs: root.rootfs }, request);
  signal.throwIfAborted();
  if (end.exitCode !== 0) throw new RunFailed(request.args, end);
  points.remove();
  using directory = openDirectory(backends.kernel, root.upper);
  const pieces = upperTar({ directory, kernel: backends.kernel, below: () => roots.tree(layers), latest: request.latest });
  return await writtenLayer(backends, pieces, signal);
}

/** Undefined where there is nothing in it. */
export async function writtenLayer({ builder }: BuildBackends, pieces: AsyncGenerator<Buffer>, signal: AbortSignal): Promise<BuiltLayer | undefined> {
  const first = await pieces.next();
  if (first.done === true) return undefined;
  const whole = async function* (): AsyncGenerator<Buffer> {
    yield first.value;
    yield* pieces;
    yield tarEnd();
  };
  return await builder.writeLayer(gathered(whole()), signal);
}

/** Runs a command to its end. Nothing of it is left but what it wrote. */
export async function execute(backends: BuildBackends, { id, rootfs }: { id: string; rootfs: string }, request: CommandRequest): Promise<RunEnd> {
  await using undo = new Undo(backends.journal);
  const { userns } = request;
  const hostConfig = completeHostConfig(request.hostConfig, backends.config);
  const hostname = request.hostname === "" ? id.slice(0, 12) : request.hostname;
  const config = { Image: "", Cmd: request.args, Env: request.env, User: request.user, WorkingDir: request.workdir, Hostname: hostname };
  const sandbox = await backends.sandboxes.open(sandboxOf(backends, { id, hostname, hostConfig, mapped: userns !== undefined }));
  undo.defer(`close the network of ${id}`, () => backends.sandboxes.close(id));
  const directory = join(backends.paths.containers, id);
  mkdirSync(directory, { recursive: true, mode: 0o710 });
  undo.defer(`remove ${directory}`, () => backends.trash.move(directory));
  if (userns !== undefined) chownSync(directory, 0, mappedRoot(userns.map).gid);
  const files = writeFiles(directory, sandbox);
  giveToRoot(userns?.map, ...Object.values(files));
  const { spec } = backends.specs.build({
    id,
    rootfs,
    config,
    hostConfig,
    hostname,
    ...(sandbox.netns === undefined ? {} : { netns: sandbox.netns }),
    ...(userns === undefined ? {} : { userns: userns.path }),
    files,
    mounts: request.mounts,
  });
  const task = await backends.tasks.create({ id, rootfs, spec, terminal: false, stdin: false });
  undo.defer(`delete the task of ${id}`, () => discard(task));
  return await outcome(task, request);
}

async function outcome(task: Task, { output, signal }: CommandRequest): Promise<RunEnd> {
  const kill = (): void => void task.kill(9).catch(() => undefined);
  const pumps = Promise.all([pump(task.stdio.stdout, (chunk) => output("stdout", chunk)), pump(task.stdio.stderr, (chunk) => output("stderr", chunk))]);
  signal.throwIfAborted();
  signal.addEventListener("abort", kill, { once: true });
  try {
    await task.start();
    if (signal.aborted) kill();
    const { code } = await task.wait();
    await pumps;
    return { exitCode: code, lackedMemory: memoryKill(task.cgroup) !== undefined };
  } finally {
    signal.removeEventListener("abort", kill);
  }
}

async function pump(stream: Readable | undefined, take: (chunk: Buffer) => void | Promise<void>): Promise<void> {
  if (stream === undefined) return;
  for await (const chunk of stream as AsyncIterable<Buffer>) await take(chunk);
}

async function discard(task: Task): Promise<void> {
  await task.kill(9).catch(() => undefined);
  await task.delete();
}

function sandboxOf(
  { config, containerId }: BuildBackends,
  { id, hostname, hostConfig, mapped }: { id: string; hostname: string; hostConfig: HostConfig; mapped: boolean },
): SandboxRequest {
  const asked = hostConfig.NetworkMode ?? "bridge";
  const joins = /^container:(.+)$/.exec(asked)?.[1];
  const bridgeless = config.bridge === "none" && asked === "bridge";
  const mode = joins === undefined ? (bridgeless ? "none" : asked) : `container:${containerId(joins)}`;
  return {
    containerId: id,
    containerName: `build-${id.slice(0, 12)}`,
    hostname,
    mode,
    endpoints: joins !== undefined || bridgeless ? {} : { [mode]: {} },
    ports: {},
    publishAll: false,
    exposed: [],
    dns: { servers: config.dns, search: config.dnsSearch, options: [] },
    extraHosts: hostConfig.ExtraHosts ?? [],
    ...(mapped ? { mapped } : {}),
  };
}

function writeFiles(directory: string, { files }: Sandbox): { hosts: string; hostname: string; resolvConf: string } {
  const paths = { hosts: join(directory, "hosts"), hostname: join(directory, "hostname"), resolvConf: join(directory, "resolv.conf") };
  writeFileSync(paths.hosts, files.hosts);
  writeFileSync(paths.hostname, files.hostname);
  writeFileSync(paths.resolvConf, files.resolvConf);
  return paths;
}
