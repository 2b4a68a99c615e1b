import type { BootStep } from "#api/machine.ts";
import { EngineError, messageOf } from "#base/errors.ts";
import type { GuestStep } from "#link/boot.ts";

/** A step's name, its sentence for people, and how long it may take where the hardware helps. */
export interface StepPlan {
  readonly name: string;
  readonly title: string;
  readonly deadlineMs: number;
}

/** Titles of what the guest's init reports; an unknown name stands for itself. */
const guestTitles: Readonly<Record<string, string>> = {
  root: "Mounting the system image",
  modules: "Loading kernel modules",
  disk: "Mounting the data disk",
  grow: "Growing the data disk's file system",
  shares: "Mounting shared folders",
  network: "Setting up the guest's network",
  config: "Reading daemon.json",
  clock: "Setting the clock",
  cgroups: "Setting up control groups",
  engine: "Starting the engine",
};

/**
 * The boot steps of one start, in order. Each planned step runs under its own deadline and fails with a reason; steps
 * that the guest reports are entered as they come, between those of the host.
 */
export class BootSteps {
  readonly #changed: (steps: readonly BootStep[]) => void;
  readonly #factor: () => number;
  #steps: BootStep[];

  /** `factor` stretches the deadlines: software emulation is many times slower. It is asked when a step starts. */
  constructor(plan: readonly StepPlan[], factor: () => number, changed: (steps: readonly BootStep[]) => void) {
    this.#factor = factor;
    this.#changed = changed;
    this.#steps = plan.map((step) => ({ ...step, state: "waiting" }));
  }

  get list(): readonly BootStep[] {
    return this.#steps;
  }

  /** Runs `work` as the step `name`. Rejects with the step's title and reason when it fails, is late, or `signal` aborts. */
  async run<T>(name: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const step = this.#steps.find((s) => s.name === name);
    if (!step) throw new EngineError("internal", `there is no boot step ${name}`);
    const deadlineMs = Math.round(step.deadlineMs * this.#factor());
    const startedAt = Date.now();
    const began = performance.now();
    this.#set(name, { state: "running", startedAt, deadlineMs });
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new EngineError("unavailable", `not done within ${Math.round(deadlineMs / 1000)} s`)), deadlineMs);
    try {
      const all = AbortSignal.any([signal, late.signal]);
      const result = await Promise.race([work(all), aborted(all)]);
      this.#set(name, { state: "done", tookMs: Math.round(performance.now() - began) });
      return result;
    } catch (error) {
      this.#set(name, { state: "failed", tookMs: Math.round(performance.now() - began), reason: messageOf(error) });
      throw signal.aborted ? error : new EngineError("unavailable", `${step.title}: ${messageOf(error)}`, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }

  skip(name: string, reason: string): void {
    this.#set(name, { state: "skipped", reason });
  }

  /** Enters a step the guest reports before the first step that is still waiting or running after the kernel's. */
  report(step: GuestStep): void {
    const name = `guest-${step.name}`;
    const entry: BootStep = {
      name,
      title: guestTitles[step.name] ?? step.name,
      state: step.ok ? "done" : "failed",
      tookMs: step.tookMs,
      deadlineMs: 0,
      ...(step.reason === undefined ? {} : { reason: step.reason }),
    };
    const known = this.#steps.findIndex((s) => s.name === name);
    const engine = this.#steps.findIndex((s) => s.name === "engine");
    if (known >= 0) this.#steps = this.#steps.with(known, entry);
    else this.#steps = this.#steps.toSpliced(engine < 0 ? this.#steps.length : engine, 0, entry);
    this.#changed(this.#steps);
  }

  /** The guest's own reason for a boot that goes no further, when it gave one. */
  get guestFailure(): BootStep | undefined {
    return this.#steps.find((s) => s.name.startsWith("guest-") && s.state === "failed");
  }

  #set(name: string, change: Partial<BootStep>): void {
    this.#steps = this.#steps.map((s) => (s.name === name ? { ...s, ...change } : s));
    this.#changed(this.#steps);
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = (): void => reject(signal.reason instanceof Error ? signal.reason : new EngineError("cancelled", "cancelled"));
    if (signal.aborted) fail();
    else signal.addEventListener("abort", fail, { once: true });
  });
}
