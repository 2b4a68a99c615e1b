import type { Transport } from "./transport.ts";

/** What a DOM MessagePort, Node's and Electron's MessagePortMain have in common once their listeners are adapted. */
export interface FramePort {
  postMessage(message: unknown): void;
  close(): void;
  /** Called for each message's data. */
  onMessage(listener: (data: unknown) => void): void;
  onClose(listener: () => void): void;
}

/** Either end of a message port. Anything but bytes closes it. */
export function portTransport(port: FramePort): Transport {
  let closed = false;
  let tell: ((reason?: string) => void) | undefined;
  const close = (reason?: string): void => {
    if (closed) return;
    closed = true;
    port.close();
    queueMicrotask(() => tell?.(reason));
  };
  return {
    send: (frame) => {
      if (!closed) port.postMessage(frame);
    },
    onFrame: (listener) => port.onMessage((data) => (data instanceof Uint8Array ? listener(data) : close("a message that is no frame"))),
    onClose(listener) {
      tell = listener;
      port.onClose(() => close());
    },
    close,
  };
}

/** A DOM MessagePort (Node's worker port has the same face). */
export function domPort(port: MessagePort): FramePort {
  return {
    postMessage: (message) => port.postMessage(message),
    close: () => port.close(),
    onMessage(listener) {
      port.addEventListener("message", (event: MessageEvent) => listener(event.data));
      port.start();
    },
    onClose: (listener) => port.addEventListener("close", listener),
  };
}
