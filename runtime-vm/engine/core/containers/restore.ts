import { readdirSync } from "node:fs";
import { join } from "node:path";
import { formatNano, nowNano } from "../clock/clock.ts";
import type { Sandbox } from "../networks/networks.ts";
import type { Task } from "../tasks/tasks.ts";
import type { ContainerBackends } from "./backends.ts";
import { Container, type ContainerState } from "./container.ts";
import { modeById, sandboxRequest } from "./endpoints.ts";
import { releaseMounts } from "./mounts.ts";
import { openLog } from "./logs.ts";
import { keepAsked } from "./published-ports.ts";
import type { ContainerRecord, Ended } from "./record.ts";
import { wantsStartAtBoot } from "./restart-policy.ts";
import { closeShm } from "./shm.ts";
import { startContainer } from "./start.ts";
import type { Supervisor } from "./supervisor.ts";
import { sweepViews } from "./view.ts";

/** What dockerd reports for a container whose end nobody saw. */
const lostExitCode = 255;

/**
 * Takes up what an earlier engine left: containers that still run go on under this one, the end of those that ended meanwhile is
 * recorded with its true exit code, and half-removed ones are removed. Restart policies act afterwards, by `startAtBoot`.
 */
export async function restoreContainers(supervisor: Supervisor): Promise<void> {
  const records = supervisor.table.all();
  for (const record of records) supervisor.catalog.add(new Container(record, restState(record)));
  const running = new Set(records.filter(({ progress }) => progress.phase.kind === "running").map(({ id }) => id));
  await sweepTasks(supervisor, running);
  const alive = records.filter(({ id }) => running.has(id));
  for (let at = 0; at < alive.length; at += atOnce) await Promise.all(alive.slice(at, at + atOnce).map((record) => takeUpAgain(supervisor, record)));
  sweepViews(supervisor.backends);
  await sweepRest(supervisor, new Set(records.map(({ id }) => id)), running);
}

/** Containers that are taken up side by side: most of the time is the shims' and the log's. */
const atOnce = 16;

async function takeUpAgain(supervisor: Supervisor, { id, progress: { phase } }: ContainerRecord): Promise<void> {
  if (phase.kind !== "running") return;
  try {
    await takeUp(supervisor, supervisor.catalog.get(id), phase);
  } catch (error) {
    supervisor.backends.journal.error(`container ${id} could not be taken up again`, error);
  }
}

/** What it is until its task is found: a running one has ended, as far as anybody knows. */
export function restState({ progress: { phase } }: ContainerRecord): ContainerState {
  switch (phase.kind) {
    case "created":
      return phase;
    case "running":
      return { kind: "exited", last: lost(phase.startedAt) };
    case "restarting":
    case "exited":
      return { kind: "exited", last: phase };
  }
}

const lost = (startedAt: string): Ended => ({
  startedAt,
  finishedAt: formatNano(nowNano()),
  exitCode: lostExitCode,
  oomKilled: false,
  error: "",
  traces: { lost: true },
});

async function takeUp(supervisor: Supervisor, container: Container, phase: { startedAt: string; paused: boolean }): Promise<void> {
  const { backends, table } = supervisor;
  const { config, hostConfig } = container.spec;
  const task = await backends.tasks.restore({ id: container.id, terminal: config.Tty ?? false, stdin: config.OpenStdin ?? false });
  if (task === undefined) {
    table.setProgress(container.id, container.progress, container);
    await backends.sandboxes.close(container.id);
    closeShm(backends, container.id);
    await releaseMounts(backends, container);
    await backends.snapshots.unmount(container.id);
    return;
  }
  const rootfs = await backends.snapshots.mount(container.id);
  for (const { image } of container.spec.mounts) if (image !== undefined) await backends.snapshots.mount(image.snapshot);
  const mode = modeById(supervisor.catalog, hostConfig.NetworkMode ?? "");
  const sandbox = await restoreNetwork(supervisor, container, mode);
  if (sandbox !== undefined) keepAsked(supervisor, container, sandbox);
  const log = await openLog(backends, container);
  const drained = log.consume(task.stdio);
  const empty = { endpoints: {}, ports: {}, interfaces: [], files: { hosts: "", hostname: "", resolvConf: "" } };
  const run = supervisor.watch(container, { task, sandbox: sandbox ?? empty, rootfs, startedAt: phase.startedAt, drained });
  container.state = { kind: "running", paused: phase.paused, run };
  container.input.open(task);
  if (sandbox === undefined) backends.journal.warn(`container ${container.id} goes on without its network: nothing of it was left`);
}

