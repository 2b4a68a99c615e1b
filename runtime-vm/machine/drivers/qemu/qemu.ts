import { rm } from "node:fs/promises";
import type { Duplex } from "node:stream";
import type { MachineStatus } from "#api/machine.ts";
import { delay } from "#base/deadline.ts";
import { EngineError, messageOf } from "#base/errors.ts";
import { EngineClient } from "#client/client.ts";
import type { FileChange } from "#link/calls.ts";
import { noticePrefix, readDaemonFile } from "#machine/daemon-file.ts";
import { FileEvents } from "#machine/file-events.ts";
import { followDaemonFile } from "#machine/follow-daemon-file.ts";
import { PublishedPorts } from "#machine/forward/ports.ts";
import { hostCalls } from "#machine/host-calls.ts";
import type { Machine } from "#machine/machine.ts";
import { type MachinePaths, machinePaths } from "#machine/names.ts";
import { claimRoot } from "#machine/owner.ts";
import { StatusBoard } from "#machine/status.ts";
import { BootSteps, type StepPlan } from "#machine/steps.ts";
import { startError } from "#machine/why/explain.ts";
import { Acceleration } from "./accelerator.ts";
import { Backoff } from "./backoff.ts";
import type { Accelerator, GuestArch } from "./command.ts";
import { watchHealth } from "./health.ts";
import { HostForwards } from "./hostfwd.ts";
import { prepareGuest, type QemuOptions } from "./prepare.ts";
import type { QemuProcess } from "./process.ts";
import type { Qmp } from "./qmp.ts";
import { bootGuest, engineStream, GuestCrash, type GuestRun, GuestStuck, type RunHooks, shutDown, untilAnswered } from "./run.ts";

export type { Accelerator, GuestArch, QemuOptions };

/** Deadlines where the hardware helps. */
const plan: readonly StepPlan[] = [
  { name: "image", title: "Looking for the system image", deadlineMs: 5_000 },
  { name: "disk", title: "Preparing the data disk", deadlineMs: 180_000 },
  { name: "config", title: "Reading daemon.json", deadlineMs: 5_000 },
  { name: "accelerator", title: "Looking for hardware virtualisation", deadlineMs: 20_000 },
  { name: "files", title: "Sharing folders", deadlineMs: 10_000 },
  { name: "qemu", title: "Starting the virtual machine", deadlineMs: 15_000 },
  { name: "kernel", title: "Booting Linux", deadlineMs: 30_000 },
  { name: "engine", title: "Waiting for the engine", deadlineMs: 60_000 },
  { name: "link", title: "Connecting to the engine", deadlineMs: 20_000 },
  { name: "api", title: "Asking the engine", deadlineMs: 20_000 },
];
/** Software emulation, on a computer that is busy with other things as well. */
const slowFactor = 6;
const bootTriesMax = 3;
const printedLinesMax = 200;
const stopGraceMs = 120_000;
const connectPatienceMs = 15_000;
/** An engine that was killed is back and has claimed its ports long before this. */
const orphanMs = 60_000;

/** A Linux guest in QEMU. Started again by itself when it crashes, with pauses that grow. */
export class QemuMachine implements Machine {
  readonly #options: QemuOptions;
  readonly #paths: MachinePaths;
  readonly #board: StatusBoard;
  readonly #ports: PublishedPorts;
  readonly #acceleration: Acceleration;
  #claim: AsyncDisposable | undefined;
  #following: Disposable | undefined;
  #fileEvents: FileEvents | undefined;
  #forwards: HostForwards | undefined;
  #run: GuestRun | undefined;
  /** The last lines of the present boot: those of one before would explain what is over. */
  #printed: readonly string[] = [];
  #starting: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;
  #supervising: Promise<void> | undefined;
  /** Aborted by `stop`: whatever start or restart is under way ends. */
  #wanted = new AbortController();

