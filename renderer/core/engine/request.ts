import type { Bridge, BridgeStream, EngineRequest, StreamOpen } from "#bridge/bridge.ts";
import { EngineError, type ErrorClass, messageOf } from "#base/errors.ts";

/** An answer of the engine with an error status: the class for branching, the engine's own words for Details. */
export class EngineFailure extends EngineError {
  readonly status: number;
  /** `POST /containers/web/start` */
  readonly call: string;
  constructor(status: number, call: string, words: string) {
    super(classOf(status), words);
    this.name = "EngineFailure";
    this.status = status;
    this.call = call;
  }
}

function classOf(status: number): ErrorClass {
  switch (status) {
    case 304:
      return "notModified";
    case 400:
      return "invalidArgument";
    case 401:
      return "unauthorized";
    case 403:
      return "forbidden";
    case 404:
      return "notFound";
    case 409:
      return "conflict";
    case 501:
      return "notImplemented";
    case 503:
      return "unavailable";
    case 507:
      return "exhausted";
    default:
      return "internal";
  }
}

const wordsOf = (body: unknown): string => {
  if (typeof body === "object" && body !== null && "message" in body && typeof body.message === "string") return body.message;
  return typeof body === "string" && body.trim() !== "" ? body.trim() : "the engine gave no reason";
};

export type Query = Readonly<Record<string, string | number | boolean | undefined | readonly string[]>>;

/** `/containers/json?all=1`: values that are undefined or false are left out, true is `1`, several values are as many parameters. */
export function pathOf(path: string, query: Query = {}): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value === undefined || value === false) continue;
    if (typeof value === "object") for (const one of value) params.append(key, one);
    else params.set(key, value === true ? "1" : String(value));
  }
  const text = params.toString();
  return text === "" ? path : `${path}?${text}`;
}

/** One request to the engine. 304 is success: Docker says so when a container already is as asked. */
export async function request<T = void>(bridge: Bridge, method: EngineRequest["method"], path: string, body?: unknown): Promise<T> {
  const answer = await bridge.call("engine.request", body === undefined ? { method, path } : { method, path, body });
  if (answer.status >= 400) throw new EngineFailure(answer.status, `${method} ${path}`, wordsOf(answer.body));
  // The engine's contract is typed in #api; this is the one place where its JSON becomes those types.
  return answer.body as T;
}

const textDecoder = new TextDecoder();

async function readAll(stream: BridgeStream): Promise<string> {
  let text = "";
  for await (const bytes of stream.bytes) text += textDecoder.decode(bytes, { stream: true });
  return text;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Opens a stream and waits for its head; an error status is read to its end and thrown as EngineFailure. */
export async function openStream(bridge: Bridge, open: StreamOpen, signal?: AbortSignal): Promise<BridgeStream> {
  signal?.throwIfAborted();
  const stream = bridge.stream(open);
  signal?.addEventListener("abort", () => stream.close(), { once: true });
  const call = `${open.request.method} ${open.request.path}`;
  try {
    await failed(stream, call);
    return stream;
  } catch (error) {
    stream.close();
    signal?.throwIfAborted();
    throw error instanceof EngineError ? error : new EngineError("unavailable", messageOf(error), { cause: error });
  }
}

async function failed(stream: BridgeStream, call: string): Promise<void> {
  const head = await stream.head;
  if (head.status >= 400) throw new EngineFailure(head.status, call, wordsOf(parsed(await readAll(stream))));
}
