import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import { lookup } from "node:dns/promises";
import { delay } from "#base/deadline.ts";
import { codeOf, EngineError } from "#base/errors.ts";
import type { DatagramSocket, Sockets } from "#core/kernel/kernel.ts";
import { dialError } from "./dial.ts";
import type { Transport } from "./outbox.ts";

/** One UDP datagram a message. Nobody knows whether it arrives. */
export class UdpTransport implements Transport {
  readonly #host: string;
  readonly #port: number;
  #socket: Socket | undefined;
  #address = "";

  constructor(host: string, port: number) {
    this.#host = host;
    this.#port = port;
  }

  async connect(): Promise<void> {
    if (this.#socket) return;
    if (this.#port > 65_535) throw new EngineError("internal", `dial udp: address ${this.#port}: invalid port`);
    try {
      this.#address = (await lookup(this.#host)).address;
    } catch (error) {
      throw dialError(`udp: lookup ${this.#host}`, error);
    }
    this.#socket = createSocket(isIPv6(this.#address) ? "udp6" : "udp4");
    this.#socket.on("error", () => undefined);
    this.#socket.unref();
  }

  async deliver(messages: readonly Buffer[]): Promise<void> {
    for (const message of messages) {
      // Nobody listens, or a message is larger than a datagram: lost, as with dockerd.
      await new Promise<void>((resolve) => this.#socket?.send(message, this.#port, this.#address, () => resolve()));
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#socket?.close();
    this.#socket = undefined;
    return Promise.resolve();
  }
}

/** A queue holds ten messages as a rule: what is waited decides how many go through. */
const fullQueueMs = 1;

/** One datagram a message to a unix socket; waits while the receiver's queue is full. */
export class UnixDatagramTransport implements Transport {
  readonly #kernel: Pick<Sockets, "connectDatagram">;
  readonly #path: string;
  readonly #shown: string;
  #socket: DatagramSocket | undefined;

  constructor(kernel: Pick<Sockets, "connectDatagram">, path: string, shown: string) {
    this.#kernel = kernel;
    this.#path = path;
    this.#shown = shown;
  }

  connect(): Promise<void> {
    try {
      this.#socket ??= this.#kernel.connectDatagram(this.#path);
      return Promise.resolve();
    } catch (error) {
      return Promise.reject(dialError(`unixgram ${this.#shown}`, error));
    }
  }

  async deliver(messages: readonly Buffer[], signal: AbortSignal): Promise<void> {
    for (const message of messages) await this.#one(message, signal);
  }

  async #one(message: Buffer, signal: AbortSignal): Promise<void> {
    for (;;) {
      try {
        return this.#socket?.send(message);
      } catch (error) {
        const code = codeOf(error);
        // Larger than the receiver's socket takes: it will never fit.
        if (code === "EMSGSIZE") return;
        if (code !== "EAGAIN" && code !== "ENOBUFS") {
          await this[Symbol.asyncDispose]();
          throw error;
        }
        await delay(fullQueueMs, signal);
      }
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#socket?.[Symbol.dispose]();
    this.#socket = undefined;
    return Promise.resolve();
  }
}
