/** Limits that more than one area must agree on; the unit is in the name. */
export const limits = {
  /** Longest JSON request body the engine reads. */
  requestJsonBytesMax: 4 * 1024 * 1024,
  /** Longest head of a request: its line and headers. */
  requestHeadBytesMax: 1024 * 1024,
  /** Time a client may take for the head of a request. */
  requestHeadMsMax: 60_000,
  /** Time a client that sends a JSON body may be silent. */
  requestBodyIdleMsMax: 60_000,
  /** A log line longer than this is split, as Docker's json-file driver does. */
  logLineBytesMax: 16 * 1024,
  /** What one attached reader may lag behind before it is fed from the log file instead. */
  attachBacklogBytesMax: 1024 * 1024,
  /** Time somebody who reads a container's files may be silent before its removal waits no longer for them. */
  viewerIdleMsMax: 10_000,
  /** Events kept for `since`. */
  eventBacklogMax: 1_000,
  /** Time a container gets between its stop signal and SIGKILL. */
  stopGraceMsDefault: 10_000,
} as const;
