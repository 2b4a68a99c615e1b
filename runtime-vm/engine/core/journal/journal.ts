/** The engine's own log: what people read when something went wrong. Never a secret, never a container's output. */
export interface Journal {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string, error?: unknown): void;
  error(message: string, error?: unknown): void;
}

/** Says nothing: for tests and tools. */
export const silentJournal: Journal = { debug() {}, info() {}, warn() {}, error() {} };
