import type { LogLevelName } from "#api/log-search.ts";

/** One run of a container: when it began, and how it ended if it has. Times as Docker prints them. */
export interface LogRun {
  readonly startedAt: string;
  readonly finishedAt?: string;
  readonly exitCode?: number;
}

/** Whose output it is. */
export interface LogOwner {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly createdAt: string;
  /** As far as they are known, oldest first. */
  readonly runs: readonly LogRun[];
}

export interface LogSearch {
  readonly text?: string;
  /** JavaScript's regular expressions, on the text of one line. */
  readonly regex?: string;
  readonly ignoreCase: boolean;
  /** At least so bad; lines that do not tell are left out. */
  readonly level?: LogLevelName;
  readonly stream?: "stdout" | "stderr";
  /** Of lines that are JSON objects; `path` goes into them by dots. */
  readonly fields: readonly { readonly path: string; readonly value: string }[];
  readonly sinceNano?: bigint;
  readonly untilNano?: bigint;
  /** Names, ids or beginnings of ids; none: all. */
  readonly containers: readonly string[];
  /** Lines found, at most. */
  readonly limit: number;
  /** Otherwise the newest line of a container comes first. */
  readonly oldestFirst: boolean;
  /** Goes on with what is written from then on; oldest first. */
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

export interface LogMemoryLimits {
  /** How long output is kept after its container was removed; 0: not at all. */
  readonly days: number;
  /** All of it together: past that the oldest goes. */
  readonly maxBytes: number;
}

/** Keeps the output of containers past their removal, and searches it and that of those which are there. */
export interface LogMemory {
  /** Called as a container is removed, before its log is: what it wrote stays on disk under another name. Never fails: a removal is not held up. */
  keep(owner: LogOwner): void;
  /**
   * JSON lines, as bytes: see `LogSearchLine`. Whose log was written last comes first. `living` is asked again while it follows. What is wrong with
   * the search is invalidArgument before anything is read; a regular expression that does not come to an end ends with an `error` line.
   */
  search(search: LogSearch, living: () => readonly LogOwner[]): AsyncIterable<Buffer>;
}

/** A container with this label set to `false` leaves nothing when it is removed. */
export const keepLabel = "slipway.logs.keep";
