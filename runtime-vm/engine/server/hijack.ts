import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { EngineError } from "#base/errors.ts";
import type { HijackHead } from "./router.ts";
import { acceptWebSocket } from "./websocket.ts";

/**
 * Taking a connection over, as attach and exec do: after the head the bytes are no HTTP any more. Clients that ask to
 * upgrade get 101 and may have sent their first bytes already; older ones get 200 on a connection that simply becomes raw.
 */
export interface Hijackable {
  take(head: HijackHead): Duplex;
  /** Becomes a WebSocket instead; rejects, and can still be answered, when the client did not ask for one. */
  webSocket(): Promise<Duplex>;
}

/** A connection Node handed over at an `Upgrade` header: its parser is gone, `early` is what came after the request. */
export function upgradedConnection(socket: Duplex, request: IncomingMessage, early: Buffer): Hijackable {
  return {
    take({ contentType }) {
      const protocol = request.headers.upgrade ?? "tcp";
      socket.write(`HTTP/1.1 101 UPGRADED\r\nContent-Type: ${contentType}\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`);
      if (early.length > 0) socket.unshift(early);
      return socket;
    },
    webSocket: () => acceptWebSocket(request, socket, early),
  };
}

/** A plain request's connection. Its body has been read, so what follows on the wire is not HTTP. */
export function plainConnection(request: IncomingMessage, response: ServerResponse): Hijackable {
  return {
    webSocket: () => Promise.reject(new EngineError("invalidArgument", "not websocket protocol")),
    take() {
      const socket: Socket = request.socket;
      response.detachSocket(socket);
      // Node's server reads the socket into its HTTP parser by these listeners, or past JavaScript altogether until
      // somebody else asks for data: the listener added and removed below is that asking.
      for (const event of ["data", "end", "error", "timeout", "drain", "close"]) socket.removeAllListeners(event);
      const nothing = (): void => {};
      socket.on("data", nothing);
      socket.pause();
      socket.removeListener("data", nothing);
      socket.write(`HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n`);
      return socket;
    },
  };
}
