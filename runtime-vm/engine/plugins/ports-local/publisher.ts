import type { PortPublisher } from "#core/networks/networks.ts";
import { publishTcp } from "./tcp.ts";
import { publishUdp } from "./udp.ts";

/**
 * Published ports on the addresses of the namespace this process runs in: it listens and passes on. The container sees
 * its network's gateway as the client.
 */
export const localPorts: PortPublisher = {
  publish: (what) => (what.proto === "tcp" ? publishTcp(what) : publishUdp(what)),
};
