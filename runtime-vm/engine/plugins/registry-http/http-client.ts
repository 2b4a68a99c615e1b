import { Agent as HttpAgent, type AgentOptions, type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { SecureContext } from "node:tls";
import { free } from "#base/buffers.ts";
import { codeOf, EngineError, messageOf } from "#base/errors.ts";
import { delay } from "#base/deadline.ts";

export interface HttpRequest {
  readonly method?: "GET" | "HEAD" | "POST" | "PUT" | "PATCH";
  readonly headers?: Readonly<Record<string, string>>;
  /** Chunks are asked for anew at every attempt and every redirect; one is done with before the next is asked for. */
  readonly body?: string | Buffer | (() => AsyncIterable<Buffer>);
  /** The body is for this server and no other: a redirect that would take it elsewhere is refused. */
  readonly secret?: boolean;
  /** Accepts any certificate: registries configured as insecure. */
  readonly insecure?: boolean;
  /** Certificates of this host's own; the usual authorities where absent. */
  readonly tls?: SecureContext;
  /** Once, without patience: to find out what is there. */
  readonly once?: boolean;
  readonly signal: AbortSignal;
}

/** Proxies by the scheme they are for, and the hosts that are reached without (`NO_PROXY`'s words). */
export interface HttpProxies {
  readonly http: string;
  readonly https: string;
  readonly no: string;
}

/** Never asked of a proxy. */
const loopback = "localhost,127.0.0.1,[::1]";
const noProxies: HttpProxies = { http: "", https: "", no: "" };

export interface HttpResponse {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: IncomingMessage;
}

const redirectsMax = 10;
const attemptsMax = 5;
const backoffMs = 250;
const retryAfterMsMax = 60_000;
/** A peer that sends nothing for this long is gone. */
const silenceMsMax = 60_000;
/** A name that was not found for want of an answer is not among them: the resolver has already asked more than once. */
const transient = new Set(["ECONNRESET", "EPIPE", "ETIMEDOUT", "ECONNABORTED", "ERR_SOCKET_CONNECTION_TIMEOUT"]);

/** HTTP/1.1 with keep-alive, redirects, and patience with servers that fail for a moment. */
export class HttpClient implements Disposable {
  readonly #userAgent: string;
  readonly #options: AgentOptions;
  readonly #http: HttpAgent;
  /** By whether they accept any certificate; made when asked for, since TLS takes its time to load. */
  readonly #https = new Map<boolean, HttpsAgent>();
  /** Connections made under one set of certificates are not used under another. */
  readonly #trusting = new WeakMap<SecureContext, HttpsAgent>();

  constructor(userAgent: string, { http, https, no }: HttpProxies = noProxies) {
    this.#userAgent = userAgent;
    const proxyEnv = { HTTP_PROXY: http, HTTPS_PROXY: https, NO_PROXY: [no, loopback].filter((hosts) => hosts !== "").join(",") };
    this.#options = { keepAlive: true, maxFreeSockets: 8, timeout: 30_000, ...(http === "" && https === "" ? {} : { proxyEnv }) };
    this.#http = new HttpAgent(this.#options);
  }

  /**
   * Any status but 429 and 5xx is an answer, those are asked again with growing pauses (or the server's Retry-After).
   * Rejects as `unavailable` with the sentence Go's client has for it.
   */
  async fetch(url: URL, request: HttpRequest): Promise<HttpResponse> {
    for (let attempt = request.once === true ? attemptsMax : 1; ; attempt++) {
      try {
        const response = await this.#follow(url, request);
        if (attempt === attemptsMax || !(response.status === 429 || response.status >= 500)) return response;
        response.body.resume();
        await delay(pauseMs(attempt, response.headers["retry-after"]), request.signal);
      } catch (error) {
        request.signal.throwIfAborted();
        if (attempt === attemptsMax || !transient.has(codeOf(error) ?? "")) throw unavailable(url, request.method ?? "GET", error);
        await delay(pauseMs(attempt), request.signal);
      }
    }
  }

  [Symbol.dispose](): void {
    for (const agent of [this.#http, ...this.#https.values()]) agent.destroy();
  }

  #secureAgent({ insecure, tls }: HttpRequest): HttpsAgent {
    const anyCertificate = insecure === true;
    let agent = tls === undefined ? this.#https.get(anyCertificate) : this.#trusting.get(tls);
    if (agent === undefined) {
      agent = new HttpsAgent({ ...this.#options, ...(anyCertificate ? { rejectUnauthorized: false } : {}) });
      if (tls === undefined) this.#https.set(anyCertificate, agent);
      else this.#trusting.set(tls, agent);
    }
    return agent;
  }

  async #follow(first: URL, request: HttpRequest): Promise<HttpResponse> {
    let url = first;
    let headers: Record<string, string> = { "user-agent": this.#userAgent, ...request.headers };
    for (let hop = 0; hop <= redirectsMax; hop++) {
      const response = await this.#send(url, { ...request, headers });
      const location = response.headers.location;
      const kept = [307, 308].includes(response.status);
      const reads = ["GET", "HEAD"].includes(request.method ?? "GET");
      // The older statuses would turn an upload into a GET.
      if (!(kept || (reads && [301, 302, 303].includes(response.status))) || location === undefined) return response;
      response.body.resume();
      const next = new URL(location, url);
      // The token is for the registry, not for the storage it points to.
      if (next.origin !== url.origin) headers = Object.fromEntries(Object.entries(headers).filter(([name]) => name !== "authorization"));
      if (next.origin !== url.origin && request.secret === true) {
        throw new EngineError("unavailable", `${url.origin} sends a login on to ${next.origin}; that is refused, because the login is for ${url.host} alone`);
      }
      if (next.protocol !== "https:" && url.protocol === "https:" && request.insecure !== true) {
        throw new EngineError("unavailable", `${url.origin} redirects from https to ${next.origin}; that is refused`);
      }
      url = next;
    }
    throw new EngineError("unavailable", `${first.origin}: stopped after ${redirectsMax} redirects`);
  }

  #send(url: URL, request: HttpRequest): Promise<HttpResponse> {
    return new Promise((resolve, reject) => {
      const secure = url.protocol === "https:";
      const agent = secure ? this.#secureAgent(request) : this.#http;
      const outgoing = (secure ? httpsRequest : httpRequest)(
        url,
        {
          method: request.method ?? "GET",
          headers: { ...request.headers },
          agent,
          signal: request.signal,
          ...(request.tls === undefined || !secure ? {} : { secureContext: request.tls }),
        },
        (body) => {
          // An answer that comes before the whole request was sent ends the sending with it.
          body.once("close", () => outgoing.writableFinished || outgoing.destroy());
          body.setTimeout(silenceMsMax, () => body.destroy(new EngineError("unavailable", `${url.origin} sent nothing for ${silenceMsMax / 1000} s`)));
          resolve({ status: body.statusCode ?? 0, headers: body.headers, body });
        },
      );
      outgoing.setTimeout(silenceMsMax, () => outgoing.destroy(Object.assign(new Error("i/o timeout"), { code: "ETIMEDOUT" })));
      outgoing.on("error", reject);
      // Always behind the parser, which copies what it takes from a chunk; a connection that is used again has a new one.
      outgoing.on("socket", (socket) => socket.off("data", free).on("data", free));
      if (typeof request.body !== "function") return void outgoing.end(request.body);
      // A registry that refuses may hang up on the rest: then its answer counts, not the broken pipe.
      sendAll(request.body(), outgoing).catch(reject);
    });
  }
}

/** Resolves when everything is sent, or the request has ended before and says so itself; rejects when the body fails, with the request. */
async function sendAll(body: AsyncIterable<Buffer>, outgoing: ClientRequest): Promise<void> {
  try {
    for await (const chunk of body) if (!(await isSent(chunk, outgoing))) return;
    outgoing.end();
  } catch (error) {
    outgoing.destroy(error instanceof Error ? error : undefined);
    throw error;
  }
}

/** Resolves when the chunk is with the kernel, to false when the request has ended before. */
const isSent = (chunk: Buffer, outgoing: ClientRequest): Promise<boolean> =>
  new Promise((resolve) => {
    const ended = (): void => resolve(false);
    outgoing.once("close", ended);
    outgoing.write(chunk, (error) => {
      outgoing.off("close", ended);
      resolve(!error);
    });
  });

/** A response's body, at most `bytesMax` of it. */
export async function readBody(response: HttpResponse, bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response.body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new EngineError("unavailable", `the registry's answer is longer than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** A JSON object that a server sent; rejects as unavailable what is none. `what`: what was asked for. */
export function parseAnswer(body: Buffer, what: string): Record<string, unknown> {
  try {
    const answer = JSON.parse(body.toString("utf8")) as unknown;
    if (typeof answer === "object" && answer !== null) return answer as Record<string, unknown>;
  } catch {
    // Said below: the parser's words tell nothing of the server.
  }
  throw new EngineError("unavailable", `the registry's answer to ${what} is no JSON object: ${JSON.stringify(body.toString("utf8").slice(0, 60))}`);
}

function pauseMs(attempt: number, retryAfter?: string): number {
  const seconds = Number(retryAfter);
  if (retryAfter !== undefined && Number.isFinite(seconds) && seconds >= 0) return Math.min(seconds * 1000, retryAfterMsMax);
  const date = retryAfter === undefined ? Number.NaN : Date.parse(retryAfter);
  if (Number.isFinite(date)) return Math.min(Math.max(0, date - Date.now()), retryAfterMsMax);
  return backoffMs * 2 ** (attempt - 1);
}

/** Docker's words: `Get "https://host/v2/": dial tcp 127.0.0.1:1: connect: connection refused`. */
function unavailable(url: URL, method: string, error: unknown): EngineError {
  if (error instanceof EngineError) return error;
  const verb = method.charAt(0) + method.slice(1).toLowerCase();
  return new EngineError("unavailable", `${verb} "${url.href}": ${reason(url, error)}`, { cause: error });
}

function reason(url: URL, error: unknown): string {
  const first = error instanceof AggregateError ? (error.errors[0] as unknown) : error;
  const { address, port } = typeof first === "object" && first !== null ? (first as { address?: string; port?: number }) : {};
  const peer = `dial tcp ${address ?? url.hostname}:${port ?? (url.port || (url.protocol === "https:" ? "443" : "80"))}`;
  switch (codeOf(first) ?? "") {
    case "ECONNREFUSED":
      return `${peer}: connect: connection refused`;
    case "ECONNRESET":
      return /hang up/.test(messageOf(first)) ? "EOF" : "read: connection reset by peer";
    case "EHOSTUNREACH":
      return `${peer}: connect: no route to host`;
    case "ENETUNREACH":
      return `${peer}: connect: network is unreachable`;
    case "ETIMEDOUT":
      return `${peer}: i/o timeout`;
    case "ENOTFOUND":
      return `dial tcp: lookup ${url.hostname}: no such host`;
    case "EAI_AGAIN":
      return `dial tcp: lookup ${url.hostname}: Temporary failure in name resolution`;
    default:
      return messageOf(first);
  }
}
