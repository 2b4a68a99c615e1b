import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import type { Duplex } from "node:stream";

/** Read at a time, where only the number of bytes counts. */
const countBytesMax = 1024 * 1024;

/** One engine under measurement: `SOCKET[@NETNS]`. A lean client of its own, so that every engine gets the same bytes. */
export class Target {
  readonly label: string;
  readonly socket: string;
  readonly netns: string | undefined;

  constructor(spec: string) {
    const [socket = "", netns] = spec.split("@");
    this.socket = socket;
    this.netns = netns;
    this.label = netns ?? socket;
  }

  #send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): ClientRequest {
    const text = body === undefined ? undefined : Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
    const type = Buffer.isBuffer(body) ? "application/x-tar" : "application/json";
    const sent = request({
      socketPath: this.socket,
      method,
      path,
      headers: { ...headers, ...(text === undefined ? {} : { "Content-Type": type, "Content-Length": String(text.length) }) },
    });
    sent.end(text);
    return sent;
  }

  response(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const sent = this.#send(method, path, body, headers);
      sent.on("response", resolve);
      sent.on("error", reject);
    });
  }

  /** Sends, reads the whole answer; rejects for a status of 400 and above. */
  async call<T = unknown>(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<T> {
    const answer = await this.response(method, path, body, headers);
    const text = await textOf(answer);
    if ((answer.statusCode ?? 500) >= 400) throw new Error(`${this.label}: ${method} ${path}: ${answer.statusCode} ${text}`);
    return (answer.headers["content-type"]?.startsWith("application/json") === true && text !== "" && !text.includes("}\r\n{") ? JSON.parse(text) : text) as T;
  }

  /** Hijacks the connection (attach, exec start). */
  hijack(path: string, body?: unknown): Promise<Duplex> {
    return new Promise((resolve, reject) => {
      const sent = this.#send("POST", path, body, { Connection: "Upgrade", Upgrade: "tcp" });
      sent.on("upgrade", (_answer, socket: Duplex, head: Buffer) => {
        if (head.length > 0) socket.unshift(head);
        resolve(socket);
      });
      sent.on("response", (answer) => reject(new Error(`${this.label}: ${path}: ${answer.statusCode}`)));
      sent.on("error", reject);
    });
  }

  /**
   * Asks by hand and only counts what comes, head and framing included, each read in the same memory: an ordinary HTTP client of Node's
   * takes three times the processor time, of which the engines then have less.
   */
  count(method: string, path: string, ...headers: string[]): { readonly begun: Promise<void>; readonly bytes: Promise<number> } {
    const begun = Promise.withResolvers<void>();
    const over = Promise.withResolvers<number>();
    let bytes = 0;
    const callback = (more: number): boolean => {
      bytes += more;
      begun.resolve();
      return true;
    };
    const socket = connect({ path: this.socket, onread: { buffer: Buffer.alloc(countBytesMax), callback } });
    socket.on("error", over.reject);
    socket.on("close", () => {
      begun.resolve();
      over.resolve(bytes);
    });
    socket.write([`${method} ${path} HTTP/1.1`, "Host: bench", ...headers, "\r\n"].join("\r\n"));
    return { begun: begun.promise, bytes: over.promise };
  }
}

/** By events: an iterator over the stream would cost more than a short answer does. */
function textOf(answer: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    answer.on("data", (chunk: Buffer) => chunks.push(chunk));
    answer.on("end", () => resolve(Buffer.concat(chunks).toString()));
    answer.on("error", reject);
  });
}
