import { connect, type ClientHttp2Session, type ClientHttp2Stream, type IncomingHttpHeaders, type IncomingHttpStatusHeader } from "node:http2";
import type { Duplex } from "node:stream";
import { EngineError, type ErrorClass } from "#base/errors.ts";
import { CallChannel, type GuestCalls, type Handlers, type HostCalls } from "./calls.ts";
import { Decoupled } from "./decouple.ts";
import { linkLimits } from "./limits.ts";
import { openSessionWindow, sessionClosed, sessionOptions } from "./session.ts";
import { formatTarget, type Target } from "./targets.ts";
import { Tunnel } from "./tunnel.ts";
import { watch, type WatchdogTimes } from "./watchdog.ts";

/** The host's end of one HTTP/2 session with the guest. */
export interface HostLink extends AsyncDisposable {
  /** A tunnel, once the guest has reached the target. Class `unavailable` when it cannot, with the guest's reason; `link lost` when the session ended. */
  open(target: Target, opts?: { signal?: AbortSignal }): Promise<Tunnel>;
  readonly guest: CallChannel<GuestCalls, HostCalls>;
  /** Resolves, never rejects, when the session is over, with what ended it. */
  readonly closed: Promise<Error | undefined>;
}

export interface HostLinkOptions {
  /** Answers the guest's calls. `link` is the session they came by. */
  readonly serve: (link: Pick<HostLink, "open">) => Handlers<HostCalls>;
  readonly times?: WatchdogTimes;
  readonly signal: AbortSignal;
}

/** Resolves when the guest has answered on `transport`, which the link then owns; rejects and destroys it otherwise. */
export async function connectLink(transport: Duplex, options: HostLinkOptions): Promise<HostLink> {
  const session = connect("http://guest", { ...sessionOptions, createConnection: () => new Decoupled(transport) });
  const closed = sessionClosed(session, transport);
  try {
    await handshake(session, closed, options.signal);
    openSessionWindow(session);
    watch(session, "the guest", options.times ?? { intervalMs: linkLimits.pingIntervalMs, silenceMs: linkLimits.hostSilenceMs });
    const open: HostLink["open"] = (target, opts = {}) => openTunnel(session, target, opts.signal);
    const guest = new CallChannel<GuestCalls, HostCalls>(await open({ kind: "calls" }, options), options.serve({ open }));
    return { open, guest, closed, [Symbol.asyncDispose]: () => closeSession(session, closed) };
  } catch (error) {
    session.destroy();
    transport.destroy();
    throw error;
  }
}

async function closeSession(session: ClientHttp2Session, closed: Promise<unknown>): Promise<void> {
  session.destroy();
  await closed;
}

/** The guest's SETTINGS are the first thing it says: without them somebody else, or nobody, is at the other end. */
async function handshake(session: ClientHttp2Session, closed: Promise<Error | undefined>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    session.once("remoteSettings", () => resolve());
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    void closed.then((cause) => reject(new EngineError("unavailable", "the link to the guest was closed while it was being set up", { cause })));
  });
}

async function openTunnel(session: ClientHttp2Session, target: Target, signal?: AbortSignal): Promise<Tunnel> {
  signal?.throwIfAborted();
  if (session.closed || session.destroyed) throw new EngineError("unavailable", "the link to the guest is down");
  const path = formatTarget(target);
  const stream = session.request({ ":method": "POST", ":path": path }, { endStream: false });
  // It may end before whoever takes it can listen: the session's end comes right behind the answer to a host that was suspended.
  stream.on("error", () => {});
  const cancel = (): void => void stream.destroy(new Error("cancelled"));
  signal?.addEventListener("abort", cancel, { once: true });
  try {
    const headers = await answer(stream, path);
    if (headers[":status"] === 200) return new Tunnel(stream);
    stream.destroy(new Error("refused"));
    throw refusal(headers, path);
  } catch (error) {
    if (signal?.aborted) throw new EngineError("cancelled", `opening ${path} was cancelled`, { cause: error });
    throw error;
  } finally {
    signal?.removeEventListener("abort", cancel);
  }
}

type Answer = IncomingHttpHeaders & IncomingHttpStatusHeader;

function answer(stream: ClientHttp2Stream, path: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const fail = (cause?: Error): void => reject(new EngineError("unavailable", `the link was lost while opening ${path}`, { cause }));
    stream.once("response", (headers) => {
      stream.off("error", fail);
      stream.off("close", fail);
      resolve(headers);
    });
    stream.on("error", fail);
    stream.on("close", fail);
  });
}

function refusal(headers: Answer, path: string): EngineError {
  const error = new EngineError(
    (headers["x-error-class"] as ErrorClass | undefined) ?? "unavailable",
    decodeURIComponent(String(headers["x-error"] ?? `the guest refused ${path}`)),
  );
  const code = headers["x-error-code"];
  return code === undefined ? error : Object.assign(error, { code });
}
