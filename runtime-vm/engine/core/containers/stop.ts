import { delay } from "#base/deadline.ts";
import { EngineError, messageOf } from "#base/errors.ts";
import { limits } from "#base/limits.ts";
import type { Sender, SentSignal } from "../why/facts.ts";
import type { Container, Run } from "./container.ts";
import { publishEvent } from "./events.ts";
import { parseSignal } from "./signals.ts";
import { startContainer } from "./start.ts";
import type { Supervisor } from "./supervisor.ts";

export interface StopOptions {
  /** Overrides the container's stop signal. */
  readonly signal?: string;
  /** Seconds before SIGKILL; negative: never. */
  readonly timeoutSeconds?: number;
}

/** After SIGKILL a process ends as soon as the kernel lets it. */
const killMsMax = 10_000;

/** Stops by the stop signal, after the grace time by SIGKILL. Resolves when the process has ended; `notModified` when none runs. */
export async function stopContainer(supervisor: Supervisor, container: Container, options: StopOptions): Promise<void> {
  if (container.isRunning) checkSignal(options, `cannot stop container: ${container.name}`);
  const run = await beginStop(supervisor, container);
  if (run === undefined) return;
  await endRun(supervisor, container, run, { ...options, by: "stop" });
  publishEvent(supervisor.backends.events, container, "stop");
}

function checkSignal({ signal }: StopOptions, what: string): void {
  try {
    if (signal !== undefined) parseSignal(signal);
  } catch (error) {
    throw new EngineError("invalidArgument", `${what}: ${messageOf(error)}`, { cause: error });
  }
}

/** Under the lock: marks it as stopped by hand. Undefined when it only waited for its restart. */
async function beginStop(supervisor: Supervisor, container: Container): Promise<Run | undefined> {
  using _lock = await supervisor.locks.acquire(container.id);
  container.manuallyStopped = true;
  container.endsForGood = true;
  if (container.state.kind === "restarting") {
    supervisor.cancelRestart(container);
    return undefined;
  }
  if (container.run === undefined) throw new EngineError("notModified", `container ${container.id} is not running`);
  return container.run;
}

/** Signal, grace, SIGKILL. Needs no lock: whoever else signals the same process does no harm. */
export async function endRun(
  supervisor: Supervisor,
  container: Container,
  run: Run,
  { signal, timeoutSeconds, by }: StopOptions & { readonly by: Sender },
): Promise<void> {
  const { StopSignal, StopTimeout } = container.spec.config;
  const number = parseSignal(signal || StopSignal || "SIGTERM");
  const graceMs = timeoutSeconds !== undefined ? timeoutSeconds * 1_000 : StopTimeout !== undefined ? StopTimeout * 1_000 : limits.stopGraceMsDefault;
  await sendSignal(supervisor, container, run, { signal: number, by });
  if (await endsWithin(run, graceMs)) return;
  await sendSignal(supervisor, container, run, { signal: 9, by });
  if (!(await endsWithin(run, killMsMax))) {
    throw new EngineError(
      "internal",
      `container ${container.id} did not end within ${killMsMax / 1_000} s of SIGKILL: the kernel holds it, most often for a hanging mount`,
    );
  }
}

/** Negative: waits for as long as it takes. */
async function endsWithin(run: Run, ms: number): Promise<boolean> {
  if (ms < 0) {
    await run.ended;
    return true;
  }
  const timer = new AbortController();
  const late = delay(ms, timer.signal).then(
    () => false,
    () => false,
  );
  const ended = await Promise.race([run.ended.then(() => true), late]);
  timer.abort();
  return ended;
}

/** Of the signals of a run; the last two tell how it was ended. */
const sentKept = 4;