  constructor(options: QemuOptions) {
    this.#options = options;
    this.#paths = machinePaths(options.root);
    this.#board = new StatusBoard("qemu", options.accelerator === "auto" ? "none" : options.accelerator);
    this.#ports = new PublishedPorts({
      dial: async (proto, { address, port }) => await this.#dial({ kind: proto, address, port }),
      orphanMs: () => orphanMs * this.#slow,
      forwards: () => this.#forwards,
    });
    this.#acceleration = new Acceleration(options);
  }

  get #slow(): number {
    return this.#acceleration.emulated ? slowFactor : 1;
  }

  get status(): MachineStatus {
    return this.#board.current;
  }

  onStatus(listener: (status: MachineStatus) => void): Disposable {
    return this.#board.on(listener);
  }

  async start({ signal }: { signal: AbortSignal }): Promise<void> {
    await this.#stopping;
    if (this.#run) return;
    this.#starting ??= this.#firstStart(signal).finally(() => (this.#starting = undefined));
    await this.#starting;
  }

  async #firstStart(given: AbortSignal): Promise<void> {
    this.#wanted = new AbortController();
    const signal = AbortSignal.any([given, this.#wanted.signal]);
    this.#board.set({ restarts: 0, notices: [] });
    try {
      this.#claim ??= await claimRoot(this.#paths);
      this.#following ??= this.#followConfig();
      await this.#bootWithRetries(signal);
      this.#fileEvents ??= this.#watchFiles();
    } catch (error) {
      await this.#unclaim();
      this.#board.set(
        signal.aborted ? { phase: "stopped" } : { phase: "failed", error: this.#explained(messageOf(error), `What it printed is in ${this.#paths.console}`) },
      );
      throw error;
    }
    this.#supervising = this.#supervise();
  }

  #explained(error: string, hint: string): ReturnType<typeof startError> {
    const { platform, memoryMiB } = this.#options;
    return startError({ error, printed: this.#printed, platform, memoryMiB }, hint);
  }

  /** A kernel under software emulation panics now and then while it boots; the next boot does not. */
  async #bootWithRetries(signal: AbortSignal): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#boot(signal);
      } catch (error) {
        if (!(error instanceof GuestCrash) || tries === bootTriesMax || signal.aborted) throw error;
        this.#options.log(`${error.message} while it was booting; starting again`);
        this.#board.set({ restarts: this.#board.current.restarts + 1 });
      }
    }
  }

  async #boot(signal: AbortSignal): Promise<void> {
    try {
      await this.#bootOnce(signal);
    } catch (error) {
      if (signal.aborted || !this.#fallBack(error)) throw error;
      await this.#bootOnce(signal);
    }
  }

  /** Whether another boot may do better, without what the guest got stuck on. */
  #fallBack(reason: unknown): boolean {
    if (!(reason instanceof GuestStuck) || !this.#acceleration.fallBack(reason.message)) return false;
    this.#options.log(`${reason.message}: the guest is started again under software emulation`);
    return true;
  }

  async #bootOnce(signal: AbortSignal): Promise<void> {
    this.#board.clearError();
    this.#printed = [];
    const steps = new BootSteps(
      plan,
      () => this.#slow,
      (list) => this.#board.set({ steps: list }),
    );
    this.#board.set({ phase: "starting", steps: steps.list });
    await using undo = new AsyncDisposableStack();
    const [paths, board, acceleration] = [this.#paths, this.#board, this.#acceleration];
    const guest = await prepareGuest({ options: this.#options, paths, steps, board, acceleration, stopGraceMs }, undo, signal);
    let run: GuestRun;
    try {
      run = undo.use(await bootGuest(guest, this.#paths, steps, this.#hooks(), signal, this.#slow));
    } catch (error) {
      const failure = steps.guestFailure;
      throw failure && !signal.aborted ? new EngineError("unavailable", `${failure.title}: ${failure.reason ?? "failed"}`, { cause: error }) : error;
    }
    const resources = undo.move();
    this.#run = { ...run, [Symbol.asyncDispose]: () => resources.disposeAsync() };
    this.#board.set({ phase: "running" });
  }

  #hooks(): RunHooks {
    return {
      serve: hostCalls({ ports: this.#ports, hostAccess: this.#options.hostAccess ?? true }),
      onStarted: (qemu, qmp) => this.#forward(qemu, qmp),
      onLinkUp: () => void this.#backAgain(),
      onLinkDown: (cause) => {
        this.#ports.orphan();
        if (this.#board.current.phase === "running") this.#board.set({ phase: "starting" });
        this.#board.log(cause);
      },
      onEngine: (engine) => this.#board.log(`the engine was started again (${engine.version ?? engine.epoch})`),
      log: (line) => {
        this.#board.log(line);
        this.#printed = [...this.#printed, line].slice(-printedLinesMax);
        this.#options.log(line);
      },
    };
  }

  /** As long as this QEMU lives, published ports are its to forward. */
  #forward(qemu: QemuProcess, qmp: Qmp): void {
    const forwards = (this.#forwards = new HostForwards(qmp, qemu.pid));
    void qemu.exited.then(async () => {
      if (this.#forwards === forwards) this.#forwards = undefined;
      await this.#ports.hold();
    });
  }

  /** A link that was lost is back: the machine runs again once the engine answers. */
  async #backAgain(): Promise<void> {
    const run = this.#run; // None yet at the first start, whose steps do the same.
    if (!run) return;
    await untilAnswered(run.keeper, run.ended).catch(() => {});
    if (this.#run === run && !run.ended.aborted && this.#board.current.phase === "starting") this.#board.set({ phase: "running" });
  }

  /** Until `stop`: waits for the guest to die and boots the next one. */
  async #supervise(): Promise<void> {
    const { signal } = this.#wanted;
    const backoff = new Backoff();
    while (this.#run && !signal.aborted) {
      const run = this.#run;
      backoff.started();
      const reason = await watchHealth(run, this.#board, this.#paths.disk, this.#slow, signal);
      if (signal.aborted) return;
      this.#run = undefined;
      this.#ports.orphan();
      await run[Symbol.asyncDispose]();
      this.#fallBack(run.ended.reason);
      await this.#restart(reason, backoff, signal);
    }
  }

  async #restart(first: string, backoff: Backoff, signal: AbortSignal): Promise<void> {
    for (let reason = first; !signal.aborted; ) {
      const pauseMs = backoff.next();
      if (pauseMs === undefined)
        return this.#board.set({
          phase: "failed",
          error: this.#explained(reason, `The virtual machine kept crashing. What it printed is in ${this.#paths.console}`),
        });
      this.#board.set({
        phase: "starting",
        steps: [],
        restarts: this.#board.current.restarts + 1,
        error: { message: reason, hint: `It is started again in ${Math.ceil(pauseMs / 1_000)} s.` },
      });
      this.#options.log(`${reason}; starting again in ${pauseMs} ms`);
      try {
        await delay(pauseMs, signal);
        return await this.#boot(signal);
      } catch (error) {
        reason = messageOf(error);
      }
    }
  }

  async stop(): Promise<void> {
    this.#stopping ??= this.#stop().finally(() => (this.#stopping = undefined));
    await this.#stopping;
  }

  async #stop(): Promise<void> {
    if (this.#board.current.phase === "stopped") return;
    this.#board.set({ phase: "stopping" });
    this.#wanted.abort(new EngineError("cancelled", "the machine is being stopped"));
    await this.#starting?.catch(() => {});
    await this.#fileEvents?.[Symbol.asyncDispose]();
    this.#fileEvents = undefined;
    await this.#supervising;
    const run = this.#run;
    this.#run = undefined;
    if (run) await shutDown(run, stopGraceMs, this.#options.log);
    await this.#ports.sweep();
    if (this.#claim) await rm(this.#paths.pid, { force: true });
    await this.#unclaim();
    this.#board.set({ phase: "stopped", steps: [] });
  }

  async erase(): Promise<void> {
    await this.stop();
    // A guest that another process runs writes to it.
    await using _claim = await claimRoot(this.#paths);
    await rm(this.#paths.disk, { force: true });
  }

  #followConfig(): Disposable | undefined {
    const { daemonFile: place, debug } = this.#options;
    if (place === undefined) return undefined;
    const takeOver = async (): Promise<readonly string[]> => {
      const { text, notices } = await readDaemonFile(place, { debug });
      const signal = AbortSignal.timeout(connectPatienceMs * this.#slow);
      const link = await this.#run?.keeper.link(signal);
      if (link === undefined) throw new EngineError("unavailable", "the virtual machine is not running");
      const { warnings, waiting } = await link.guest.call("configure", { text }, { signal });
      return [...notices, ...warnings.map(named), ...waiting.map((field) => `${noticePrefix}${field} counts from the next start of the machine on`)];
    };
    return followDaemonFile({ place, board: this.#board, takeOver });
  }

  #watchFiles(): FileEvents {
    return new FileEvents({
      engine: new EngineClient({ kind: "dial", dial: () => this.connect() }),
      platform: this.#options.platform,
      changed: async (changes: readonly FileChange[]) => {
        const signal = AbortSignal.timeout(connectPatienceMs * this.#slow);
        await (await this.#run?.keeper.link(signal))?.guest.call("changed", { changes }, { signal });
      },
      notice: (text) => this.#board.set({ notices: [...this.#board.current.notices.filter((other) => other !== text), text] }),
    });
  }

  async #unclaim(): Promise<void> {
    this.#following?.[Symbol.dispose]();
    this.#following = undefined;
    await this.#claim?.[Symbol.asyncDispose]();
    this.#claim = undefined;
  }

  async connect(): Promise<Duplex> {
    return await this.#dial({ kind: "engine" });
  }

  async #dial(target: { kind: "engine" } | { kind: "tcp" | "udp"; address: string; port: number }): Promise<Duplex> {
    const run = this.#run;
    if (!run) throw new EngineError("unavailable", `the virtual machine is not running (${this.#board.current.phase})`);
    const signal = AbortSignal.timeout(connectPatienceMs * this.#slow);
    if (target.kind === "engine") return await engineStream(run.keeper, signal);
    return await (await run.keeper.link(signal)).open(target, { signal });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#ports[Symbol.asyncDispose]();
  }
}

/** The engine names the file it was given, which people never see. */
const named = (warning: string): string => noticePrefix + warning.replace(/^\S*daemon\.json: /, "");
