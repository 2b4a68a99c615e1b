/**
 * The `ctl` port: lines of JSON beside the HTTP/2 port, so that a dead or hung engine is told from a broken link.
 * The engine says `hello` when it opens the port and its epoch in every answer: a new epoch is a new engine.
 */
export type ToHost =
  | { readonly t: "hello"; readonly epoch: string; readonly boot: string; readonly version: string }
  | { readonly t: "pong"; readonly seq: number; readonly epoch: string }
  /** The engine has stopped its containers; the guest powers off now. */
  | { readonly t: "bye"; readonly epoch: string };

export type ToGuest =
  | { readonly t: "ping"; readonly seq: number }
  | { readonly t: "settime"; readonly unixMs: number }
  /** Give up the HTTP/2 session and open its port afresh. */
  | { readonly t: "reset" }
  /** Stop containers by their stop signal and timeout, then power off. */
  | { readonly t: "shutdown" };

export const ctlLineBytesMax = 64 * 1024;
export const encodeCtl = (message: ToHost | ToGuest): string => `${JSON.stringify(message)}\n`;

/** Undefined for anything else, which a newer far side may say. */
export function decodeToHost(line: Record<string, unknown>): ToHost | undefined {
  const { t, epoch, boot, version, seq } = line;
  if (typeof epoch !== "string") return undefined;
  if (t === "hello" && typeof boot === "string" && typeof version === "string") return { t, epoch, boot, version };
  if (t === "pong" && typeof seq === "number") return { t, seq, epoch };
  return t === "bye" ? { t, epoch } : undefined;
}

export function decodeToGuest(line: Record<string, unknown>): ToGuest | undefined {
  const { t, seq, unixMs } = line;
  if (t === "ping" && typeof seq === "number") return { t, seq };
  if (t === "settime" && typeof unixMs === "number" && Number.isFinite(unixMs)) return { t, unixMs };
  return t === "reset" || t === "shutdown" ? { t } : undefined;
}
