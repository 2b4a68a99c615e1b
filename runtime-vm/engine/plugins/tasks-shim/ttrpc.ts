import { EngineError, messageOf, type ErrorClass } from "#base/errors.ts";
import { listenOnPath } from "#core/system/listen.ts";
import { connect, createServer, type Server, type Socket } from "node:net";
import { ProtoReader, ProtoWriter } from "./protobuf.ts";

/**
 * ttrpc, containerd's small RPC over a stream socket (github.com/containerd/ttrpc, PROTOCOL.md): frames of length u32be, stream u32be,
 * type u8, flags u8, then a protobuf. Request {1 service, 2 method, 3 payload, 4 timeout}, Response {1 status {1 code, 2 message}, 2 payload}.
 * Only unary calls exist here; calls of one connection may overlap and answer in any order.
 */
const headBytes = 10;
const frameBytesMax = 4 * 1024 * 1024;
const REQUEST = 1;
const RESPONSE = 2;

/** An error answered by the other side, with its gRPC code. */
export class TtrpcError extends EngineError {
  readonly code: number;
  constructor(code: number, message: string) {
    super(classes[code] ?? "internal", message);
    this.name = "TtrpcError";
    this.code = code;
  }
}

const classes: Readonly<Record<number, ErrorClass>> = {
  1: "cancelled",
  3: "invalidArgument",
  4: "unavailable",
  5: "notFound",
  6: "conflict",
  9: "conflict",
  12: "notImplemented",
  14: "unavailable",
};

export class TtrpcClient implements Disposable {
  readonly #socket: Socket;
  readonly #pending = new Map<number, { resolve: (payload: Buffer) => void; reject: (error: Error) => void }>();
  #next = 1;
  #closed: Error | undefined;
  /** Settles when the connection is gone, for whatever reason. */
  readonly closed: Promise<void>;

  private constructor(socket: Socket, path: string) {
    this.#socket = socket;
    const frames = new FrameReader((stream, type, body) => this.#answer(stream, type, body));
    socket.on("data", (chunk) => frames.push(chunk, socket));
    let cause = "it closed the connection";
    socket.on("error", (error) => (cause = messageOf(error)));
    this.closed = new Promise((resolve) => {
      socket.once("close", () => {
        this.#fail(new EngineError("unavailable", `shim at ${path} is gone: ${cause}`));
        resolve();
      });
    });
  }

  /** Rejects with the socket's error (ENOENT, ECONNREFUSED) when nobody listens. */
  static async open(path: string): Promise<TtrpcClient> {
    const socket = connect(path);
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    socket.removeAllListeners("error");
    return new TtrpcClient(socket, path);
  }

  /** One call. Aborting `signal` stops waiting; the other side is not told (ttrpc has no cancel for unary calls). */
  async call(service: string, method: string, payload: Buffer, signal?: AbortSignal): Promise<Buffer> {
    signal?.throwIfAborted();
    if (this.#closed) throw this.#closed;
    const stream = this.#next;
    this.#next += 2;
    const answer = new Promise<Buffer>((resolve, reject) => this.#pending.set(stream, { resolve, reject }));
    const request = new ProtoWriter().string(1, service).string(2, method).bytes(3, payload).finish();
    this.#socket.write(frame(stream, REQUEST, request));
    if (!signal) return await answer;
    const cancelled = (): void => this.#settle(stream)?.reject(signal.reason as Error);
    signal.addEventListener("abort", cancelled, { once: true });
    try {
      return await answer;
    } finally {
      signal.removeEventListener("abort", cancelled);
    }
  }

  /** Whether this connection keeps the process alive. */
  unref(): void {
    this.#socket.unref();
  }

  [Symbol.dispose](): void {
    this.#fail(new EngineError("cancelled", "the connection to the shim was closed by the engine"));
    this.#socket.destroy();
  }

  #answer(stream: number, type: number, body: Buffer): void {
    const call = type === RESPONSE ? this.#settle(stream) : undefined;
    if (!call) return;
    const response = new ProtoReader(body);
    const status = new ProtoReader(response.bytes(1));
    if (status.uint(1) === 0) call.resolve(response.bytes(2));
    else call.reject(new TtrpcError(status.uint(1), status.string(2)));
  }

  #settle(stream: number): { resolve: (payload: Buffer) => void; reject: (error: Error) => void } | undefined {
    const call = this.#pending.get(stream);
    this.#pending.delete(stream);
    return call;
  }

  #fail(error: Error): void {
    this.#closed ??= error;
    for (const stream of [...this.#pending.keys()]) this.#settle(stream)?.reject(error);
  }
}

/** Serves unary calls on a socket path; `handle` answers with the reply's payload, or throws. */
export async function serveTtrpc(path: string, handle: (service: string, method: string, payload: Buffer) => Buffer): Promise<AsyncDisposable> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => sockets.delete(socket));
    const frames = new FrameReader((stream, type, body) => {
      if (type === REQUEST) socket.write(frame(stream, RESPONSE, respond(body, handle)));
    });
    socket.on("data", (chunk) => frames.push(chunk, socket));
  });
  await listen(server, path);
  return {
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

async function listen(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.once("listening", resolve);
    listenOnPath(server, path);
  });
  server.removeAllListeners("error");
  server.on("error", () => undefined);
}

function respond(body: Buffer, handle: (service: string, method: string, payload: Buffer) => Buffer): Buffer {
  try {
    const request = new ProtoReader(body);
    return new ProtoWriter().bytes(2, handle(request.string(1), request.string(2), request.bytes(3))).finish();
  } catch (error) {
    const code = error instanceof TtrpcError ? error.code : 13;
    return new ProtoWriter().bytes(1, new ProtoWriter().uint(1, code).string(2, messageOf(error)).finish()).finish();
  }
}

export function frame(stream: number, type: number, body: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(headBytes + body.length);
  bytes.writeUInt32BE(body.length, 0);
  bytes.writeUInt32BE(stream, 4);
  bytes.writeUInt8(type, 8);
  bytes.writeUInt8(0, 9);
  body.copy(bytes, headBytes);
  return bytes;
}

/** Cuts a byte stream into frames. A frame past the protocol's limit, or a body that does not decode, ends the connection. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);
  readonly #onFrame: (stream: number, type: number, body: Buffer) => void;

  constructor(onFrame: (stream: number, type: number, body: Buffer) => void) {
    this.#onFrame = onFrame;
  }

  push(chunk: Buffer, socket: { destroy(error?: Error): unknown }): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    try {
      this.#drain();
    } catch (error) {
      this.#rest = Buffer.alloc(0);
      socket.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #drain(): void {
    while (this.#rest.length >= headBytes) {
      const length = this.#rest.readUInt32BE(0);
      if (length > frameBytesMax) throw new RangeError(`ttrpc: a frame of ${length} bytes, the limit is ${frameBytesMax}`);
      if (this.#rest.length < headBytes + length) return;
      const head = this.#rest;
      this.#rest = head.subarray(headBytes + length);
      this.#onFrame(head.readUInt32BE(4), head.readUInt8(8), head.subarray(headBytes, headBytes + length));
    }
  }
}
