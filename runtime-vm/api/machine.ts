import type { WhyExplanation } from "./why.ts";

/** The state of the machine that runs the engine, as host core and window speak of it. */
export type MachinePhase = "stopped" | "starting" | "running" | "stopping" | "failed";

export interface BootStep {
  /** `image`, `disk`, `qemu`, `kernel`, `init`, `engine`, `link`, `api` ... */
  readonly name: string;
  /** A sentence part for people: "Starting the virtual machine". */
  readonly title: string;
  readonly state: "waiting" | "running" | "done" | "failed" | "skipped";
  readonly startedAt?: number;
  /** Milliseconds, once done. */
  readonly tookMs?: number;
  readonly deadlineMs: number;
  /** Why it failed and what to do. */
  readonly reason?: string;
}

export interface MachineStatus {
  readonly phase: MachinePhase;
  /** `qemu`, `wsl2`, `native`, `remote`. */
  readonly driver: string;
  /** `kvm`, `hvf`, `whpx`, `tcg`, `none`. */
  readonly accelerator: string;
  readonly steps: readonly BootStep[];
  /** Said plainly when something makes it slow or limited ("no hardware virtualisation: software emulation is used"). */
  readonly notices: readonly string[];
  /** `why`: of a start that failed. */
  readonly error?: { readonly message: string; readonly hint?: string; readonly why?: WhyExplanation };
  /** Times the machine was restarted after a crash since it was started. */
  readonly restarts: number;
  /** Last lines of console and engine log, newest last. */
  readonly logTail: readonly string[];
  /** Whole-VM figures for the footer; absent until known. 100: every processor is busy. */
  readonly usage?: MachineUsage;
}

export interface MachineUsage {
  readonly cpuPercent?: number;
  readonly memoryBytes: number;
  readonly memoryTotalBytes: number;
  /** What the data disk takes of the computer. */
  readonly diskBytes?: number;
  /** Room on the data disk. `of` names the disk that ends first: that one, or the computer's, which it grows on. */
  readonly disk?: { readonly of: "machine" | "computer"; readonly totalBytes: number; readonly freeBytes: number };
}
