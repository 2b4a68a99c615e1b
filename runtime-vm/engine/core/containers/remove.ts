import { EngineError } from "#base/errors.ts";
import { limits } from "#base/limits.ts";
import { projectOf } from "../bin/keeper.ts";
import type { Container } from "./container.ts";
import { publishEvent } from "./events.ts";
import { rememberLog } from "./log-memory.ts";
import { discardFiles, keptOf } from "./kept.ts";
import { closeLog } from "./logs.ts";
import { releaseMounts } from "./mounts.ts";
import { endRun } from "./stop.ts";
import type { Supervisor } from "./supervisor.ts";

export interface RemoveOptions {
  readonly force: boolean;
  /** Anonymous volumes go too. */
  readonly volumes: boolean;
}

/**
 * Removes a container, once nobody reads or writes its files any more: into the trash, where there is one. From the table first: what a crash
 * leaves behind after that is swept at the next start.
 */
export async function removeContainer(supervisor: Supervisor, container: Container, options: RemoveOptions): Promise<void> {
  if (container.removing) throw new EngineError("conflict", `removal of container ${container.id} is already in progress`);
  using _lock = await supervisor.locks.acquire(container.id);
  if (supervisor.catalog.find(container.id) !== container) throw new EngineError("notFound", `No such container: ${container.id}`);
  checkRemovable(container, options);
  container.removing = true;
  try {
    await end(supervisor, container);
    await container.viewers.gone(limits.viewerIdleMsMax);
    await dismantle(supervisor, container, options);
  } catch (error) {
    container.removing = false;
    throw error;
  }
}

function checkRemovable(container: Container, options: RemoveOptions): void {
  if (options.force || !container.isRunning) return;
  const state = container.status === "running" ? "running" : container.status;
  const advice = container.status === "paused" ? undefined : "stop the container before removing or force remove";
  const what = advice === undefined ? "paused and must be unpaused first" : `${state}: ${advice}`;
  throw new EngineError("conflict", `cannot remove container "${container.name}": container is ${what}`);
}

async function end(supervisor: Supervisor, container: Container): Promise<void> {
  supervisor.cancelRestart(container);
  const { run } = container;
  if (run !== undefined) await endRun(supervisor, container, run, { signal: "SIGKILL", by: "remove" });
  await container.settled;
}

async function dismantle(supervisor: Supervisor, container: Container, options: RemoveOptions): Promise<void> {
  const { backends, catalog, table } = supervisor;
  const { id, name } = container;
  rememberLog(backends, container);
  // One that removes itself is not missed.
  const kept = backends.bin.isOn && container.spec.hostConfig.AutoRemove !== true;
  const goers = container.spec.mounts.flatMap(({ volume }) => (options.volumes && volume?.anonymous === true ? [volume.name] : []));
  const leave = (): void => backends.volumes.leave(id, goers);
  const forget = (): void => {
    table.delete(id);
    leave();
  };
  if (kept) await backends.bin.keep({ kind: "container", id, name, ...projectOf(container.spec.config.Labels) }, keptOf(container), forget);
  else await table.remove(id, leave);
  catalog.delete(container);
  await closeLog(container);
  await releaseMounts(backends, container);
  await backends.snapshots.unmount(id);
  if (!kept) await discardFiles(backends, container);
  for (const { volume } of container.spec.mounts) {
    if (volume === undefined) continue;
    const goes = goers.includes(volume.name);
    await backends.volumes.release(volume.name, id, { goes });
    if (goes) await removeVolume(supervisor, volume.name);
  }
  backends.volumes.leave(id, []);
  const exitCode = container.state.kind === "exited" ? container.state.last.exitCode : 0;
  publishEvent(backends.events, container, "destroy");
  for (const condition of ["next-exit", "not-running", "removed"] as const) container.exits.fire(condition, { exitCode });
}

/** An anonymous volume another container still uses (`--volumes-from`) stays. */
async function removeVolume({ backends }: Supervisor, name: string): Promise<void> {
  try {
    await backends.volumes.remove(name, { force: false });
  } catch (error) {
    backends.journal.debug(`anonymous volume ${name} stays: ${String(error)}`);
  }
}
