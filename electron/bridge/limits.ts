/** Limits both ends of the bridge agree on; the unit is in the name. */
export const bridgeLimits = {
  /** A data frame is cut at this size. */
  dataFrameBytesMax: 128 * 1024,
  /** Bytes that are waiting are sent at once when there are this many ... */
  coalesceBytes: 64 * 1024,
  /** ... and otherwise at most this often: 4 KiB frames cost three times the CPU of 64 KiB ones. */
  coalesceMs: 8,
  /** Largest credit window a stream may ask for. */
  windowBytesMax: 16 * 1024 * 1024,
  /** Longest frame any end accepts: a call's JSON with the engine's largest request body in it. */
  frameBytesMax: 32 * 1024 * 1024,
  /** Calls, and streams, one connection may have open at a time. */
  openMax: 512,
  /** How long a call or a stream waits for the connection before it fails as `unavailable`. */
  connectWaitMsMax: 10_000,
  /** Reconnecting: first and longest pause. */
  reconnectMsMin: 200,
  reconnectMsMax: 5_000,
} as const;
