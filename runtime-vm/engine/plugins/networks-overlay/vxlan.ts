/**
 * VXLAN (RFC 7348) as a port of a network's bridge. Nothing is learned and nothing flooded: where a hardware address is, and whose an
 * address is, is written into the kernel's tables, and the tunnel's end here answers for the others who is asked for by ARP or
 * neighbour discovery.
 */
import { EngineError } from "#base/errors.ts";
import { type Kernel, KernelError, type Netlink } from "#core/kernel/kernel.ts";
import { addressBytes, addressText, familyOf } from "#core/networks/address.ts";
import {
  attributes,
  IFLA,
  ifinfo,
  linkByName,
  type Link,
  linkInfo,
  mac,
  NLM_F,
  parseAttributes,
  parseLink,
  RTM,
  setAlias,
  setUp,
  text,
  u16,
  u32,
  u8,
} from "#core/networks/rtnetlink.ts";

const NEIGH = { NEW: 28, DELETE: 29, GET: 30 } as const;
const NDA = { DST: 1, LLADDR: 2 } as const;
const NTF = { SELF: 0x02, MASTER: 0x04 } as const;
const NUD = { NOARP: 0x40, PERMANENT: 0x80 } as const;
const AF = { INET: 2, BRIDGE: 7, INET6: 10 } as const;
const VXLAN = { ID: 1, LOCAL: 4, LEARNING: 7, PROXY: 11, PORT: 15, LOCAL6: 17 } as const;
const UDP_PORT = 4_789;

export interface Tunnel {
  readonly network: string;
  readonly bridge: string;
  readonly vni: number;
  readonly mtu: number;
  /** This machine's address. */
  readonly local: string;
}

/** A container elsewhere. */
export interface Peer {
  readonly mac: string;
  readonly addresses: readonly string[];
  /** The machine it is on. */
  readonly host: string;
}

export const tunnelName = (network: string): string => `vx-${network.slice(0, 12)}`;
const aliasOf = (network: string): string => `slipway:${network}`;

/** Tunnels in the namespace this process runs in. Each call is whole or throws. */
export class Tunnels implements Disposable {
  readonly #netlink: Netlink;

  constructor(kernel: Kernel) {
    this.#netlink = kernel.rtnetlink();
  }

  /** Makes the tunnel exist (idempotent). */
  ensure(tunnel: Tunnel): void {
    const name = tunnelName(tunnel.network);
    const bridge = this.#find(tunnel.bridge);
    if (bridge === undefined) throw new EngineError("internal", `network ${tunnel.network} has no bridge ${tunnel.bridge}`);
    const there = this.#find(name);
    if (there?.alias === aliasOf(tunnel.network) && there.master === bridge.index) return;
    if (there !== undefined) this.remove(tunnel.network);
    try {
      this.#netlink.request(RTM.NEWLINK, NLM_F.CREATE | NLM_F.EXCL, newVxlan(name, bridge.index, tunnel));
    } catch (cause) {
      throw refused(cause, name, tunnel);
    }
    const made = this.#find(name);
    if (made !== undefined) this.#netlink.request(RTM.NEWLINK, 0, setAlias(made.index, aliasOf(tunnel.network)));
  }

  /** Missing is fine. What it knew of others goes with it. */
  remove(network: string): void {
    const there = this.#find(tunnelName(network));
    if (there !== undefined) this.#netlink.request(RTM.DELLINK, 0, setUp(there.index, false));
  }

  add(network: string, peer: Peer): void {
    const { index } = this.#get(network);
    this.#netlink.request(NEIGH.NEW, NLM_F.CREATE | NLM_F.REPLACE, forwarding(index, peer));
    for (const address of peer.addresses) this.#netlink.request(NEIGH.NEW, NLM_F.CREATE | NLM_F.REPLACE, neighbour(index, address, peer.mac));
  }

  /** Missing is fine. */
  drop(network: string, peer: Peer): void {
    const { index } = this.#get(network);
    this.#forget(forwarding(index, peer));
    // What the bridge has learned of it by itself.
    this.#forget(learned(index, peer.mac));
    for (const address of peer.addresses) this.#forget(neighbour(index, address, peer.mac));
  }

  /** Forgets whom an earlier engine knew and who is not among `peers` any more. */
  keepOnly(network: string, peers: readonly Peer[]): void {
    const { index } = this.#get(network);
    const macs = new Set(peers.map((peer) => peer.mac));
    const addresses = new Set(peers.flatMap((peer) => peer.addresses));
    for (const family of [AF.BRIDGE, AF.INET, AF.INET6]) {
      for (const message of this.#netlink.request(NEIGH.GET, NLM_F.DUMP, head(family, 0, 0, 0))) {
        const entry = parseNeighbour(message);
        if (entry.index !== index || entry.family !== family) continue;
        if (family === AF.BRIDGE && entry.self && !macs.has(entry.mac)) this.drop(network, { mac: entry.mac, addresses: [], host: entry.destination });
        if (family !== AF.BRIDGE && entry.permanent && !addresses.has(entry.destination)) this.#forget(neighbour(index, entry.destination, entry.mac));
      }
    }
  }

