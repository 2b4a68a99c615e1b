/** The engine's own log: what people read when something went wrong. Never a secret, never a container's output. */
export interface Journal {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string, error?: unknown): void;
  error(message: string, error?: unknown): void;
}

/** The journal's other side. */
export interface JournalReader {
  /**
   * The last `tail` lines (absent: all that is kept), oldest first, and then with `follow` what comes, until the signal aborts.
   * Bounded: a reader that lags too far is ended.
   */
  lines(opts: { readonly tail?: number; readonly follow: boolean; readonly signal: AbortSignal }): AsyncIterable<string>;
}

/** Says nothing: for tests and tools. */
export const silentJournal: Journal = { debug() {}, info() {}, warn() {}, error() {} };
