import { type ClientRequest, type IncomingMessage, request } from "node:http";
import type { Duplex } from "node:stream";

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
  async call<T = unknown>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await this.response(method, path, body);
    const chunks: Buffer[] = [];
    for await (const chunk of answer) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
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
}
