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
    const inner = connect({ host: target.address, port: target.port, allowHalfOpen: true, noDelay: true });
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

/**
 * Passes bytes both ways. Each direction ends by itself: a FIN is passed on as a FIN and the other direction goes on. When
 * one side breaks (or never opened), the other is reset, as a port with nobody behind it would.
 */
async function join(client: Socket, inner: Socket): Promise<void> {
  // Before pipeline's own listeners: those would end the other side as if all were well.
  client.once("error", () => inner.resetAndDestroy());
  inner.once("error", () => client.resetAndDestroy());
  await Promise.allSettled([pipeline(client, inner), pipeline(inner, client)]);
}
