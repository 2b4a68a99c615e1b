import { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage, type RequestOptions, request as httpRequest } from "node:http";
import { once } from "node:events";
import type { Duplex, Readable } from "node:stream";
import { EngineError, codeOf, messageOf } from "#base/errors.ts";
import type { EngineRequest, EngineResponse, StreamOpen } from "#bridge/bridge.ts";
import type { HostStream } from "#bridge/serve.ts";

/** An answer read as a whole is no longer than this; longer ones are streams. */
const answerBytesMax = 24 * 1024 * 1024;

export type Dial = (opts: { readonly signal: AbortSignal }) => Promise<Duplex>;

/** Speaks HTTP to the engine over whatever `dial` gives; a fresh connection a request, since opening one costs microseconds. */
export class EngineConnection {
  readonly #dial: Dial;

  constructor(dial: Dial) {
    this.#dial = dial;
  }

  /** One request and its whole answer; an error status is an answer, not a rejection. */
  async request(request: EngineRequest, { signal }: { readonly signal: AbortSignal }): Promise<EngineResponse> {
    const outgoing = this.#begin(request, signal);
    const answered = once(outgoing, "response") as Promise<[IncomingMessage]>;
    outgoing.end(bodyOf(request));
    try {
      const [answer] = await answered;
      return { status: answer.statusCode ?? 0, headers: flat(answer.headers), body: decoded(await textOf(answer), answer.headers) };
    } catch (error) {
      outgoing.destroy();
      throw unreachable(error);
    }
  }

  /** Serves one stream of the bridge to its end; an upload sends what the window writes, or `body`. */
  async stream(open: StreamOpen, stream: HostStream, body?: AsyncIterable<Uint8Array>): Promise<void> {
    const outgoing = this.#begin(open.request, stream.signal, connectionHeaders[open.kind]);
    try {
      const answer = answerTo(outgoing);
      let upload: Promise<void> | undefined;
      if (open.kind === "upload") upload = send(body ?? stream.read(), outgoing);
      else outgoing.end(bodyOf(open.request));
      // The upload's own failure counts only while there is no answer: an engine may refuse before it has read everything.
      const first = await (upload === undefined ? answer : Promise.race([answer, upload.then(() => answer)]));
      upload?.catch(() => undefined);
      stream.head({ status: first.message.statusCode ?? 0, headers: flat(first.message.headers) });
      if (first.socket !== undefined) await hijacked(first.socket, first.early, stream);
      else await receive(first.message, stream);
      // An engine may answer before it has read everything: the window must not wait for room that nobody makes.
      stream.close(new EngineError("cancelled", "the engine has answered and reads no more"));
    } catch (error) {
      throw unreachable(error);
    } finally {
      outgoing.destroy();
      // A refused upgrade counts as keep-alive, and nobody would close its connection.
      outgoing.socket?.destroy();
    }
  }

  #begin(request: EngineRequest, signal: AbortSignal, extra: Record<string, string> = {}): ClientRequest {
    const body = bodyOf(request);
    const described = body === undefined ? {} : { "content-type": "application/json", "content-length": String(Buffer.byteLength(body)) };
    const options: RequestOptions = {
      method: request.method,
      path: request.path,
      signal,
      headers: { host: "slipway", ...described, ...ownHeaders(request), ...extra },
      // Without an agent and with this, Node's HTTP client runs over any duplex stream.
      createConnection: (_options, made) => {
        this.#dial({ signal }).then(
          (socket) => made(null, socket),
          (error: unknown) => made(error instanceof Error ? error : new Error(messageOf(error)), undefined as unknown as Duplex),
        );
        return undefined;
      },
    };
    return httpRequest(options);
  }
}

const connectionHeaders: Readonly<Record<StreamOpen["kind"], Record<string, string>>> = {
  download: {},
  // A server closes at once after answering a request that asks for it: a refusal would be lost to a broken pipe.
  upload: { connection: "keep-alive" },
  upgrade: { connection: "Upgrade", upgrade: "tcp" },
};

