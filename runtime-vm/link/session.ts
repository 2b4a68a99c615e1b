import { constants, type Http2Session, type SessionOptions } from "node:http2";
import type { Duplex } from "node:stream";
import { linkLimits } from "./limits.ts";

/** Options of both ends. Node's guards against hostile peers are lifted: the far side is our own program. */
export const sessionOptions = {
  settings: {
    enablePush: false,
    initialWindowSize: linkLimits.streamWindowBytes,
    maxFrameSize: linkLimits.frameBytesMax,
    maxConcurrentStreams: linkLimits.streamsMax,
  },
  peerMaxConcurrentStreams: linkLimits.streamsMax,
  maxSessionMemory: linkLimits.sessionMemoryMegabytes,
  maxOutstandingPings: 32,
  streamResetBurst: 1_000_000_000,
  streamResetRate: 1_000_000_000,
} satisfies SessionOptions & { streamResetBurst: number; streamResetRate: number };

/** The session window cannot be set by options; must be called once the session is connected. */
export function openSessionWindow(session: Http2Session): void {
  session.setLocalWindowSize(linkLimits.sessionWindowBytes);
}

/** Settles with what ended the session, once it and its transport are gone. */
export function sessionClosed(session: Http2Session, transport: Duplex): Promise<Error | undefined> {
  return new Promise((resolve) => {
    let cause: Error | undefined;
    session.on("error", (error: Error) => (cause = error));
    session.on("goaway", (code: number) => {
      if (code !== constants.NGHTTP2_NO_ERROR) cause ??= new Error(`the far side ended the session with HTTP/2 error ${code}`);
    });
    transport.on("error", (error: Error) => (cause ??= error));
    session.once("close", () => {
      transport.destroy();
      resolve(cause);
    });
  });
}
