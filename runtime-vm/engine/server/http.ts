import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import type { Server as NetServer } from "node:net";
import type { Duplex } from "node:stream";
import { codeOf, messageOf } from "#base/errors.ts";
import { limits } from "#base/limits.ts";
import { apiVersion, engineVersion, parseApiVersion } from "#api/versions.ts";
import type { Journal } from "#core/journal/journal.ts";
import { failure, sendAnswer, sendRaw } from "./answer.ts";
import { SilentClient, bodyTooLarge, isChunked, readJson } from "./body.ts";
import { chunked, sized, withBody } from "./early.ts";
import { Gone } from "./gone.ts";
import { type Hijackable, plainConnection, upgradedConnection } from "./hijack.ts";
import { type Place, openListener } from "./listeners.ts";
import { Query } from "./query.ts";
import { type Answer, type Match, type RequestContext, type Route, Router, splitVersion } from "./router.ts";
import { type SocketOwner, listenAt } from "./socket.ts";

/** How long a client may take. */
interface Patience {
  readonly requestHeadMsMax: number;
  readonly requestBodyIdleMsMax: number;
}

/**
 * The Engine API over HTTP/1.1. One request: split the version off, find the route, refuse a version out of range, run the
 * handler, answer. A handler's error is a JSON body with the status of its class; nothing a client sends ends the process.
 */
export class ApiServer implements AsyncDisposable {
  readonly #router: Router;
  readonly #journal: Journal;
  readonly #patience: Patience;
  /** Every answer has them. */
  readonly #versionHeaders: Readonly<Record<string, string>>;
  readonly #server: Server;
  readonly #hijackedSockets = new Set<Duplex>();
  readonly #listeners: NetServer[] = [];
  #requestCount = 0;

