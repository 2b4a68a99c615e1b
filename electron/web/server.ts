import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import { EngineError, codeOf, messageOf } from "#base/errors.ts";
import { bridgeLimits } from "#bridge/limits.ts";
import { contentSecurityPolicy } from "#bridge/policy.ts";
import { type BridgeHost, serveBridge } from "#bridge/serve.ts";
import { closeCodes } from "#bridge/websocket.ts";
import { Access, foreign } from "./access.ts";
import { type Files, sendFile } from "./static.ts";
import { greet } from "./websocket.ts";

const sessionBytesMax = 1024;

/** The loopback server of browser mode: the window's files, the exchange of a token for a key, and the bridge. */
export interface WebServer extends AsyncDisposable {
  readonly port: number;
  /** An address that opens the app once. */
  url(): string;
  /** Called when an address has been used up: `url()` gives another from then on. */
  onUsed(listener: () => void): void;
}

export async function serveWeb(opts: { readonly port: number; readonly files: Files; readonly bridge: BridgeHost }): Promise<WebServer> {
  const access = new Access();
  const sockets = new WebSocketServer({ noServer: true, maxPayload: bridgeLimits.frameBytesMax, perMessageDeflate: false });
  let used: () => void = () => undefined;
  const exchange = (token: string): string | undefined => {
    const key = access.exchange(token);
    if (key !== undefined) used();
    return key;
  };
  const server = createServer((request, response) => {
    answer(request, response, { port, files: opts.files, exchange }).catch(() => response.destroy());
  });
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", () => undefined);
    const reason = request.url === "/bridge" ? foreign(request, port, { mustNameOrigin: true }) : "there is only /bridge to upgrade";
    if (reason !== undefined) return void socket.end(`HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n${reason}\n`);
    sockets.handleUpgrade(request, socket, head, async (client) => {
      const transport = await greet(client, (key) => access.permits(key));
      if (transport !== undefined) serveBridge(transport, opts.bridge);
    });
  });
  await listen(server, opts.port);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: () => `http://127.0.0.1:${port}/#token=${access.token}`,
    onUsed: (listener) => void (used = listener),
    async [Symbol.asyncDispose]() {
      for (const client of sockets.clients) client.close(closeCodes.goingAway, "Slipway was quit");
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      for (const client of sockets.clients) client.terminate();
      await closed;
    },
  };
}

interface Site {
  readonly port: number;
  readonly files: Files;
  readonly exchange: (token: string) => string | undefined;
}

async function answer(request: IncomingMessage, response: ServerResponse, { port, files, exchange }: Site): Promise<void> {
  response.setHeader("content-security-policy", contentSecurityPolicy);
  response.setHeader("x-content-type-options", "nosniff");
  response.setHeader("referrer-policy", "no-referrer");
  response.setHeader("cross-origin-opener-policy", "same-origin");
  response.setHeader("cross-origin-resource-policy", "same-origin");
  const reading = request.method === "GET" || request.method === "HEAD";
  const reason = foreign(request, port, { mustNameOrigin: !reading });
  if (reason !== undefined) return say(response, 403, reason);
  const address = new URL(request.url ?? "/", "http://127.0.0.1").pathname;
  if (reading) {
    if (!sendFile(files, address, request, response)) say(response, 404, "there is no such page");
  } else if (request.method === "POST" && address === "/session") {
    await openSession(request, response, exchange);
  } else say(response, 405, "this server knows GET, and POST /session");
}

async function openSession(request: IncomingMessage, response: ServerResponse, exchange: (token: string) => string | undefined): Promise<void> {
  // A form of another page cannot send this type without asking first, and asking is refused.
  if (request.headers["content-type"] !== "application/json") return say(response, 415, "a token comes as JSON");
  let text = "";
  for await (const chunk of request) {
    text += String(chunk);
    if (text.length > sessionBytesMax) return say(response, 413, "a token is shorter than that");
  }
  const key = exchange(tokenIn(text));
  if (key === undefined) return say(response, 403, "this address was used already or is of an earlier run: open the newest one Slipway printed");
  response.setHeader("content-type", "application/json");
  response.setHeader("cache-control", "no-store");
  response.end(JSON.stringify({ key }));
}

function tokenIn(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && "token" in value && typeof value.token === "string") return value.token;
  } catch {
    // no JSON, no token
  }
  return "";
}

function say(response: ServerResponse, status: number, text: string): void {
  response.statusCode = status;
  response.setHeader("content-type", "text/plain; charset=utf-8");
  response.end(`${text}\n`);
}

function listen(server: ReturnType<typeof createServer>, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) =>
      reject(
        codeOf(error) === "EADDRINUSE"
          ? new EngineError("conflict", `port ${port} of 127.0.0.1 is taken: choose another with --port, or 0 for any`, { cause: error })
          : new EngineError("internal", `cannot listen on 127.0.0.1:${port}: ${messageOf(error)}`, { cause: error }),
      ),
    );
    server.listen(port, "127.0.0.1", resolve);
  });
}
