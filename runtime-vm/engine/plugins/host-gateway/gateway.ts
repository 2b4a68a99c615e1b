import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import { messageOf } from "#base/errors.ts";
import type { Kernel } from "#core/kernel/kernel.ts";

/** One address by which containers reach the machine around this one. Packet rules bring every TCP port of it to `port`. */
export interface HostGateway extends AsyncDisposable {
  readonly address: string;
  readonly port: number;
}

export interface HostGatewayOptions {
  readonly kernel: Pick<Kernel, "boundSocket">;
  readonly address: string;
  /** A connection to that port of the machine around; it may refuse. */
  readonly dial: (port: number) => Promise<Duplex>;
  readonly log: (line: string) => void;
}

/**
 * Serves all ports of `address` from one transparent socket: a connection that is brought to it keeps the address and port
 * its client asked for (tproxy, linux/Documentation/networking/tproxy.rst). Refused ones are reset, as a closed port would.
 */
export async function openHostGateway({ kernel, address, dial, log }: HostGatewayOptions): Promise<HostGateway> {
  const { fd, port } = kernel.boundSocket({ kind: "tcp", address, port: 0, transparent: true });
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (client) => {
    open.add(client);
    client.once("close", () => open.delete(client));
    client.on("error", () => {});
    void serve(client, dial, log);
  });
  server.listen({ fd });
  await once(server, "listening");
  return {
    address,
    port,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, "close");
      server.close();
      for (const client of open) client.destroy();
      await closed;
    },
  };
}

async function serve(client: Socket, dial: HostGatewayOptions["dial"], log: HostGatewayOptions["log"]): Promise<void> {
  const port = client.localPort ?? 0;
  let host: Duplex;
  try {
    host = await dial(port);
  } catch (error) {
    log(`host.docker.internal:${port}: ${messageOf(error)}`);
    return void client.resetAndDestroy();
  }
  if (client.destroyed) return void host.destroy();
  client.once("error", () => host.destroy());
  host.once("error", () => client.resetAndDestroy());
  // Each direction ends by itself.
  await Promise.allSettled([pipeline(client, host), pipeline(host, client)]);
}
