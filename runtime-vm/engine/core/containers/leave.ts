import { delay } from "#base/deadline.ts";
import { isClass } from "#base/errors.ts";
import type { Container } from "./container.ts";
import { closeLog } from "./logs.ts";
import { endRun } from "./stop.ts";
import type { Supervisor } from "./supervisor.ts";

/** A log that goes elsewhere may be slow to take its last piece. */
const drainMsMax = 2_000;

/** The engine stops: with `stopContainers` each gets its stop signal and its time, otherwise they go on by themselves. */
export async function leaveContainers(supervisor: Supervisor, opts: { stopContainers: boolean }): Promise<void> {
  supervisor.stop();
  const all = supervisor.catalog.all();
  if (opts.stopContainers) await Promise.all(all.map((container) => stopForShutdown(supervisor, container)));
  for (const container of all) {
    container.run?.health?.stop();
    container.run?.task.disconnect();
    if (container.state.kind === "restarting") container.state.timer.abort();
  }
  // A log is closed when nothing writes it any more.
  await Promise.race([Promise.all(all.flatMap((container) => container.run?.drained ?? [])), delay(drainMsMax)]);
  for (const container of all) await closeLog(container);
}

async function stopForShutdown(supervisor: Supervisor, container: Container): Promise<void> {
  const { run } = container;
  if (run === undefined) return;
  try {
    await endRun(supervisor, container, run, { by: "engine" });
    await container.settled;
  } catch (error) {
    if (!isClass(error, "notModified")) supervisor.backends.journal.warn(`container ${container.id} could not be stopped`, error);
  }
}