interface Answer {
  readonly message: IncomingMessage;
  /** After `101`: the connection, ours from here on. */
  readonly socket?: Duplex;
  readonly early: Buffer;
}

function answerTo(outgoing: ClientRequest): Promise<Answer> {
  const answer = new Promise<Answer>((resolve, reject) => {
    outgoing.once("response", (message) => resolve({ message, early: Buffer.alloc(0) }));
    outgoing.once("upgrade", (message, socket, early) => resolve({ message, socket, early }));
    // Stays attached: a connection that breaks after the answer shows as an error of the answer's own stream.
    outgoing.on("error", reject);
  });
  answer.catch(() => undefined);
  return answer;
}

/** Headers that describe the connection, which is ours, are not the window's to set. */
const hopByHop = new Set(["host", "connection", "keep-alive", "upgrade", "te", "trailer", "transfer-encoding", "content-length", "expect", "proxy-connection"]);

const ownHeaders = (request: EngineRequest): Record<string, string> =>
  Object.fromEntries(Object.entries(request.headers ?? {}).filter(([name]) => !hopByHop.has(name.toLowerCase())));

const bodyOf = (request: EngineRequest): string | undefined => (request.body === undefined ? undefined : JSON.stringify(request.body));

/** Window -> engine. Ends the request's body only after the whole of it: a stream cut short destroys the request instead. */
async function send(bytes: AsyncIterable<Uint8Array>, to: ClientRequest | Duplex): Promise<void> {
  for await (const chunk of bytes) {
    if (to.destroyed) return;
    if (!to.write(chunk)) await Promise.race([once(to, "drain"), once(to, "close")]);
  }
  to.end();
}

/** Engine -> window. */
async function receive(from: Readable, stream: HostStream): Promise<void> {
  // The socket of a hijacked connection outlives its readable side: half-close.
  for await (const chunk of from.iterator({ destroyOnReturn: false })) await stream.write(chunk as Buffer);
  await stream.end();
}

/** Both directions until both have ended; the engine's end does not end ours, nor the other way round. */
async function hijacked(socket: Duplex, early: Buffer, stream: HostStream): Promise<void> {
  const stop = (): void => void socket.destroy();
  stream.signal.addEventListener("abort", stop, { once: true });
  try {
    if (stream.signal.aborted) return;
    if (early.byteLength > 0) await stream.write(early);
    // A process that no longer reads its input still has output to give: EPIPE ends only our direction.
    const input = send(stream.read(), socket).catch(() => undefined);
    await receive(socket, stream);
    await input;
  } finally {
    stream.signal.removeEventListener("abort", stop);
    socket.destroy();
  }
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of answer as AsyncIterable<Buffer>) {
    bytes += part.byteLength;
    if (bytes > answerBytesMax) throw new EngineError("exhausted", `the engine's answer is longer than ${answerBytesMax} bytes: ask for it as a stream`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

function decoded(text: string, headers: IncomingHttpHeaders): unknown {
  if (text === "") return undefined;
  if (!headers["content-type"]?.includes("json")) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text; // progress answers are several JSON documents, one a line
  }
}

function flat(headers: IncomingHttpHeaders): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) result[name] = Array.isArray(value) ? value.join(", ") : value;
  return result;
}

const cut = new Set(["ECONNREFUSED", "ECONNRESET", "ENOENT", "EPIPE", "ERR_STREAM_PREMATURE_CLOSE", "ERR_STREAM_DESTROYED", "ETIMEDOUT"]);

function unreachable(error: unknown): unknown {
  if (error instanceof EngineError) return error;
  const code = codeOf(error);
  if (code === "ABORT_ERR") return new EngineError("cancelled", "the request was cancelled", { cause: error });
  if (code !== undefined && cut.has(code)) return new EngineError("unavailable", `the connection to the engine broke (${messageOf(error)})`, { cause: error });
  return error;
}
