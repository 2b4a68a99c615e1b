import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { EngineError } from "#base/errors.ts";

/** Longest message a client may send: what is typed or piped comes in pieces far below. */
const messageBytesMax = 16 * 1024 * 1024;

/**
 * The server's side of the WebSocket handshake. The stream's bytes are binary messages, whatever kind the client sends; its end is the
 * closing handshake, as a WebSocket has no half-close. A bad handshake rejects with nothing written.
 */
export async function acceptWebSocket(request: IncomingMessage, socket: Duplex, early: Buffer): Promise<Duplex> {
  // Loaded by the first who asks: nearly nobody does.
  const { WebSocketServer, createWebSocketStream } = await import("ws");
  const server = new WebSocketServer({ noServer: true, clientTracking: false, perMessageDeflate: false, maxPayload: messageBytesMax });
  return await new Promise((resolve, reject) => {
    server.once("wsClientError", (error) => reject(new EngineError("invalidArgument", `bad WebSocket handshake: ${error.message}`)));
    server.handleUpgrade(request, socket, early, (client) => {
      const stream = createWebSocketStream(client);
      // Whoever writes hears of it by the stream's callback.
      stream.on("error", () => undefined);
      resolve(stream);
    });
  });
}