/** A paused process sees a signal once it is thawed: one that is to end it thaws it, any other waits. */
async function sendSignal(supervisor: Supervisor, container: Container, run: Run, sent: SentSignal): Promise<void> {
  const { backends } = supervisor;
  const { signal } = sent;
  // Before it is sent: the process may be gone by the time the call returns.
  run.sent = [...run.sent, sent].slice(-sentKept);
  await run.task.kill(signal);
  publishEvent(backends.events, container, "kill", { signal: String(signal) });
  if (!isToEnd(container, signal) || container.state.kind !== "running" || !container.state.paused) return;
  // A frozen process dies of SIGKILL by itself; then there is nothing to thaw any more.
  await run.task.resume().catch((error: unknown) => backends.journal.debug(`container ${container.id}: ${messageOf(error)}`));
  setPaused(supervisor, container, false);
}

/** dockerd takes every signal for an order to end, unless the container says by which one it is to be stopped. */
function isToEnd({ spec }: Container, signal: number): boolean {
  const { StopSignal = "" } = spec.config;
  return signal === 9 || StopSignal === "" || signal === parseSignal(StopSignal);
}

/** `docker kill`: one signal. Any counts as a stop by hand. */
export async function killContainer(supervisor: Supervisor, container: Container, signal: number): Promise<void> {
  using _lock = await supervisor.locks.acquire(container.id);
  if (!container.isRunning) throw new EngineError("conflict", `container ${container.id} is not running`);
  container.manuallyStopped = true;
  if (isToEnd(container, signal)) {
    container.endsForGood = true;
    supervisor.cancelRestart(container);
  }
  const { run } = container;
  if (run === undefined) return;
  await sendSignal(supervisor, container, run, { signal, by: "kill" });
  // dockerd answers once a SIGKILL has had its effect, so that `rm` may follow.
  if (signal === 9) await endsWithin(run, killMsMax);
}

/** Stop if it runs, then start. Not one step: in between the container is simply stopped. */
export async function restartContainer(supervisor: Supervisor, container: Container, options: StopOptions): Promise<void> {
  checkSignal(options, `Cannot restart container ${container.name}`);
  using _lock = await supervisor.locks.acquire(container.id);
  container.keepOnExit = true;
  try {
    supervisor.cancelRestart(container);
    const { run } = container;
    container.backoffMs = 0;
    container.restartCount = 0;
    if (run !== undefined) {
      container.endsForGood = true;
      await endRun(supervisor, container, run, { ...options, by: "restart" });
      publishEvent(supervisor.backends.events, container, "stop");
    }
    await startContainer(supervisor, container);
  } finally {
    container.keepOnExit = false;
  }
  publishEvent(supervisor.backends.events, container, "restart");
}

/** How long the news of an end may be on its way. */
const endedMsMax = 2_000;

export async function pauseContainer(supervisor: Supervisor, container: Container): Promise<void> {
  using _lock = await supervisor.locks.acquire(container.id);
  const { state } = container;
  if (state.kind === "restarting") throw new EngineError("conflict", `Container ${container.id} is restarting, wait until the container is running`);
  if (state.kind !== "running") throw new EngineError("conflict", `container ${container.id} is not running`);
  if (state.paused) throw new EngineError("conflict", `Container ${container.id} is already paused`);
  try {
    await state.run.task.pause();
  } catch (error) {
    // It may have ended in between; its end is on its way here.
    if (await Promise.race([state.run.ended.then(() => true), delay(endedMsMax).then(() => false)])) {
      throw new EngineError("conflict", `container ${container.id} is not running`, { cause: error });
    }
    throw error;
  }
  setPaused(supervisor, container, true);
}

export async function unpauseContainer(supervisor: Supervisor, container: Container): Promise<void> {
  using _lock = await supervisor.locks.acquire(container.id);
  const { state } = container;
  if (state.kind !== "running" || !state.paused) throw new EngineError("conflict", `Container ${container.id} is not paused`);
  await state.run.task.resume();
  setPaused(supervisor, container, false);
}

function setPaused(supervisor: Supervisor, container: Container, paused: boolean): void {
  if (container.state.kind !== "running") return;
  container.state = { ...container.state, paused };
  supervisor.table.setProgress(container.id, container.progress, container);
  publishEvent(supervisor.backends.events, container, paused ? "pause" : "unpause");
}
