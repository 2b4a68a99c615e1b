import { EngineError } from "#base/errors.ts";
import type { Transport } from "./transport.ts";

/** How the two ends of the WebSocket greet: the window's first message is the key, the host core's is `ready`. */
export const greeting = { key: (key: string) => `key ${key}`, keyOf: (text: string) => /^key (\S+)$/.exec(text)?.[1], ready: "ready" } as const;

/** Codes the host core closes with. */
export const closeCodes = { unauthorized: 4401, protocol: 4400, goingAway: 1001 } as const;

/** The window's end of a WebSocket. Class `unauthorized` when the key is refused, `unavailable` when nobody answers. */
export function connectWebSocket({ url, key, signal }: { readonly url: string; readonly key: string; readonly signal: AbortSignal }): Promise<Transport> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    socket.binaryType = "arraybuffer";
    const stop = (): void => socket.close();
    signal.addEventListener("abort", stop, { once: true });
    socket.onopen = () => socket.send(greeting.key(key));
    socket.onclose = (event) => {
      signal.removeEventListener("abort", stop);
      reject(
        event.code === closeCodes.unauthorized
          ? new EngineError("unauthorized", "this window's key is no longer valid: open the address Slipway printed at its start")
          : new EngineError("unavailable", "Slipway's host core does not answer: is it still running?"),
      );
    };
    socket.onmessage = (event) => {
      if (event.data !== greeting.ready) return socket.close();
      signal.removeEventListener("abort", stop);
      resolve(webSocketTransport(socket));
    };
  });
}

function webSocketTransport(socket: WebSocket): Transport {
  const early: Uint8Array[] = [];
  let take: (frame: Uint8Array) => void = (frame) => void early.push(frame);
  socket.onmessage = (event) => {
    if (event.data instanceof ArrayBuffer) take(new Uint8Array(event.data));
  };
  return {
    send: (frame) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(frame);
    },
    onFrame(listener) {
      take = listener;
      for (const frame of early.splice(0)) listener(frame);
    },
    onClose(listener) {
      if (socket.readyState === WebSocket.CLOSED) queueMicrotask(() => listener());
      else socket.onclose = (event) => listener(event.reason || undefined);
    },
    close: (reason) => socket.close(1000, reason?.slice(0, 100)),
  };
}
