import type { Socket as UdpSocket } from "node:dgram";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { DatagramReader, frameDatagram } from "#link/datagrams.ts";
import { linkLimits } from "#link/limits.ts";
import { joinTo } from "#link/tunnel.ts";
import { type Binding, bindTcp, bindUdp } from "./bind.ts";

const flowsMax = 4_096;
const flowBacklogMax = 256;

/** A bound port. Disposing one of `listenTcp` or `listenUdp`, whose traffic goes through tunnels that `open` makes, closes what came through it, too. */
export type Listener = AsyncDisposable & { readonly port: number };

/** A machine's own way from a port of the host to one of the guest's address. */
export interface Forwards {
  /** Undefined where it cannot carry this one; rejects as `bindTcp` does when the port cannot be had. */
  add(binding: Binding, guestPort: number): Promise<Listener | undefined>;
}

/** Each connection has its own tunnel; one that cannot be had resets the connection. */
export async function listenTcp(binding: Binding, open: () => Promise<Duplex>): Promise<Listener> {
  const server = await bindTcp(binding);
  const live = new Set<Socket>();
  server.on("connection", (socket) => {
    live.add(socket);
    socket.once("close", () => live.delete(socket));
    void joinTo(socket, open);
  });
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of live) socket.destroy();
      await closed;
    },
  };
}

/** Each sender has its own tunnel, so that answers find their way back, until it is silent for a while. */
export async function listenUdp(binding: Binding, open: () => Promise<Duplex>): Promise<Listener> {
  const socket = await bindUdp(binding);
  const flows = new Map<string, Flow>();
  socket.on("error", () => {}); // An unreachable sender of earlier; UDP promises nothing.
  socket.on("message", (datagram, from) => {
    const key = `${from.address} ${from.port}`;
    let flow = flows.get(key);
    if (!flow) {
      if (flows.size >= flowsMax) return;
      flow = new Flow(socket, from, open, () => flows.delete(key));
      flows.set(key, flow);
    }
    flow.send(datagram);
  });
  return {
    port: socket.address().port,
    [Symbol.asyncDispose]: async () => {
      for (const flow of flows.values()) flow.close();
      await new Promise<void>((resolve) => socket.close(() => resolve()));
    },
  };
}

class Flow {
  readonly #onClose: () => void;
  #tunnel: Duplex | undefined;
  #early: Buffer[] = [];
  #idle: NodeJS.Timeout;
  #closed = false;

  constructor(socket: UdpSocket, from: { address: string; port: number }, open: () => Promise<Duplex>, onClose: () => void) {
    this.#onClose = onClose;
    this.#idle = setTimeout(() => this.close(), linkLimits.datagramIdleMs);
    void open().then(
      (tunnel) => this.#start(tunnel, (datagram) => socket.send(datagram, from.port, from.address)),
      () => this.close(),
    );
  }

  #start(tunnel: Duplex, reply: (datagram: Buffer) => void): void {
    if (this.#closed) return void tunnel.destroy();
    this.#tunnel = tunnel;
    const reader = new DatagramReader();
    tunnel.on("data", (chunk: Buffer) => {
      this.#idle.refresh();
      for (const datagram of reader.push(chunk)) reply(datagram);
    });
    tunnel.on("error", () => {});
    tunnel.on("close", () => this.close());
    for (const datagram of this.#early) tunnel.write(frameDatagram(datagram));
    this.#early = [];
  }

  send(datagram: Buffer): void {
    this.#idle.refresh();
    if (!this.#tunnel) {
      if (this.#early.length < flowBacklogMax) this.#early.push(datagram);
    } else if (this.#tunnel.writable && this.#tunnel.writableLength < linkLimits.datagramBacklogBytesMax) this.#tunnel.write(frameDatagram(datagram));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#idle);
    this.#tunnel?.destroy();
    this.#onClose();
  }
}
