import type { HealthState } from "#api/containers.ts";
import type { Finding } from "#api/failure.ts";
import type { MemoryTrace } from "../tasks/memory-kill.ts";

/** Who sent a signal through this engine. */
export type Sender = "kill" | "stop" | "restart" | "remove" | "engine";

export interface SentSignal {
  readonly signal: number;
  readonly by: Sender;
}

/** What is kept of a run beside its exit code. */
export interface Traces {
  /** The last ones, in order. */
  readonly sent?: readonly SentSignal[];
  readonly memory?: MemoryTrace;
  /** Nobody saw its end: the machine or the shim went with it. */
  readonly lost?: true;
}

/** The file a container's command names, as it is found in its root. */
export interface Program {
  readonly path: string;
  /** Absent: there is none. */
  readonly file?: {
    readonly directory: boolean;
    readonly executable: boolean;
    /** What its header says: a binary of an architecture, a script, or neither. */
    readonly kind: "binary" | "script" | "other";
    /** Of a binary, as Docker calls it. */
    readonly architecture?: string;
    /** Loader of a binary, interpreter of a script. */
    readonly interpreter?: { readonly path: string; readonly exists: boolean };
    /** Its first line ends as Windows ends lines. */
    readonly crlf?: boolean;
  };
}

export interface Neighbour {
  readonly name: string;
  readonly status: string;
  readonly exitCode: number;
  /** Both are on one network on which names are known. */
  readonly reachable: boolean;
}

/** All that rules look at; gathered once, so that the same facts always give the same verdict. */
export interface Facts {
  readonly name: string;
  readonly status: string;
  readonly exitCode: number;
  /** Why the last start failed; "" when it did not. */
  readonly startError: string;
  /** It has had a run. */
  readonly ran: boolean;
  readonly command: readonly string[];
  readonly user: string;
  readonly program?: Program;
  /** Architecture of this machine, as Docker calls it. */
  readonly architecture: string;
  /** Last lines of the run that is judged, newest last. */
  readonly lines: readonly string[];
  readonly traces: Traces;
  readonly oomKilled: boolean;
  readonly stopGraceSeconds: number;
  readonly restarts: {
    readonly count: number;
    readonly policy: string;
    /** Time between the last ends; absent before there are two. */
    readonly everyMs?: number;
    /** Of the last run. */
    readonly ranMs: number;
  };
  readonly health?: HealthState;
  readonly readOnlyRoot: boolean;
  readonly privileged: boolean;
  readonly networkMode: string;
  readonly mounts: readonly { readonly source: string; readonly destination: string; readonly readOnly: boolean; readonly owner?: string }[];
  /** Of the disk the engine keeps containers on. */
  readonly disk?: { readonly freeBytes: number; readonly totalBytes: number };
  /** A container by its name, alias, service or address. */
  readonly neighbour: (nameOrAddress: string) => Neighbour | undefined;
}

/** A rule finds what it is about, or nothing. */
export interface Rule {
  readonly name: string;
  /** "well": it ended as somebody wished, and no further rule is asked. */
  readonly find: (facts: Facts) => Finding | "well" | undefined;
}
