import { type IncomingMessage, type RequestOptions, request } from "node:http";
import { type NetConnectOpts, connect } from "node:net";
import type { Duplex } from "node:stream";

/** Where an engine is: a unix socket or Windows pipe, a TCP address, or whatever yields a fresh byte stream (a VM's link). */
export type Endpoint =
  | { readonly kind: "socket"; readonly path: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "dial"; readonly dial: () => Promise<Duplex> };

export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly signal?: AbortSignal;
}

/** Opens a connection for one request. Clients never share one: a stream that is cut must cut nothing else. */
export async function dial(endpoint: Endpoint): Promise<Duplex> {
  switch (endpoint.kind) {
    case "dial":
      return await endpoint.dial();
    case "socket":
      return await connected({ path: endpoint.path });
    case "tcp":
      return await connected({ host: endpoint.host, port: endpoint.port });
  }
}

function connected(where: NetConnectOpts): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...where, allowHalfOpen: true });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.removeListener("error", reject);
      resolve(socket);
    });
  });
}

/** Sends `body` and resolves with the response's head; the connection closes with the response. */
export async function send(endpoint: Endpoint, what: HttpRequest, body: SendableBody): Promise<IncomingMessage> {
  const connection = await dial(endpoint);
  return await new Promise((resolve, reject) => {
    const outgoing = request(optionsOf(what, connection));
    outgoing.once("response", resolve);
    outgoing.once("error", (error) => {
      connection.destroy();
      reject(error);
    });
    writeBody(outgoing, body, reject);
  });
}

/** Asks to take the connection over. Resolves with the raw stream after 101 (or 200), or with the refusal. */
export async function upgrade(endpoint: Endpoint, what: HttpRequest, body: string): Promise<{ response: IncomingMessage; stream: Duplex | undefined }> {
  const connection = await dial(endpoint);
  return await new Promise((resolve, reject) => {
    const outgoing = request(optionsOf(what, connection));
    outgoing.once("upgrade", (response, stream, head) => {
      if (head.length > 0) stream.unshift(head);
      resolve({ response, stream });
    });
    outgoing.once("response", (response) => resolve({ response, stream: undefined }));
    outgoing.once("error", (error) => {
      connection.destroy();
      reject(error);
    });
    outgoing.end(body);
  });
}

export type SendableBody = string | AsyncIterable<Uint8Array> | undefined;

function writeBody(outgoing: ReturnType<typeof request>, body: SendableBody, failed: (error: Error) => void): void {
  if (body === undefined || typeof body === "string") {
    outgoing.end(body);
    return;
  }
  void pump(outgoing, body).catch((error: unknown) => {
    outgoing.destroy();
    failed(error instanceof Error ? error : new Error(String(error)));
  });
}

async function pump(outgoing: ReturnType<typeof request>, body: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of body) {
    if (outgoing.destroyed) return;
    if (!outgoing.write(chunk)) {
      await new Promise<void>((resolve) => {
        const goOn = (): void => {
          outgoing.off("drain", goOn).off("close", goOn);
          resolve();
        };
        outgoing.on("drain", goOn).on("close", goOn);
      });
    }
  }
  outgoing.end();
}

const optionsOf = (what: HttpRequest, connection: Duplex): RequestOptions => ({
  method: what.method,
  path: what.path,
  headers: { Host: "engine", Connection: "close", ...what.headers },
  ...(what.signal === undefined ? {} : { signal: what.signal }),
  createConnection: () => connection,
});
