/** Lines of `GET /slipway/logs/search`: what was found, marks between, and one last line; one JSON document each. */
export type LogSearchLine =
  | LogHit
  | LogRunMark
  | LogSearchPause
  | { readonly End: LogSearchEnd }
  | { readonly error: string; readonly errorDetail: { readonly message: string } };

export const logLevelNames = ["trace", "debug", "info", "warn", "error", "fatal"] as const;
export type LogLevelName = (typeof logLevelNames)[number];

export interface LogHit {
  readonly Id: string;
  readonly Name: string;
  /** The container was removed: only its output is left. */
  readonly Removed?: true;
  readonly Stream: "stdout" | "stderr";
  /** RFC 3339 with nanoseconds. */
  readonly Time: string;
  /** As far as the line tells. */
  readonly Level?: LogLevelName;
  /** Without its newline. */
  readonly Text: string;
}

/** A start or an end of the container between lines that were found. */
export interface LogRunMark {
  readonly Id: string;
  readonly Name: string;
  readonly Removed?: true;
  readonly Event: "start" | "die";
  readonly Time: string;
  /** Of an end. */
  readonly ExitCode?: number;
}

/**
 * Of a search that follows: everything that was written until now has been told. Lines before it come container by container; in the order of
 * their times no line after it belongs before them, but for what was on its way meanwhile.
 */
export interface LogSearchPause {
  readonly Told: { readonly Hits: number };
}

export interface LogSearchEnd {
  readonly Hits: number;
  /** Whose output was looked through. */
  readonly Containers: number;
  /** Of log files read. */
  readonly Bytes: number;
  /** Processor time it took. */
  readonly CpuMs: number;
  /** Absent: that is all there is; otherwise the limit was reached. */
  readonly Truncated?: true;
  /** Files that could not be read. */
  readonly Unreadable?: readonly string[];
}
