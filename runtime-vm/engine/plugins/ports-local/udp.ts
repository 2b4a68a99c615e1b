import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { isIPv6 } from "node:net";
import type { PortPublisher } from "#core/networks/networks.ts";
import { bindError } from "./bind-error.ts";

type Request = Parameters<PortPublisher["publish"]>[0];
type Port = Awaited<ReturnType<PortPublisher["publish"]>>;

/** How long an answer may take to find its way back to a client that has gone quiet (dockerd's). */
const QUIET_MS_MAX = 90_000;
/** Clients remembered at a time; the one that was quiet longest makes room. */
const CLIENTS_MAX = 4_096;

interface Client {
  readonly inner: Socket;
  timer: NodeJS.Timeout;
}

/** Passes datagrams on, each client from a socket of its own, so that answers find the right one. */
export async function publishUdp({ hostIp, hostPort, target }: Request): Promise<Port> {
  const outer = isIPv6(hostIp) ? createSocket({ type: "udp6", ipv6Only: true }) : createSocket("udp4");
  const clients = new ClientTable();
  try {
    outer.bind({ address: hostIp, port: hostPort, exclusive: true });
    await once(outer, "listening");
  } catch (error) {
    outer.close();
    throw await bindError(error, { proto: "udp", hostIp, hostPort });
  }
  outer.on("error", () => {});
  outer.on("message", (message, from) => {
    const inner = clients.socketOf(`${from.address} ${from.port}`, () => {
      const socket = createSocket(isIPv6(target.address) ? "udp6" : "udp4");
      socket.on("message", (reply) => outer.send(reply, from.port, from.address, () => {}));
      socket.connect(target.port, target.address);
      return socket;
    });
    sendConnected(inner, message);
  });
  return {
    hostPort: outer.address().port,
    [Symbol.asyncDispose]: async () => {
      clients.close();
      const closed = once(outer, "close");
      outer.close();
      await closed;
    },
  };
}

/** The first datagrams of a client arrive before its socket is connected. */
function sendConnected(socket: Socket, message: Uint8Array): void {
  const send = (): void => socket.send(message, () => {});
  try {
    socket.remoteAddress();
    send();
  } catch {
    socket.once("connect", send);
  }
}

class ClientTable {
  // In the order of last use: the first is the quietest.
  readonly #clients = new Map<string, Client>();

  socketOf(key: string, make: () => Socket): Socket {
    const known = this.#clients.get(key);
    if (known !== undefined) {
      known.timer.refresh();
      this.#clients.delete(key);
      this.#clients.set(key, known);
      return known.inner;
    }
    const [quietest] = this.#clients.keys();
    if (this.#clients.size >= CLIENTS_MAX && quietest !== undefined) this.#drop(quietest);
    const inner = make();
    // ECONNREFUSED: nobody listens in the container now; datagrams get lost, as they may.
    inner.on("error", () => {});
    this.#clients.set(key, { inner, timer: setTimeout(() => this.#drop(key), QUIET_MS_MAX).unref() });
    return inner;
  }

  close(): void {
    for (const key of [...this.#clients.keys()]) this.#drop(key);
  }

  #drop(key: string): void {
    const client = this.#clients.get(key);
    if (client === undefined) return;
    this.#clients.delete(key);
    clearTimeout(client.timer);
    client.inner.close();
  }
}
