import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { readdir, readFile, readlink } from "node:fs/promises";
import { createServer, isIP, isIPv6, type Server } from "node:net";
import { codeOf, EngineError, messageOf } from "#base/errors.ts";
import { lowPortRefusal } from "#base/low-port.ts";
import { byHolder, portHolder, type ProcFiles } from "#base/port-holder.ts";

export interface Binding {
  readonly proto: "tcp" | "udp";
  /** `` is every IPv4 address, `::` every IPv6 address and no IPv4 one. */
  readonly hostIp: string;
  /** 0: any free one. */
  readonly hostPort: number;
}

/** A listening TCP server with half-close kept. Class `conflict` with the holder's name when the port is occupied. */
export async function bindTcp(binding: Binding): Promise<Server> {
  const host = addressOf(binding);
  const server = createServer({ allowHalfOpen: true, noDelay: true });
  server.listen({ host, port: binding.hostPort, ipv6Only: isIPv6(host), exclusive: true, backlog: 1024 });
  await settled(once(server, "listening"), binding);
  return server;
}

export async function bindUdp(binding: Binding): Promise<UdpSocket> {
  const host = addressOf(binding);
  const socket = createSocket(isIPv6(host) ? { type: "udp6", ipv6Only: true } : { type: "udp4" });
  socket.bind({ address: host, port: binding.hostPort, exclusive: true });
  try {
    await settled(once(socket, "listening"), binding);
  } catch (error) {
    socket.close();
    throw error;
  }
  return socket;
}

function addressOf({ hostIp }: Binding): string {
  if (hostIp === "") return "0.0.0.0";
  if (isIP(hostIp) === 0) throw new EngineError("invalidArgument", `${JSON.stringify(hostIp)} is no IP address to publish a port on`);
  return hostIp;
}

async function settled(listening: Promise<unknown>, binding: Binding): Promise<void> {
  try {
    await listening;
  } catch (error) {
    throw await explain(error, binding);
  }
}

/** As bytes first: Node 24.21 breaks its heap on long files of /proc that it reads as text. */
const proc: ProcFiles = { text: async (path) => (await readFile(path)).toString(), list: (path) => readdir(path), link: (path) => readlink(path) };

/** Only why: who asked puts the port before it. */
async function explain(cause: unknown, { proto, hostIp, hostPort }: Binding): Promise<EngineError> {
  switch (codeOf(cause) ?? "") {
    case "EADDRINUSE":
      return new EngineError("conflict", `address already in use${byHolder(await portHolder(proc, proto, hostIp, hostPort))}`, { cause });
    case "EACCES":
      return new EngineError("forbidden", await lowPortRefusal(proc, hostPort), { cause });
    case "EADDRNOTAVAIL":
      // The unspecified address is missing only where its whole family is.
      return new EngineError(hostIp === "::" ? "unavailable" : "invalidArgument", "cannot assign requested address: no interface of this computer has it", {
        cause,
      });
    case "EAFNOSUPPORT":
      return new EngineError("unavailable", "address family not supported by protocol", { cause });
    default:
      return new EngineError("internal", messageOf(cause), { cause });
  }
}
