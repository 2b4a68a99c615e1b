/** Sizes and times both ends of the link agree on; the unit is in the name. */
export const linkLimits = {
  /** What one tunnel may have under way before its reader reads (SETTINGS_INITIAL_WINDOW_SIZE). */
  streamWindowBytes: 1024 * 1024,
  /** What all tunnels together may have under way: one slow reader must not stop the others. */
  sessionWindowBytes: 16 * 1024 * 1024,
  /** Node ends a session with ENHANCE_YOUR_CALM past this, so it lies far above the session window. */
  sessionMemoryMegabytes: 256,
  frameBytesMax: 64 * 1024,
  streamsMax: 10_000,
  callLineBytesMax: 1024 * 1024,
  /** Largest UDP payload: 65535 - 8 - 20. */
  datagramBytesMax: 65_507,
  /** Datagrams queued for a slow tunnel are dropped past this, as a full socket buffer drops them. */
  datagramBacklogBytesMax: 1024 * 1024,
  /** A UDP conversation that is silent for so long is forgotten. */
  datagramIdleMs: 90_000,
  pingIntervalMs: 2_000,
  /** The guest closes and reopens its port after this long without a sign of life from the host. */
  guestSilenceMs: 10_000,
  hostSilenceMs: 10_000,
  /** How long the guest needs at most to see that the host has gone; the host waits this long between connections. */
  reconnectPauseMs: 1_500,
  dialMs: 20_000,
  /** How long a call waits for a link that is down before it fails. */
  callPatienceMs: 15_000,
} as const;
