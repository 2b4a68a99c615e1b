import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { connect, isIPv6, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { codeOf, EngineError, messageOf } from "#base/errors.ts";
import { DatagramReader, frameDatagram } from "./datagrams.ts";
import { linkLimits } from "./limits.ts";
import { splice } from "./tunnel.ts";

/** A connected stream socket with half-close kept. Rejects with class `unavailable` and errno's name in `code`. */
export async function dialStream(to: { path: string } | { address: string; port: number }): Promise<Socket> {
  const where = "path" in to ? to.path : `${isIPv6(to.address) ? `[${to.address}]` : to.address}:${to.port}`;
  const socket =
    "path" in to ? connect({ path: to.path, allowHalfOpen: true }) : connect({ host: to.address, port: to.port, allowHalfOpen: true, noDelay: true });
  const timer = setTimeout(() => socket.destroy(Object.assign(new Error("timed out"), { code: "ETIMEDOUT" })), linkLimits.dialMs);
  try {
    await once(socket, "connect");
    return socket;
  } catch (error) {
    const failure = new EngineError("unavailable", `cannot connect to ${where}: ${codeOf(error) ?? messageOf(error)}`, { cause: error });
    throw Object.assign(failure, { code: codeOf(error) });
  } finally {
    clearTimeout(timer);
  }
}

/** Joins a tunnel with a socket; the tunnel's reader sees the socket's endings and the other way round. */
export const joinStream = (socket: Socket) => (tunnel: Duplex) => void splice(tunnel, socket);

/** A UDP socket with one peer; its datagrams go framed over the tunnel. */
export async function dialDatagrams(to: { address: string; port: number }): Promise<(tunnel: Duplex) => void> {
  const socket = createSocket(isIPv6(to.address) ? "udp6" : "udp4");
  socket.on("error", () => {}); // ECONNREFUSED of an earlier datagram: UDP promises nothing.
  socket.connect(to.port, to.address);
  await once(socket, "connect");
  return (tunnel) => joinDatagrams(tunnel, socket);
}

function joinDatagrams(tunnel: Duplex, socket: UdpSocket): void {
  const reader = new DatagramReader();
  tunnel.on("data", (chunk: Buffer) => {
    for (const datagram of reader.push(chunk)) socket.send(datagram);
  });
  socket.on("message", (datagram) => {
    if (tunnel.writable && tunnel.writableLength < linkLimits.datagramBacklogBytesMax) tunnel.write(frameDatagram(datagram));
  });
  tunnel.on("error", () => {});
  tunnel.on("end", () => tunnel.end());
  tunnel.on("close", () => socket.close());
}
