import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { pipeline } from "node:stream/promises";
import type { PortPublisher } from "#core/networks/networks.ts";
import { bindError } from "./bind-error.ts";

type Request = Parameters<PortPublisher["publish"]>[0];
type Port = Awaited<ReturnType<PortPublisher["publish"]>>;

/** Listens and joins each client with a connection of its own to the target. Disposing closes both sides of all. */
export async function publishTcp({ hostIp, hostPort, target }: Request): Promise<Port> {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const inner = reach(target, client);
    for (const socket of [client, inner]) {
      open.add(socket);
      socket.once("close", () => open.delete(socket));
    }
    void join(client, inner);
  });
  try {
    server.listen({ host: hostIp, port: hostPort, ipv6Only: true, exclusive: true });
    await once(server, "listening");
  } catch (error) {
    throw await bindError(error, { proto: "tcp", hostIp, hostPort });
  }
  server.on("error", () => {});
  return {
    hostPort: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, "close");
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

/** Read from a container at a time, into the same memory each time: that takes half the processor time of a pipeline's chunks. */
const readBytesMax = 128 * 1024;

/** A connection to the target; what comes from there is written to the client. */
function reach({ address, port }: Request["target"], client: Socket): Socket {
  let held = false;
  // The memory is read into again only when the kernel has taken all that was in it.
  const taken = (): void => {
    if (!held || client.writableLength > 0) return;
    held = false;
    inner.resume();
  };
  const pass = (bytes: number, memory: Uint8Array): boolean => {
    client.write(memory.subarray(0, bytes), taken);
    held = client.writableLength > 0;
    return !held;
  };
  const onread = { buffer: Buffer.allocUnsafeSlow(readBytesMax), callback: pass };
  const inner = connect({ host: address, port, allowHalfOpen: true, noDelay: true, onread });
  inner.once("end", () => client.end());
  return inner;
}

/**
 * Passes bytes both ways. Each direction ends by itself: a FIN is passed on as a FIN and the other direction goes on. When
 * one side breaks (or never opened), the other is reset, as a port with nobody behind it would.
 */
async function join(client: Socket, inner: Socket): Promise<void> {
  // Before pipeline's own listeners: those would end the other side as if all were well.
  client.once("error", () => inner.resetAndDestroy());
  inner.once("error", () => client.resetAndDestroy());
  await Promise.allSettled([pipeline(client, inner)]);
}
