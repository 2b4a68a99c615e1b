import { type ClientHttp2Session, type ClientHttp2Stream, connect, type IncomingHttpHeaders, type OutgoingHttpHeaders } from "node:http2";
import { once } from "node:events";
import type { Duplex } from "node:stream";
import { EngineError } from "#base/errors.ts";
import { drained, frame, messagesOf } from "./frames.ts";
import { written } from "./server.ts";

/** A call to the client's side of a session, open in both directions. */
export interface SessionCall extends AsyncDisposable {
  readonly messages: AsyncIterable<Buffer>;
  /** In this order, at once. */
  send(...messages: readonly Uint8Array[]): Promise<void>;
  /** Nothing more is sent. */
  end(): void;
}

/** The client's services (files, secrets, agents, credentials), reached through a connection that it made. */
export class Session {
  readonly id: string;
  readonly sharedKey: string;
  readonly #methods: ReadonlySet<string>;
  readonly #http: ClientHttp2Session | undefined;
  /** Of a client that offers nothing. */
  static readonly none = new Session("", "", new Set(), undefined);

  constructor(id: string, sharedKey: string, methods: ReadonlySet<string>, http: ClientHttp2Session | undefined) {
    this.id = id;
    this.sharedKey = sharedKey;
    this.#methods = methods;
    this.#http = http;
  }

  offers(method: string): boolean {
    return this.#methods.has(method);
  }

  open(method: string, headers: OutgoingHttpHeaders, signal: AbortSignal): SessionCall {
    signal.throwIfAborted();
    if (this.#http === undefined) throw new EngineError("notImplemented", "no active sessions");
    if (this.#http.destroyed || this.#http.closed) throw new EngineError("unavailable", "the client's session is closed");
    const stream = this.#http.request(
      { ":method": "POST", ":path": method, "content-type": "application/grpc", te: "trailers", ...headers },
      { endStream: false },
    );
    const status = statusOf(stream);
    const abort = (): void => stream.close(8);
    signal.addEventListener("abort", abort, { once: true });
    stream.once("close", () => signal.removeEventListener("abort", abort));
    const received = (async function* () {
      try {
        yield* messagesOf(stream);
      } catch (error) {
        signal.throwIfAborted();
        throw error;
      }
      signal.throwIfAborted();
      await status;
    })();
    status.catch(() => undefined);
    return {
      messages: received,
      send: async (...messages) => {
        if (stream.destroyed) throw new EngineError("unavailable", `${method}: the client ended the call`);
        if (!stream.write(Buffer.concat(messages.map(frame)))) await drained(stream);
      },
      end: () => void stream.end(),
      async [Symbol.asyncDispose]() {
        if (stream.closed) return;
        const closed = once(stream, "close");
        stream.close(8);
        await closed;
      },
    };
  }

  /** One message each way. */
  async ask(method: string, message: Uint8Array, signal: AbortSignal, headers: OutgoingHttpHeaders = {}): Promise<Buffer> {
    await using call = this.open(method, headers, signal);
    await call.send(message);
    call.end();
    let answer: Buffer | undefined;
    for await (const one of call.messages) answer = one;
    if (answer === undefined) throw new EngineError("unavailable", `${method}: no answer`);
    return answer;
  }
}

/** Settles with the call: rejects with what its trailers, or a head without a body, say of a failure. */
function statusOf(stream: ClientHttp2Stream): Promise<void> {
  return new Promise((resolve, reject) => {
    const take = (headers: IncomingHttpHeaders): void => {
      const code = headers["grpc-status"];
      if (code === undefined) return;
      if (code === "0") return resolve();
      const message = decodeURIComponent(String(headers["grpc-message"] ?? ""));
      reject(new EngineError(code === "5" ? "notFound" : code === "12" ? "notImplemented" : "unavailable", message));
    };
    stream.on("response", take);
    stream.on("trailers", take);
    stream.on("error", reject);
    stream.once("close", () => reject(new EngineError("unavailable", "the client left in the middle of a call")));
  });
}

/** The sessions that clients have open, by their ids. */
export class Sessions {
  readonly #open = new Map<string, Session>();
  readonly #waiting = new Map<string, PromiseWithResolvers<Session>[]>();

  /** Serves as long as the connection lives. */
  async serve(connection: Duplex, { id, sharedKey, methods }: { id: string; sharedKey: string; methods: readonly string[] }): Promise<void> {
    await written(connection);
    const http = connect("http://session", { createConnection: () => connection, settings: { initialWindowSize: 1024 * 1024 } });
    http.on("error", () => undefined);
    connection.once("end", () => http.destroy());
    const session = new Session(id, sharedKey, new Set(methods), http);
    this.#open.set(id, session);
    for (const waiting of this.#waiting.get(id) ?? []) waiting.resolve(session);
    this.#waiting.delete(id);
    await new Promise<void>((resolve) => http.once("close", () => resolve()));
    if (this.#open.get(id) === session) this.#open.delete(id);
  }

  /** The session may come a moment after the build that names it. */
  async get(id: string, signal: AbortSignal): Promise<Session> {
    const known = this.#open.get(id);
    if (known !== undefined) return known;
    const waiting = Promise.withResolvers<Session>();
    this.#waiting.set(id, [...(this.#waiting.get(id) ?? []), waiting]);
    const late = setTimeout(() => waiting.reject(new EngineError("notFound", `no active session for ${id}: context deadline exceeded`)), sessionMsMax);
    const abort = (): void => waiting.reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    try {
      return await waiting.promise;
    } finally {
      clearTimeout(late);
      signal.removeEventListener("abort", abort);
      this.#waiting.set(
        id,
        (this.#waiting.get(id) ?? []).filter((one) => one !== waiting),
      );
    }
  }
}

const sessionMsMax = 5_000;
