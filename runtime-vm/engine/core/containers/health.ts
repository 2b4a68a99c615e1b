import { randomBytes } from "node:crypto";
import { delay, withDeadline } from "#base/deadline.ts";
import { messageOf } from "#base/errors.ts";
import type { HealthConfig, HealthState } from "#api/containers.ts";
import { formatNano, nanoOf } from "../clock/clock.ts";
import type { Task } from "../tasks/tasks.ts";
import type { ContainerBackends } from "./backends.ts";
import type { Container } from "./container.ts";
import { execAction, publishEvent } from "./events.ts";

const nanosPerMs = 1_000_000;
const outputBytesMax = 4096;
const logEntriesMax = 5;

type Probe = NonNullable<HealthState["Log"]>[number];

/** Runs a container's health check as long as it runs. */
export interface HealthMonitor {
  readonly state: HealthState;
  stop(): void;
}

/** Undefined when the container has no check. */
export function startHealthMonitor(
  container: Container,
  { task, rootfs }: { task: Task; rootfs: string },
  backends: Pick<ContainerBackends, "specs" | "events" | "journal">,
): HealthMonitor | undefined {
  const check = container.spec.config.Healthcheck;
  const command = check === undefined ? undefined : commandOf(check, container.spec.config.Shell);
  if (check === undefined || command === undefined) return undefined;
  const state: HealthState = { Status: "starting", FailingStreak: 0, Log: [] };
  const stopped = new AbortController();
  void follow({ container, task, rootfs, backends, check, command, state, signal: stopped.signal });
  return { state, stop: () => stopped.abort() };
}

function commandOf(check: HealthConfig, shell: readonly string[] | undefined): readonly string[] | undefined {
  const [kind, ...words] = check.Test ?? [];
  if (kind === "CMD") return words;
  if (kind === "CMD-SHELL") return [...(shell ?? ["/bin/sh", "-c"]), words[0] ?? ""];
  return undefined;
}

interface Following {
  readonly container: Container;
  readonly task: Task;
  readonly rootfs: string;
  readonly backends: Pick<ContainerBackends, "specs" | "events" | "journal">;
  readonly check: HealthConfig;
  readonly command: readonly string[];
  readonly state: HealthState;
  readonly signal: AbortSignal;
}

async function follow(what: Following): Promise<void> {
  const { check, state, signal } = what;
  const ms = (nanos: number | undefined, absent: number): number => (nanos ? nanos / nanosPerMs : absent);
  const startedAt = Date.now();
  const startPeriodMs = ms(check.StartPeriod, 0);
  try {
    for (;;) {
      const inStart = state.Status === "starting" && Date.now() - startedAt < startPeriodMs;
      await delay(inStart ? ms(check.StartInterval, 5_000) : ms(check.Interval, 30_000), signal);
      if (isPaused(what.container)) continue;
      const probe = await probeOnce(what, ms(check.Timeout, 30_000));
      if (signal.aborted) return;
      // Paused meanwhile: nobody can tell how it is.
      if (isPaused(what.container) || refusedPaused(probe)) continue;
      judge(what, probe, Date.now() - startedAt < startPeriodMs);
    }
  } catch (error) {
    if (!signal.aborted) what.backends.journal.error(`container ${what.container.id}: its health check stopped`, error);
  }
}

const isPaused = ({ state }: Container): boolean => state.kind === "running" && state.paused;

/** The runtime's refusal, which may come before the container is known to be paused. */
const refusedPaused = ({ ExitCode, Output }: Probe): boolean => ExitCode === -1 && /cannot exec in a paused/.test(Output);

async function probeOnce(what: Following, timeoutMs: number): Promise<Probe> {
  const started = new Date();
  const done = (ExitCode: number, Output: string): Probe => ({ Start: formatNano(nanoOf(started)), End: formatNano(nanoOf(new Date())), ExitCode, Output });
  try {
    return await withDeadline(timeoutMs, "the health check", async (signal) => {
      const { container, backends } = what;
      const { config, hostConfig } = container.spec;
      const process = backends.specs.execProcess({ rootfs: what.rootfs, config, hostConfig, exec: { Cmd: what.command } });
      const execID = randomBytes(32).toString("hex");
      publishEvent(backends.events, container, execAction("exec_create", what.command), { execID });
      const running = await what.task.exec(`health-${execID.slice(0, 16)}`, process, { terminal: false, stdin: false });
      publishEvent(backends.events, container, execAction("exec_start", what.command), { execID });
      signal.addEventListener("abort", () => void running.kill(9).catch(() => undefined), { once: true });
      const [stdout, stderr, exit] = await Promise.all([head(running.stdio.stdout), head(running.stdio.stderr), running.wait()]);
      publishEvent(backends.events, container, "exec_die", { execID, exitCode: String(exit.code) });
      return done(exit.code, stdout + stderr);
    });
  } catch (error) {
    const late = messageOf(error).startsWith("the health check did not finish");
    return done(-1, late ? `Health check exceeded timeout (${spanText(timeoutMs)})` : messageOf(error));
  }
}

/** As Go prints a duration: `200ms`, `1.5s`, `2m0s`. */
function spanText(ms: number): string {
  if (ms < 1_000) return `${ms}ms`;
  const minutes = Math.floor(ms / 60_000);
  return `${minutes >= 60 ? `${Math.floor(minutes / 60)}h` : ""}${minutes > 0 ? `${minutes % 60}m` : ""}${(ms % 60_000) / 1_000}s`;
}

/** The first bytes of a stream; the rest is read and dropped, so that the process never waits. */
async function head(stream: AsyncIterable<Buffer> | undefined): Promise<string> {
  const kept: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream ?? []) {
    if (length < outputBytesMax) kept.push(chunk.subarray(0, outputBytesMax - length));
    length += chunk.length;
  }
  return Buffer.concat(kept).toString("utf8");
}

function judge({ container, backends, check, state }: Following, probe: Probe, inStartPeriod: boolean): void {
  const before = state.Status;
  state.Log = [...(state.Log ?? []), probe].slice(-logEntriesMax);
  if (probe.ExitCode === 0) {
    state.FailingStreak = 0;
    state.Status = "healthy";
  } else if (!(inStartPeriod && state.Status === "starting")) {
    state.FailingStreak += 1;
    if (state.FailingStreak >= (check.Retries || 3)) state.Status = "unhealthy";
  }
  if (state.Status !== before) publishEvent(backends.events, container, `health_status: ${state.Status}`);
}
