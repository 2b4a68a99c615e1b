import { isClass } from "#base/errors.ts";
import type { Container } from "./container.ts";
import { closeLog } from "./logs.ts";
import { endRun } from "./stop.ts";
import type { Supervisor } from "./supervisor.ts";

/** The engine stops: with `stopContainers` each gets its stop signal and its time, otherwise they go on by themselves. */
export async function leaveContainers(supervisor: Supervisor, opts: { stopContainers: boolean }): Promise<void> {
  supervisor.stop();
  const all = supervisor.catalog.all();
  if (opts.stopContainers) await Promise.all(all.map((container) => stopForShutdown(supervisor, container)));
  for (const container of all) {
    container.run?.health?.stop();
    if (container.state.kind === "restarting") container.state.timer.abort();
    await closeLog(container);
  }
}

async function stopForShutdown(supervisor: Supervisor, container: Container): Promise<void> {
  const { run } = container;
  if (run === undefined) return;
  try {
    await endRun(supervisor, container, run, {});
    await container.settled;
  } catch (error) {
    if (!isClass(error, "notModified")) supervisor.backends.journal.warn(`container ${container.id} could not be stopped`, error);
  }
}
