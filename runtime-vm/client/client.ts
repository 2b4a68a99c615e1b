import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { EngineError, type ErrorClass, codeOf, isClass, messageOf } from "#base/errors.ts";
import { apiVersion } from "#api/versions.ts";
import { type Endpoint, type SendableBody, send, upgrade } from "./transport.ts";

export type { Endpoint } from "./transport.ts";

export interface CallOptions {
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is, chunk by chunk: archives, image tars. */
  readonly body?: AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal;
}

/** An answer whose body is read as it comes. Whoever asked must read it to the end or destroy it. */
export interface StreamAnswer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: IncomingMessage;
}

/** A connection taken over by attach or exec. */
export interface Hijacked {
  readonly stream: Duplex;
  /** Whether the output is framed (`stdcopy`), by the answer's Content-Type. */
  readonly multiplexed: boolean;
}

const textBytesMax = 64 * 1024 * 1024;

/** Which class a status means, the inverse of the engine's table. */
const classOf: Readonly<Record<number, ErrorClass>> = {
  304: "notModified",
  400: "invalidArgument",
  401: "unauthorized",
  403: "forbidden",
  404: "notFound",
  409: "conflict",
  501: "notImplemented",
  503: "unavailable",
  507: "exhausted",
};

/**
 * A client of the Docker Engine API. Errors of the engine reject with the class of their status and the engine's own sentence;
 * an engine that cannot be reached rejects with class `unavailable`.
 */
export class EngineClient {
  readonly #endpoint: Endpoint;
  readonly #prefix: string;

  constructor(endpoint: Endpoint, opts: { version?: string } = {}) {
    this.#endpoint = endpoint;
    this.#prefix = `/v${opts.version ?? apiVersion}`;
  }

  /** The decoded JSON answer; undefined for an answer without a body. The caller names the type the API documents. */
  async json<T>(method: string, path: string, options: CallOptions = {}): Promise<T> {
    const answer = await this.stream(method, path, options);
    const text = await readText(answer.body);
    return (text === "" ? undefined : JSON.parse(text)) as T;
  }

  /** As `json` for answers nobody reads. */
  async call(method: string, path: string, options: CallOptions = {}): Promise<void> {
    await this.json(method, path, options);
  }

  /** Resolves with head and unread body once the engine has answered with success. */
  async stream(method: string, path: string, options: CallOptions = {}): Promise<StreamAnswer> {
    const response = await this.#reach(() => send(this.#endpoint, this.#request(method, path, options, {}), bodyOf(options)));
    const status = response.statusCode ?? 0;
    if (status >= 300) throw await refusal(response);
    return { status, headers: response.headers, body: response };
  }

  /** Documents of an answer that sends one a line: events, pull progress, stats. */
  async *lines<T>(method: string, path: string, options: CallOptions = {}): AsyncGenerator<T> {
    const { body } = await this.stream(method, path, options);
    let rest = "";
    const decoder = new TextDecoder();
    try {
      for await (const chunk of body as AsyncIterable<Buffer>) {
        const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
        rest = parts.pop() ?? "";
        for (const line of parts) if (line.trim() !== "") yield JSON.parse(line) as T;
      }
      if (rest.trim() !== "") yield JSON.parse(rest) as T;
    } catch (error) {
      if (options.signal?.aborted === true) return;
      throw error;
    } finally {
      body.destroy();
    }
  }

  /** Takes a connection over. Half-closing the stream ends the process's input only. */
  async hijack(path: string, options: Pick<CallOptions, "query" | "json" | "headers" | "signal"> = {}): Promise<Hijacked> {
    const asking = { Connection: "Upgrade", Upgrade: "tcp" };
    const body = options.json === undefined ? "" : JSON.stringify(options.json);
    const { response, stream } = await this.#reach(() => upgrade(this.#endpoint, this.#request("POST", path, options, asking), body));
    if (stream === undefined) {
      if ((response.statusCode ?? 0) >= 300) throw await refusal(response);
      throw new EngineError("internal", `POST ${path}: the engine answered ${response.statusCode} instead of handing the connection over`);
    }
    return { stream, multiplexed: response.headers["content-type"] === "application/vnd.docker.multiplexed-stream" };
  }

  #request(method: string, path: string, options: CallOptions, more: Readonly<Record<string, string>>) {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(options.query ?? {})) if (value !== undefined) query.set(name, String(value));
    const json: Record<string, string | number> =
      options.json === undefined ? {} : { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(JSON.stringify(options.json)) };
    return {
      method,
      path: `${this.#prefix}${path}${query.size === 0 ? "" : `?${query.toString()}`}`,
      headers: { ...json, ...(options.body === undefined ? {} : { "Transfer-Encoding": "chunked" }), ...options.headers, ...more },
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    };
  }

  async #reach<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (isClass(error, "unavailable")) throw error;
      const code = codeOf(error);
      if (code === "ABORT_ERR") throw new EngineError("cancelled", "cancelled", { cause: error });
      throw new EngineError("unavailable", `the engine at ${describe(this.#endpoint)} cannot be reached: ${messageOf(error)}`, { cause: error });
    }
  }
}

const bodyOf = (options: CallOptions): SendableBody => (options.json === undefined ? options.body : JSON.stringify(options.json));

function describe(endpoint: Endpoint): string {
  switch (endpoint.kind) {
    case "socket":
      return endpoint.path;
    case "tcp":
      return `${endpoint.host}:${endpoint.port}`;
    case "dial":
      return "the end of its link";
  }
}

async function refusal(response: IncomingMessage): Promise<EngineError> {
  const status = response.statusCode ?? 0;
  const text = await readText(response);
  return new EngineError(classOf[status] ?? "internal", sentence(text) || `the engine answered ${status}`);
}

function sentence(text: string): string {
  try {
    const parsed = JSON.parse(text) as { message?: unknown };
    return typeof parsed.message === "string" ? parsed.message : text.trim();
  } catch {
    return text.trim();
  }
}

async function readText(body: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > textBytesMax) throw new EngineError("exhausted", `the engine's answer is larger than ${textBytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
