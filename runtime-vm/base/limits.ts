/** Limits that more than one area must agree on; the unit is in the name. */
export const limits = {
  /** Longest JSON request body the engine reads. */
  requestJsonBytesMax: 4 * 1024 * 1024,
  /** A log line longer than this is split, as Docker's json-file driver does. */
  logLineBytesMax: 16 * 1024,
  /** What one attached reader may lag behind before it is fed from the log file instead. */
  attachBacklogBytesMax: 1024 * 1024,
  /** Events kept for `since`. */
  eventBacklogMax: 1_000,
  /** Time a container gets between its stop signal and SIGKILL. */
  stopGraceMsDefault: 10_000,
} as const;