  [Symbol.dispose](): void {
    this.#netlink[Symbol.dispose]();
  }

  #forget(message: Uint8Array): void {
    try {
      this.#netlink.request(NEIGH.DELETE, 0, message);
    } catch (error) {
      if (!(error instanceof KernelError && error.code === "ENOENT")) throw error;
    }
  }

  #get(network: string): Link {
    const there = this.#find(tunnelName(network));
    if (there === undefined) throw new EngineError("internal", `network ${network} has no interface ${tunnelName(network)}`);
    return there;
  }

  #find(name: string): Link | undefined {
    try {
      const [answer] = this.#netlink.request(RTM.GETLINK, 0, linkByName(name));
      return answer === undefined ? undefined : parseLink(answer);
    } catch (error) {
      if (error instanceof KernelError && ["ENODEV", "ENOENT", "ENXIO"].includes(error.code)) return undefined;
      throw error;
    }
  }
}

function refused(cause: unknown, name: string, { vni, local }: Tunnel): unknown {
  if (!(cause instanceof KernelError)) return cause;
  if (["EOPNOTSUPP", "ENOTSUP"].includes(cause.code)) return new EngineError("invalidArgument", "this kernel has no VXLAN: load its module vxlan", { cause });
  const why = cause.code === "EEXIST" ? `another interface of this machine has VXLAN network ${vni} already` : cause.code;
  return new EngineError("internal", `cannot make interface ${name} at ${local}: ${why}`, { cause });
}

function newVxlan(name: string, bridge: number, { vni, mtu, local }: Tunnel): Uint8Array {
  const port = Buffer.alloc(2);
  port.writeUInt16BE(UDP_PORT);
  const data = linkInfo("vxlan", [
    [VXLAN.ID, u32(vni)],
    [familyOf(local) === 4 ? VXLAN.LOCAL : VXLAN.LOCAL6, addressBytes(local)],
    [VXLAN.LEARNING, u8(0)],
    [VXLAN.PROXY, u8(1)],
    [VXLAN.PORT, port],
  ]);
  return Buffer.concat([
    ifinfo({ up: true }),
    attributes([
      [IFLA.IFNAME, text(name)],
      [IFLA.MTU, u32(mtu)],
      [IFLA.MASTER, u32(bridge)],
      [IFLA.LINKINFO, data],
    ]),
  ]);
}

/** struct ndmsg. */
function head(family: number, index: number, state: number, flags: number): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt8(family, 0);
  bytes.writeInt32LE(index, 4);
  bytes.set(u16(state), 8);
  bytes.writeUInt8(flags, 10);
  return bytes;
}

/** Frames to a hardware address go to this host. */
const forwarding = (index: number, { mac: to, host }: Peer): Uint8Array =>
  Buffer.concat([
    head(AF.BRIDGE, index, NUD.NOARP | NUD.PERMANENT, NTF.SELF),
    attributes([
      [NDA.LLADDR, mac(to)],
      [NDA.DST, addressBytes(host)],
    ]),
  ]);

const learned = (index: number, of: string): Uint8Array => Buffer.concat([head(AF.BRIDGE, index, 0, NTF.MASTER), attributes([[NDA.LLADDR, mac(of)]])]);

const neighbour = (index: number, address: string, of: string): Uint8Array =>
  Buffer.concat([
    head(familyOf(address) === 4 ? AF.INET : AF.INET6, index, NUD.PERMANENT, 0),
    attributes([
      [NDA.DST, addressBytes(address)],
      [NDA.LLADDR, mac(of)],
    ]),
  ]);

function parseNeighbour(message: Uint8Array): { family: number; index: number; permanent: boolean; self: boolean; mac: string; destination: string } {
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  const found = parseAttributes(message, 12);
  const destination = found.get(NDA.DST);
  const value = [...(destination ?? [])].reduce((all, byte) => (all << 8n) | BigInt(byte), 0n);
  return {
    family: bytes.readUInt8(0),
    index: bytes.readInt32LE(4),
    permanent: (bytes.readUInt16LE(8) & NUD.PERMANENT) !== 0,
    self: (bytes.readUInt8(10) & NTF.SELF) !== 0 && destination !== undefined,
    mac: [...(found.get(NDA.LLADDR) ?? [])].map((byte) => byte.toString(16).padStart(2, "0")).join(":"),
    destination: destination === undefined ? "" : addressText(destination.length === 4 ? 4 : 6, value),
  };
}
