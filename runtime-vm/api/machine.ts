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
  readonly error?: { readonly message: string; readonly hint?: string; readonly why?: WhyExplanation; readonly cause?: UnreachedCause };
  /** Another engine than Slipway's answers: a Docker daemon, which has Docker's API alone. */
  readonly foreign?: boolean;
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

/** Why an engine that somebody else runs is not reached. */
export type UnreachedCause =
  /** The name of its computer leads nowhere. */
  | "unknownHost"
  /** Its computer cannot be reached. */
  | "unreachable"
  /** Nothing listens there. */
  | "refused"
  | "noAnswer"
  /** A socket or pipe of this computer that is not there. */
  | "noSocket"
  /** The socket is not for this user, here or on the other computer. */
  | "forbidden"
  /** Its certificate is not vouched for, or out of date. */
  | "untrusted"
  /** Its certificate is for another name. */
  | "certificateName"
  /** It does not accept our certificate, or wants one. */
  | "clientRefused"
  /** A certificate or key of ours cannot be read. */
  | "file"
  /** It wants an encrypted connection. */
  | "wantsTls"
  /** It does not encrypt. */
  | "noTls"
  /** ssh does not know the computer's key, or knows another. */
  | "hostKey"
  /** ssh has no key that the computer accepts. */
  | "login"
  /** This computer has no ssh. */
  | "noSsh"
  /** The other computer has neither a socket nor a docker command. */
  | "noDocker"
  /** Something answers that is no Docker engine. */
  | "notEngine"
  | "other";
