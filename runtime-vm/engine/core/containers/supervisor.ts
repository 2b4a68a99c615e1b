import { delay, withDeadline } from "#base/deadline.ts";
import { isClass } from "#base/errors.ts";
import { KeyedLock } from "#base/lock.ts";
import { formatNano, nanoOf, parseNano } from "../clock/clock.ts";
import { Stopwatch } from "../journal/stopwatch.ts";
import type { Sandbox } from "../networks/networks.ts";
import type { Exit, Task } from "../tasks/tasks.ts";
import type { ContainerBackends } from "./backends.ts";
import { memoryKill, type MemoryTrace } from "../tasks/memory-kill.ts";
import type { Traces } from "../why/facts.ts";
import type { Catalog } from "./catalog.ts";
import type { Container, Run } from "./container.ts";
import { publishEvent, publishNetworkEvents, publishVolumeEvents } from "./events.ts";
import { startHealthMonitor } from "./health.ts";
import type { ContainerTable, Ended } from "./record.ts";
import { nextBackoffMs, wantsRestart } from "./restart-policy.ts";
import { releaseRoot } from "./root.ts";
import { closeShm } from "./shm.ts";
import { startContainer } from "./start.ts";

/** How long an ended process's output may still be on its way before those who wait are told of the end. */
const drainMsMax = 2_000;
/** Ends remembered of a container: enough to tell the period of its restarts. */
const endsKept = 10;

/**
 * Stands behind running containers: records how they end, tells those who wait, takes down what they used, and starts them
 * again where their policy says so. The end of a process takes no lock: it is a fact, recorded in one synchronous step.
 */
export class Supervisor {
  readonly backends: ContainerBackends;
  readonly catalog: Catalog;
  readonly table: ContainerTable;
  readonly locks = new KeyedLock();
  /** Removes a container that asked for it; set by whoever composes. */
  readonly removeEnded: (container: Container) => Promise<void>;
  #stopping = false;

  constructor(parts: { backends: ContainerBackends; catalog: Catalog; table: ContainerTable; removeEnded: (container: Container) => Promise<void> }) {
    this.backends = parts.backends;
    this.catalog = parts.catalog;
    this.table = parts.table;
    this.removeEnded = parts.removeEnded;
  }

  /** The engine goes: ends are recorded, nothing is started any more. */
  stop(): void {
    this.#stopping = true;
  }

  /** Begins to stand behind a task that runs. */
  watch(container: Container, started: { task: Task; sandbox: Sandbox; rootfs: string; startedAt: string; drained: Promise<void> }): Run {
    const { promise: ended, resolve } = Promise.withResolvers<Ended>();
    const drained = started.drained.catch((error: unknown) => this.backends.journal.error(`container ${container.id}: its log broke off`, error));
    const health = startHealthMonitor(container, started, this.backends);
    const run: Run = { ...started, drained, ended, health, sent: [] };
    void this.#follow(container, run).then((end) => end === undefined || resolve(end));
    return run;
  }

