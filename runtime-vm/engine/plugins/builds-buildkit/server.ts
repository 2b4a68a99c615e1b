import { type IncomingHttpHeaders, performServerHandshake, type ServerHttp2Stream } from "node:http2";
import type { Duplex } from "node:stream";
import { EngineError, messageOf } from "#base/errors.ts";
import type { Journal } from "#core/journal/journal.ts";
import { drained, frame, messagesOf } from "./frames.ts";
import { failureTrailers } from "./status.ts";

/** One call: what the client sends, and how it is answered. */
export interface Call {
  readonly headers: IncomingHttpHeaders;
  readonly messages: AsyncIterable<Buffer>;
  /** The first message of a call that has one. */
  request(): Promise<Buffer>;
  send(message: Uint8Array): Promise<void>;
  readonly signal: AbortSignal;
}

/** By path, `/package.Service/Method`. */
export type Methods = Readonly<Record<string, (call: Call) => Promise<void>>>;

/**
 * Serves gRPC on a connection that has become HTTP/2, until either side closes it. A client that was killed says nothing more than the end of
 * its side, and HTTP/2 has no use for half a connection.
 */
export async function serveGrpc(connection: Duplex, methods: Methods, journal: Journal): Promise<void> {
  await written(connection);
  const session = performServerHandshake(connection, { settings: { initialWindowSize: 1024 * 1024, maxConcurrentStreams: 1000 } });
  connection.once("end", () => session.destroy());
  session.on("error", (error) => journal.debug(`a gRPC connection broke: ${messageOf(error)}`));
  session.on("stream", (stream, headers) => {
    stream.on("error", () => undefined);
    void answer(stream, headers, methods, journal);
  });
  await new Promise<void>((resolve) => session.once("close", () => resolve()));
}

/** Node ends the process when HTTP/2 takes a socket over that is still being written to. */
async function written(connection: Duplex): Promise<void> {
  await new Promise<void>((resolve) => connection.write("", () => resolve()));
  await new Promise((resolve) => setImmediate(resolve));
}

async function answer(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, methods: Methods, journal: Journal): Promise<void> {
  const gone = new AbortController();
  stream.once("close", () => gone.abort(new EngineError("cancelled", "the client ended the call")));
  const path = String(headers[":path"] ?? "");
  let trailers: Record<string, string> = { "grpc-status": "0" };
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.once("wantTrailers", () => stream.sendTrailers(trailers));
  try {
    const method = Object.hasOwn(methods, path) ? methods[path] : undefined;
    if (method === undefined) throw new EngineError("notImplemented", `unknown method ${path}`);
    await method(callOf(stream, headers, gone.signal));
  } catch (error) {
    trailers = failureTrailers(error);
    journal.debug(`${path}: ${messageOf(error)}`);
  }
  if (!stream.destroyed) stream.end();
}

function callOf(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, signal: AbortSignal): Call {
  const messages = messagesOf(stream);
  return {
    headers,
    messages,
    signal,
    request: async () => {
      const first = await messages.next();
      if (first.done === true) throw new EngineError("invalidArgument", "the call has no message");
      return first.value;
    },
    send: async (message) => {
      signal.throwIfAborted();
      if (!stream.write(frame(message))) await drained(stream);
    },
  };
}

export { written };
