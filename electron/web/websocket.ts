import type { WebSocket } from "ws";
import { bridgeLimits } from "#bridge/limits.ts";
import type { Transport } from "#bridge/transport.ts";
import { closeCodes, greeting } from "#bridge/websocket.ts";

/** How long a connection may take to say its key. */
const greetingMsMax = 5_000;
/** A window that does not take its events is dropped at this many bytes; streams have their own credits. */
const unsentBytesMax = 2 * bridgeLimits.frameBytesMax;

/** Waits for the key and answers it. Resolves to the transport, or to undefined after refusing. */
export function greet(socket: WebSocket, permits: (key: string) => boolean): Promise<Transport | undefined> {
  return new Promise((resolve) => {
    const refuse = (code: number, reason: string): void => {
      socket.close(code, reason);
      resolve(undefined);
    };
    const timer = setTimeout(() => refuse(closeCodes.unauthorized, "no key was given"), greetingMsMax);
    socket.on("error", () => undefined); // ws closes the socket by itself; what was broken is told by the close
    socket.once("close", () => {
      clearTimeout(timer);
      resolve(undefined);
    });
    socket.once("message", (data, isBinary) => {
      clearTimeout(timer);
      const key = isBinary || !(data instanceof Buffer) ? undefined : greeting.keyOf(data.toString("utf8"));
      if (key === undefined || !permits(key)) return refuse(closeCodes.unauthorized, "the key is not valid");
      const transport = webSocketTransport(socket);
      socket.send(greeting.ready);
      resolve(transport);
    });
  });
}

function webSocketTransport(socket: WebSocket): Transport {
  return {
    send(frame) {
      if (socket.readyState !== socket.OPEN) return;
      if (socket.bufferedAmount > unsentBytesMax) socket.terminate();
      else socket.send(frame);
    },
    onFrame: (listener) =>
      socket.on("message", (data, isBinary) => {
        if (isBinary && data instanceof Uint8Array) listener(data);
        else socket.close(closeCodes.protocol, "a message that is no frame");
      }),
    onClose: (listener) => void socket.once("close", (_code, reason) => listener(reason.toString() || undefined)),
    close: (reason) => socket.close(closeCodes.protocol, reason?.slice(0, 100)),
  };
}
