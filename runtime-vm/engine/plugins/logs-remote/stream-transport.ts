import type { Socket } from "node:net";
import { EngineError } from "#base/errors.ts";
import { dial, type Destination } from "./dial.ts";
import type { Transport } from "./outbox.ts";

/** Messages over one connection, made anew when it broke. */
export class StreamTransport implements Transport {
  readonly #to: Destination;
  readonly #confirmed: ((socket: Socket, messages: readonly Buffer[]) => Promise<void>) | undefined;
  #socket: Socket | undefined;

  /** `confirmed` resolves when the receiver has acknowledged what was written. */
  constructor(to: Destination, confirmed?: (socket: Socket, messages: readonly Buffer[]) => Promise<void>) {
    this.#to = to;
    this.#confirmed = confirmed;
  }

  async connect(): Promise<void> {
    if (this.#socket && !this.#socket.destroyed && this.#socket.writable) return;
    this.#socket?.destroy();
    this.#socket = await dial(this.#to);
    // What a receiver says is nothing to us, unless it confirms; its end must be noticed.
    if (!this.#confirmed) this.#socket.resume();
  }

  async deliver(messages: readonly Buffer[], signal: AbortSignal): Promise<void> {
    const socket = this.#socket;
    if (!socket) throw new EngineError("internal", "not connected");
    const stop = (): void => void socket.destroy();
    signal.addEventListener("abort", stop, { once: true });
    try {
      const confirmed = this.#confirmed?.(socket, messages);
      await Promise.all([written(socket, Buffer.concat(messages)), confirmed]);
    } catch (error) {
      socket.destroy();
      throw error;
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#socket?.end();
    this.#socket?.unref();
    this.#socket = undefined;
    return Promise.resolve();
  }
}

const written = (socket: Socket, bytes: Buffer): Promise<void> =>
  new Promise((resolve, reject) => {
    const closed = (): void => reject(new EngineError("internal", "write: broken pipe"));
    socket.once("close", closed);
    socket.write(bytes, (error) => {
      socket.off("close", closed);
      if (error) reject(error);
      else resolve();
    });
  });