  /** `experimental`: what clients are told of the configuration's `experimental`. */
  constructor(routes: readonly Route[], journal: Journal, { experimental = false, patience = limits }: { experimental?: boolean; patience?: Patience } = {}) {
    this.#patience = patience;
    this.#versionHeaders = {
      "Api-Version": apiVersion,
      "Docker-Experimental": String(experimental),
      Ostype: "linux",
      Server: `Docker/${engineVersion} (linux)`,
    };
    this.#router = new Router(routes);
    this.#journal = journal;
    this.#server = createServer({
      // Only attach and exec upgrade; a client that offers h2c on an ordinary request (curl --http2) gets an ordinary answer.
      shouldUpgradeCallback: (request) => this.#find(request)?.route.upgrades ?? false,
      // Image loads may take as long as they take; who sends no head in time is cut off.
      requestTimeout: 0,
      headersTimeout: patience.requestHeadMsMax,
      connectionsCheckingInterval: Math.min(30_000, patience.requestHeadMsMax),
      // Clients keep connections and must never meet one that is just being closed.
      keepAliveTimeout: 0,
      maxHeaderSize: limits.requestHeadBytesMax,
    });
    this.#server.on("request", (request, response) => void this.#serve(request, response, plainConnection(request, response), undefined));
    this.#server.on("upgrade", (request, socket, head) => this.#serveUpgrade(request, socket, head));
    this.#server.on("clientError", (error, socket) => refuseJunk(error, socket));
  }

  /** Requests so far. */
  get requestCount(): number {
    return this.#requestCount;
  }

  /** Serves one connection that was made elsewhere (the link's tunnels). */
  accept(connection: Duplex): void {
    this.#server.emit("connection", connection);
  }

  /** Listens on a unix socket that only `owner` may open. A socket file nobody serves is replaced; one that is served is an error. */
  async listen(path: string, owner: SocketOwner): Promise<void> {
    await listenAt(this.#server, path, owner);
    this.#server.on("error", (error) => this.#journal.error(`accepting connections at ${path}`, error));
  }

  /** Listens at one more place. */
  async listenAlso(place: Place): Promise<void> {
    this.#listeners.push(
      await openListener(
        place,
        (connection) => this.accept(connection),
        (error) => this.#journal.error("accepting connections", error),
      ),
    );
  }

  /** Stops listening, cuts every connection, and resolves when none is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    const all = [this.#server, ...this.#listeners].filter((server) => server.listening);
    const closed = all.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
    this.#server.closeAllConnections();
    for (const socket of this.#hijackedSockets) socket.destroy();
    await Promise.all(closed);
  }

  #find(request: IncomingMessage): Match | undefined {
    try {
      return this.#router.match(request.method ?? "", splitVersion(pathOf(request)).path);
    } catch {
      return undefined;
    }
  }

  #serveUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // Node leaves the body of an upgrading request unread: `head` begins with it.
    const refuse = (message: string): void => {
      void sendRaw(socket, { status: 400, headers: this.#versionHeaders, json: { message } });
      // A client that is still sending reads its answer when it is done.
      socket.resume();
    };
    const length = Number(request.headers["content-length"] ?? "0");
    if (length > limits.requestJsonBytesMax) return refuse(bodyTooLarge().message);
    const serve = async (): Promise<void> => {
      const early = await withBody(socket, head, isChunked(request) ? chunked() : sized(length), this.#patience.requestBodyIdleMsMax);
      if (early === undefined) return void socket.destroy();
      await this.#serve(request, undefined, upgradedConnection(socket, request, early.rest), early.body, socket);
    };
    serve().catch((error: unknown) => refuse(messageOf(error)));
  }

  async #serve(
    request: IncomingMessage,
    response: ServerResponse | undefined,
    connection: Hijackable,
    body: Buffer | undefined,
    upgrading?: Duplex,
  ): Promise<void> {
    const send = (answer: Answer): Promise<void> =>
      response === undefined ? sendRaw(upgrading, answer) : sendAnswer(response, answer, request.method === "HEAD");
    const target = response ?? upgrading;
    target?.on("error", () => {});
    let taken = false;
    this.#requestCount += 1;
    try {
      const { version, path } = splitVersion(pathOf(request));
      if (request.method === "OPTIONS") return await send({ status: 200, headers: this.#versionHeaders });
      const match = this.#router.match(request.method ?? "", path);
      if (match === undefined) return await send({ status: 404, json: { message: "page not found" } });
      const gone = new Gone(target);
      const context: RequestContext = {
        method: request.method ?? "",
        path,
        version: parseApiVersion(version),
        params: match.params,
        query: new Query(searchOf(request)),
        headers: request.headers,
        get signal() {
          return gone.signal;
        },
        body: request,
        json: (shape) => readJson(request, shape, this.#patience.requestBodyIdleMsMax, body),
        hijack: (head) => {
          taken = true;
          const socket = connection.take(head);
          this.#own(socket, gone);
          return socket;
        },
        webSocket: async () => {
          const socket = await connection.webSocket();
          taken = true;
          this.#own(socket, gone);
          return socket;
        },
      };
      const reply = await match.route.handler(context);
      if (!("hijacked" in reply)) await send({ ...reply, headers: { ...this.#versionHeaders, ...reply.headers } });
    } catch (error) {
      if (taken) this.#journal.warn(`${request.method} ${request.url} failed after its connection was taken over`, error);
      else await this.#fail(request, response, send, error);
    }
  }

  #own(socket: Duplex, gone: Gone): void {
    this.#hijackedSockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => {
      this.#hijackedSockets.delete(socket);
      gone.now();
    });
  }

  async #fail(request: IncomingMessage, response: ServerResponse | undefined, send: (answer: Answer) => Promise<void>, error: unknown): Promise<void> {
    const { status, message } = failure(error);
    // A client that went away has not met an error of ours.
    if ((response ?? request.socket).destroyed) return this.#journal.debug(`${request.method} ${request.url}: the client left: ${message}`);
    // What this engine does not serve or cannot do now is said to whoever asks; only what it did not expect is an error of its own.
    if (status >= 500 && status !== 501 && status !== 503) this.#journal.error(`${request.method} ${request.url} answered ${status}`, error);
    else this.#journal.debug(`${request.method} ${request.url} answered ${status}: ${message}`);
    if (response?.headersSent === true) return void response.destroy();
    try {
      const headers = { ...this.#versionHeaders, ...(error instanceof SilentClient ? { Connection: "close" } : {}) };
      await send({ status, headers, ...(status === 304 ? {} : { json: { message } }) });
    } catch {
      // The client is gone; there is nobody to tell.
    }
  }
}

const pathOf = (request: IncomingMessage): string => {
  const url = request.url ?? "/";
  const end = url.search(/[?#]/);
  return end === -1 ? url : url.slice(0, end);
};

const searchOf = (request: IncomingMessage): string => /\?([^#]*)/.exec(request.url ?? "")?.[1] ?? "";

/** By the parser's code. */
const refusals: Readonly<Record<string, readonly [status: string, message: string]>> = {
  HPE_HEADER_OVERFLOW: ["431 Request Header Fields Too Large", `the request's head is larger than the ${limits.requestHeadBytesMax} bytes accepted`],
  ERR_HTTP_REQUEST_TIMEOUT: ["408 Request Timeout", "the request's head did not come in time"],
};

function refuseJunk(error: unknown, socket: Duplex): void {
  if (socket.destroyed || !socket.writable) return void socket.destroy();
  const [status, message] = refusals[codeOf(error) ?? ""] ?? ["400 Bad Request", "this is not HTTP/1.1, or a malformed request"];
  const body = `${JSON.stringify({ message })}\n`;
  const length = `Content-Length: ${Buffer.byteLength(body)}`;
  socket.end(`HTTP/1.1 ${status}\r\nContent-Type: application/json\r\n${length}\r\nConnection: close\r\n\r\n${body}`);
}