/** A process that runs is never given up for its network. */
async function restoreNetwork({ backends }: Supervisor, container: Container, mode: string): Promise<Sandbox | undefined> {
  try {
    return await backends.sandboxes.restore(sandboxRequest(backends.config, container, mode));
  } catch (error) {
    backends.journal.error(`container ${container.id}: its network could not be taken up again`, error);
    return undefined;
  }
}

/** Ends what runs and belongs to no running container: left by a crash in the middle of starting or removing one. */
async function sweepTasks({ backends }: Supervisor, running: ReadonlySet<string>): Promise<void> {
  for (const id of backends.tasks.recorded()) {
    if (running.has(id)) continue;
    await quietly(backends, `end the task of ${id}`, async () => discard(await backends.tasks.restore({ id, terminal: false, stdin: false })));
  }
}

/** Roots of mounted images have their container's id before their own. */
const idLength = 64;

/** Removes what no container uses any more, the ones in the trash included. */
async function sweepRest({ backends }: Supervisor, there: ReadonlySet<string>, running: ReadonlySet<string>): Promise<void> {
  const known = there.union(new Set(backends.bin.itemsOf("container").map(({ id }) => id)));
  await quietly(backends, "close networks nobody uses", () => backends.sandboxes.sweep());
  for (const id of backends.snapshots.list()) {
    const owner = id.slice(0, idLength);
    if (!known.has(owner)) await quietly(backends, `remove the root of ${id}`, () => backends.snapshots.remove(id));
    else if (!running.has(owner)) await quietly(backends, `unmount the root of ${id}`, () => backends.snapshots.unmount(id));
  }
  for (const id of readdirSync(backends.paths.containers)) {
    if (!known.has(id)) backends.trash.move(join(backends.paths.containers, id));
  }
  await backends.volumes.retain(there);
}

async function quietly({ journal }: ContainerBackends, what: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    journal.warn(`sweeping: could not ${what}`, error);
  }
}

async function discard(task: Task | undefined): Promise<void> {
  if (task === undefined) return;
  await task.kill(9);
  await task.wait();
  await task.delete();
}

/** Starts what its policy wants up and is not; one that fails does not keep the others down. What was to remove itself and is down goes. */
export async function startAtBoot(supervisor: Supervisor): Promise<void> {
  for (const container of supervisor.catalog.all()) {
    const { state, spec } = container;
    if (state.kind === "exited" && wantsStartAtBoot(container, state.last.exitCode)) await startByPolicy(supervisor, container);
    else if (spec.hostConfig.AutoRemove === true && !container.isRunning) await removeLeft(supervisor, container);
  }
}

async function startByPolicy(supervisor: Supervisor, container: Container): Promise<void> {
  try {
    using _lock = await supervisor.locks.acquire(container.id);
    container.restartCount = 0;
    await startContainer(supervisor, container);
  } catch (error) {
    supervisor.backends.journal.error(`container ${container.id} (${container.name}) could not be started by its restart policy`, error);
  }
}

async function removeLeft(supervisor: Supervisor, container: Container): Promise<void> {
  try {
    await supervisor.removeEnded(container);
  } catch (error) {
    supervisor.backends.journal.warn(`container ${container.id} could not be removed`, error);
  }
}
