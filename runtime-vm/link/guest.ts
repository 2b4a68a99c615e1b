import { performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { Duplex } from "node:stream";
import { codeOf, EngineError, messageOf } from "#base/errors.ts";
import { CallChannel, type GuestCalls, type Handlers, type HostCalls } from "./calls.ts";
import { linkLimits } from "./limits.ts";
import { openSessionWindow, sessionClosed, sessionOptions } from "./session.ts";
import { parseTarget, type Target } from "./targets.ts";
import { Tunnel } from "./tunnel.ts";
import { watch, type WatchdogTimes } from "./watchdog.ts";

export type Dialled = Exclude<Target, { kind: "calls" | "accept" }>;

export interface GuestSessionOptions {
  /** Reaches the target and returns what carries on with the tunnel; a rejection is told to the host, which sees no tunnel. */
  readonly dial: (target: Dialled) => Promise<(tunnel: Tunnel) => void>;
  /** A tunnel that answers a `dial` call of this guest. */
  readonly accept: (ticket: string, tunnel: Tunnel) => void;
  /** The host's control calls are open: from now on it can be asked. */
  readonly onHost: (host: CallChannel<HostCalls, GuestCalls>) => void;
  readonly serve: Handlers<GuestCalls>;
  readonly times?: WatchdogTimes;
  readonly signal: AbortSignal;
}

/** Serves one HTTP/2 session on `transport`, which it owns, until it ends. Resolves with what ended it; never rejects. */
export async function serveSession(transport: Duplex, options: GuestSessionOptions): Promise<Error | undefined> {
  const session: ServerHttp2Session = performServerHandshake(transport, sessionOptions);
  const closed = sessionClosed(session, transport);
  const abort = (): void => session.destroy();
  transport.once("end", abort); // The host hung up: a port has no half-close.
  options.signal.addEventListener("abort", abort, { once: true });
  if (options.signal.aborted) abort();
  else {
    openSessionWindow(session);
    watch(session, "the host", options.times ?? { intervalMs: linkLimits.pingIntervalMs, silenceMs: linkLimits.guestSilenceMs });
    session.on("stream", (stream, headers) => void serveStream(stream, String(headers[":path"]), options));
  }
  try {
    return await closed;
  } finally {
    options.signal.removeEventListener("abort", abort);
  }
}

async function serveStream(stream: ServerHttp2Stream, path: string, options: GuestSessionOptions): Promise<void> {
  stream.on("error", () => {});
  try {
    const target = parseTarget(path);
    const start = await starter(target, options);
    if (stream.destroyed) throw new EngineError("cancelled", "the host has given up");
    stream.respond({ ":status": 200 });
    start(new Tunnel(stream));
  } catch (error) {
    refuse(stream, error);
  }
}

async function starter(target: Target, options: GuestSessionOptions): Promise<(tunnel: Tunnel) => void> {
  switch (target.kind) {
    case "calls":
      return (tunnel) => options.onHost(new CallChannel<HostCalls, GuestCalls>(tunnel, options.serve));
    case "accept":
      return (tunnel) => options.accept(target.ticket, tunnel);
    case "engine":
    case "tcp":
    case "udp":
      return await options.dial(target);
  }
}

function refuse(stream: ServerHttp2Stream, error: unknown): void {
  if (stream.destroyed || stream.headersSent) return;
  const code = codeOf(error);
  stream.respond(
    {
      ":status": 502,
      "x-error": encodeURIComponent(messageOf(error)),
      "x-error-class": error instanceof EngineError ? error.class : "unavailable",
      ...(code === undefined ? {} : { "x-error-code": code }),
    },
    { endStream: true },
  );
  stream.resume();
}