  /** Undefined: the engine let go of the task, which lives on. */
  async #follow(container: Container, run: Run): Promise<Ended | undefined> {
    let exit: Exit;
    try {
      exit = await run.task.wait();
    } catch (error) {
      if (isClass(error, "cancelled")) return undefined;
      this.backends.journal.error(`container ${container.id}: how it ended is unknown`, error);
      exit = { code: 255, at: new Date() };
    }
    // Who waits and then reads the log finds all of it there.
    await Promise.race([run.drained, delay(drainMsMax)]);
    return this.#record(container, run, exit);
  }

  #record(container: Container, run: Run, exit: Exit): Ended {
    const { backends } = this;
    const memory = memoryKill(run.task.cgroup);
    const last: Ended = {
      startedAt: run.startedAt,
      finishedAt: formatNano(nanoOf(exit.at)),
      exitCode: exit.code,
      oomKilled: memory !== undefined,
      error: "",
      ...tracesOf(run, memory),
    };
    container.ends = [...container.ends, last].slice(-endsKept);
    const again = !this.#stopping && !container.removing && wantsRestart(container, exit.code);
    container.input.close();
    container.lastEndpoints = run.sandbox.endpoints;
    run.health?.stop();
    // What has ended is not well, as dockerd says it.
    container.lastHealth = run.health === undefined ? undefined : { ...run.health.state, Status: "unhealthy" };
    container.finishedBefore = last.finishedAt;
    if (again) container.restartCount += 1;
    container.state = again ? { kind: "restarting", last, timer: new AbortController() } : { kind: "exited", last };
    this.table.setProgress(container.id, container.progress, container);
    // Who ends at once may have ended before its start was noted down.
    const ranMs = Math.max(0, Number(((parseNano(last.finishedAt) ?? 0n) - (parseNano(last.startedAt) ?? 0n)) / 1_000_000n));
    if (last.oomKilled) publishEvent(backends.events, container, "oom");
    publishEvent(backends.events, container, "die", { exitCode: String(exit.code), execDuration: String(Math.floor(ranMs / 1_000)) });
    container.settled = this.#takeDown(container, run);
    const result = { exitCode: exit.code };
    container.exits.fire("next-exit", result);
    if (again) void this.#restart(container, ranMs);
    else {
      container.exits.fire("not-running", result);
      if (container.spec.hostConfig.AutoRemove === true && !container.removing && !container.keepOnExit) void this.#autoRemove(container);
    }
    return last;
  }

  async #takeDown(container: Container, run: Run): Promise<void> {
    const step = async (what: string, work: () => Promise<unknown>): Promise<void> => {
      try {
        await withDeadline(30_000, `to ${what}`, work);
      } catch (error) {
        this.backends.journal.error(`container ${container.id}: could not ${what}`, error);
      }
    };
    const watch = new Stopwatch();
    await step("close its network", () => this.backends.sandboxes.close(container.id));
    publishNetworkEvents(this.backends, container, run.sandbox, "disconnect");
    publishVolumeEvents(this.backends.events, container, "unmount");
    watch.lap("network");
    await step("write out its log", () => run.drained);
    watch.lap("log");
    await step("delete its task", () => run.task.delete());
    watch.lap("task");
    await step("unmount its /dev/shm", () => Promise.resolve(closeShm(this.backends, container.id)));
    await step("unmount its root", () => releaseRoot(this, container));
    watch.lap("root");
    this.backends.journal.debug(`container ${container.id} taken down: ${watch.toString()}`);
  }

  async #autoRemove(container: Container): Promise<void> {
    try {
      await this.removeEnded(container);
    } catch (error) {
      this.backends.journal.error(`container ${container.id} could not be removed after its end`, error);
    }
  }

  async #restart(container: Container, ranMs: number): Promise<void> {
    if (container.state.kind !== "restarting") return;
    const { timer } = container.state;
    container.backoffMs = nextBackoffMs(container.backoffMs, ranMs);
    this.backends.journal.debug(`container ${container.id} ended after ${ranMs} ms: its policy starts it again in ${container.backoffMs} ms`);
    try {
      await delay(container.backoffMs, timer.signal);
      using _lock = await this.locks.acquire(container.id);
      if (timer.signal.aborted || this.#stopping || container.removing) return;
      await startContainer(this, container);
    } catch (error) {
      if (timer.signal.aborted) return;
      this.backends.journal.warn(`container ${container.id} could not be restarted`, error);
      this.#giveUp(container);
    }
  }

  /** A restart that failed is tried again by the policy; without one the container rests. */
  #giveUp(container: Container): void {
    if (container.state.kind !== "exited") return;
    const { last } = container.state;
    if (!this.#stopping && wantsRestart(container, last.exitCode)) {
      container.restartCount += 1;
      container.state = { kind: "restarting", last, timer: new AbortController() };
      this.table.setProgress(container.id, container.progress, container);
      void this.#restart(container, 0);
    } else container.exits.fire("not-running", { exitCode: last.exitCode });
  }

  /** Ends the waiting of a container that is to be restarted: it rests as it ended. */
  cancelRestart(container: Container): void {
    if (container.state.kind !== "restarting") return;
    const { last, timer } = container.state;
    timer.abort();
    container.state = { kind: "exited", last };
    this.table.setProgress(container.id, container.progress, container);
    container.exits.fire("not-running", { exitCode: last.exitCode });
  }
}

const tracesOf = ({ sent }: Run, memory: MemoryTrace | undefined): { traces?: Traces } =>
  sent.length === 0 && memory === undefined ? {} : { traces: { ...(sent.length === 0 ? {} : { sent }), ...(memory === undefined ? {} : { memory }) } };
