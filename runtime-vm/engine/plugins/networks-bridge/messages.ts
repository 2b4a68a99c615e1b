/**
 * The few rtnetlink messages a bridge network needs, as bytes (rtnetlink(7), <linux/if_link.h>). Attributes are
 * length, type, value, padded to four; everything little-endian but addresses.
 */
import { addressBytes, addressText } from "#core/networks/address.ts";

export const RTM = { NEWLINK: 16, DELLINK: 17, GETLINK: 18, SETLINK: 19, NEWADDR: 20, GETADDR: 22, NEWROUTE: 24, GETROUTE: 26 } as const;
export const NLM_F = { DUMP: 0x300, EXCL: 0x200, CREATE: 0x400, REPLACE: 0x100 } as const;
export const IFF_UP = 1;

export const IFLA = { ADDRESS: 1, IFNAME: 3, MTU: 4, LINK: 5, MASTER: 10, LINKINFO: 18, IFALIAS: 20, NET_NS_FD: 28, PROTINFO: 12 } as const;
const IFLA_INFO = { KIND: 1, DATA: 2 } as const;
const VETH_INFO_PEER = 1;
const NESTED = 0x8000;
const IFLA_BRPORT_MODE = 4;
const IFLA_BRPORT_ISOLATED = 33;
const AF = { UNSPEC: 0, BRIDGE: 7, INET: 2, INET6: 10 } as const;
const IFA = { ADDRESS: 1, LOCAL: 2, BROADCAST: 4 } as const;
const IFA_F_NODAD = 0x02;
const RTA = { DST: 1, OIF: 4, GATEWAY: 5 } as const;
const RT = { TABLE_MAIN: 254, PROT_BOOT: 3, SCOPE_UNIVERSE: 0, SCOPE_LINK: 253, UNICAST: 1 } as const;

export type Attribute = readonly [type: number, value: Uint8Array];

export const u32 = (value: number): Uint8Array => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
};
export const text = (value: string): Uint8Array => Buffer.from(`${value}\0`);
export const mac = (value: string): Uint8Array => Uint8Array.from(value.split(":").map((part) => Number.parseInt(part, 16)));
const u16 = (value: number): Uint8Array => Uint8Array.of(value & 0xff, value >> 8);
const u8 = (value: number): Uint8Array => Uint8Array.of(value);

export function attributes(list: readonly Attribute[]): Buffer {
  return Buffer.concat(
    list.map(([type, value]) => {
      const bytes = Buffer.alloc((4 + value.length + 3) & ~3);
      bytes.writeUInt16LE(4 + value.length, 0);
      bytes.writeUInt16LE(type, 2);
      bytes.set(value, 4);
      return bytes;
    }),
  );
}

/** struct ifinfomsg; `up` sets only that flag. */
export function ifinfo(what: { index?: number; up?: boolean; family?: number }): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt8(what.family ?? AF.UNSPEC, 0);
  bytes.writeInt32LE(what.index ?? 0, 4);
  if (what.up !== undefined) {
    bytes.writeUInt32LE(what.up ? IFF_UP : 0, 8);
    bytes.writeUInt32LE(IFF_UP, 12);
  }
  return bytes;
}

export const newBridge = (what: { name: string; mac: string; mtu: number }): Uint8Array =>
  Buffer.concat([
    ifinfo({ up: true }),
    attributes([
      [IFLA.IFNAME, text(what.name)],
      [IFLA.ADDRESS, mac(what.mac)],
      [IFLA.MTU, u32(what.mtu)],
      [IFLA.LINKINFO, attributes([[IFLA_INFO.KIND, text("bridge")]])],
    ]),
  ]);

/** A veth pair: this end up and in the bridge, the other end in the namespace open at `netnsFd`, down. */
export const newVeth = (what: { name: string; bridge: number; mtu: number; peer: { name: string; mac: string; netnsFd: number } }): Uint8Array => {
  const peer = Buffer.concat([
    ifinfo({}),
    attributes([
      [IFLA.IFNAME, text(what.peer.name)],
      [IFLA.ADDRESS, mac(what.peer.mac)],
      [IFLA.MTU, u32(what.mtu)],
      [IFLA.NET_NS_FD, u32(what.peer.netnsFd)],
    ]),
  ]);
  const info = attributes([
    [IFLA_INFO.KIND, text("veth")],
    [IFLA_INFO.DATA | NESTED, attributes([[VETH_INFO_PEER | NESTED, peer]])],
  ]);
  return Buffer.concat([
    ifinfo({ up: true }),
    attributes([
      [IFLA.IFNAME, text(what.name)],
      [IFLA.MTU, u32(what.mtu)],
      [IFLA.MASTER, u32(what.bridge)],
      [IFLA.LINKINFO, info],
    ]),
  ]);
};

/** An interface on another, `parent`, in the namespace open at `netnsFd`, down. */
export function newOnParent(what: {
  kind: "macvlan" | "ipvlan";
  name: string;
  parent: number;
  mac: string;
  netnsFd: number;
  data: readonly Attribute[];
}): Uint8Array {
  return Buffer.concat([
    ifinfo({}),
    attributes([
      [IFLA.IFNAME, text(what.name)],
      ...(what.mac === "" ? [] : [[IFLA.ADDRESS, mac(what.mac)] as const]),
      [IFLA.LINK, u32(what.parent)],
      [IFLA.NET_NS_FD, u32(what.netnsFd)],
      [IFLA.LINKINFO, linkInfo(what.kind, what.data)],
    ]),
  ]);
}

const linkInfo = (kind: string, data: readonly Attribute[]): Buffer =>
  attributes([
    [IFLA_INFO.KIND, text(kind)],
    [IFLA_INFO.DATA | NESTED, attributes(data)],
  ]);

const MACVLAN = { MODE: 1, modes: { private: 1, vepa: 2, bridge: 4, passthru: 8 } as Readonly<Record<string, number>> } as const;
const IPVLAN = {
  MODE: 1,
  FLAGS: 2,
  modes: { l2: 0, l3: 1, l3s: 2 } as Readonly<Record<string, number>>,
  flags: { bridge: 0, private: 1, vepa: 2 } as Readonly<Record<string, number>>,
} as const;

export const macvlanData = (mode: string): Attribute[] => [[MACVLAN.MODE, u32(MACVLAN.modes[mode] ?? 4)]];
export const ipvlanData = (mode: string, flag: string): Attribute[] => [
  [IPVLAN.MODE, u16(IPVLAN.modes[mode] ?? 0)],
  [IPVLAN.FLAGS, u16(IPVLAN.flags[flag] ?? 0)],
];

export const newDummy = (name: string): Uint8Array =>
  Buffer.concat([
    ifinfo({ up: true }),
    attributes([
      [IFLA.IFNAME, text(name)],
      [IFLA.LINKINFO, linkInfo("dummy", [])],
    ]),
  ]);

const VLAN_ID = 1;
export const newVlan = (what: { name: string; base: number; id: number }): Uint8Array =>
  Buffer.concat([
    ifinfo({ up: true }),
    attributes([
      [IFLA.IFNAME, text(what.name)],
      [IFLA.LINK, u32(what.base)],
      [IFLA.LINKINFO, linkInfo("vlan", [[VLAN_ID, u16(what.id)]])],
    ]),
  ]);

export const linkByName = (name: string): Uint8Array => Buffer.concat([ifinfo({}), attributes([[IFLA.IFNAME, text(name)]])]);
/** Of an interface that is down. */
export const setName = (index: number, name: string): Uint8Array => Buffer.concat([ifinfo({ index }), attributes([[IFLA.IFNAME, text(name)]])]);
/** The kernel takes an alias only once the interface exists. */
export const setAlias = (index: number, alias: string): Uint8Array => Buffer.concat([ifinfo({ index }), attributes([[IFLA.IFALIAS, Buffer.from(alias)]])]);
export const setUp = (index: number, up: boolean): Uint8Array => ifinfo({ index, up });

/** `isolated`: the port talks to the bridge itself only, not to other ports so marked; `hairpin`: it may get back what it sent. */
export function bridgePort(index: number, { isolated, hairpin }: { isolated: boolean; hairpin: boolean }): Uint8Array {
  const flags = attributes([
    [IFLA_BRPORT_MODE, u8(hairpin ? 1 : 0)],
    [IFLA_BRPORT_ISOLATED, u8(isolated ? 1 : 0)],
  ]);
  return Buffer.concat([ifinfo({ index, family: AF.BRIDGE }), attributes([[IFLA.PROTINFO | NESTED, flags]])]);
}

export function newAddress(index: number, address: string, length: number): Uint8Array {
  const bytes = addressBytes(address);
  const v4 = bytes.length === 4;
  const head = Buffer.alloc(8); // struct ifaddrmsg
  head.writeUInt8(v4 ? AF.INET : AF.INET6, 0);
  head.writeUInt8(length, 1);
  head.writeUInt8(v4 ? 0 : IFA_F_NODAD, 2);
  head.writeUInt32LE(index, 4);
  const list: Attribute[] = [
    [IFA.LOCAL, bytes],
    [IFA.ADDRESS, bytes],
  ];
  if (v4 && length < 31) list.push([IFA.BROADCAST, broadcast(bytes, length)]);
  return Buffer.concat([head, attributes(list)]);
}

function broadcast(address: Uint8Array, length: number): Uint8Array {
  const bytes = Buffer.from(address);
  bytes.writeUInt32BE((bytes.readUInt32BE(0) | (0xffffffff >>> length)) >>> 0);
  return bytes;
}

/** To whoever is there, without a gateway. */
export function directRoute(family: 4 | 6, index: number): Uint8Array {
  const message = rtmsg(family === 4 ? AF.INET : AF.INET6, 0);
  message.writeUInt8(family === 4 ? RT.SCOPE_LINK : RT.SCOPE_UNIVERSE, 6);
  return Buffer.concat([message, attributes([[RTA.OIF, u32(index)]])]);
}

export function defaultRoute(gateway: string, index: number): Uint8Array {
  const bytes = addressBytes(gateway);
  return Buffer.concat([
    rtmsg(bytes.length === 4 ? AF.INET : AF.INET6, 0),
    attributes([
      [RTA.GATEWAY, bytes],
      [RTA.OIF, u32(index)],
    ]),
  ]);
}

/** Asks for all routes of a family. */
export const allRoutes = (family: 4 | 6): Uint8Array => rtmsg(family === 4 ? AF.INET : AF.INET6, 0);

function rtmsg(family: number, length: number): Buffer {
  return Buffer.from([family, length, 0, 0, RT.TABLE_MAIN, RT.PROT_BOOT, RT.SCOPE_UNIVERSE, RT.UNICAST, 0, 0, 0, 0]);
}

/** The attributes after a fixed head of `headBytes`. */
export function parseAttributes(message: Uint8Array, headBytes: number): Map<number, Buffer> {
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  const found = new Map<number, Buffer>();
  for (let at = headBytes; at + 4 <= bytes.length; ) {
    const size = bytes.readUInt16LE(at);
    if (size < 4) break;
    found.set(bytes.readUInt16LE(at + 2) & ~NESTED, bytes.subarray(at + 4, at + size));
    at += (size + 3) & ~3;
  }
  return found;
}

/** Asks for all addresses of all interfaces. */
export const allAddresses = (): Uint8Array => Buffer.alloc(8);

/** struct ifaddrmsg and its address; `global`: not of the link alone. */
export function parseAddress(message: Uint8Array): { index: number; address: string; length: number; global: boolean } {
  const head = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  const found = parseAttributes(message, 8);
  const bytes = found.get(IFA.LOCAL) ?? found.get(IFA.ADDRESS) ?? Buffer.alloc(4);
  const value = [...bytes].reduce((all, byte) => (all << 8n) | BigInt(byte), 0n);
  return { index: head.readUInt32LE(4), address: addressText(bytes.length === 4 ? 4 : 6, value), length: message[1] ?? 0, global: message[3] === 0 };
}

export interface Link {
  readonly index: number;
  readonly name: string;
  readonly alias: string;
  /** Hardware address, as `02:42:...`. */
  readonly mac: string;
  /** `bridge`, `veth`, ... or empty. */
  readonly kind: string;
  readonly master: number;
}

const cText = (bytes: Buffer | undefined): string => (bytes === undefined ? "" : bytes.toString("utf8").replace(/\0.*$/s, ""));

export function parseLink(message: Uint8Array): Link {
  const found = parseAttributes(message, 16);
  const info = found.get(IFLA.LINKINFO);
  return {
    index: Buffer.from(message.buffer, message.byteOffset, message.byteLength).readInt32LE(4),
    name: cText(found.get(IFLA.IFNAME)),
    alias: cText(found.get(IFLA.IFALIAS)),
    mac: [...(found.get(IFLA.ADDRESS) ?? [])].map((byte) => byte.toString(16).padStart(2, "0")).join(":"),
    kind: info === undefined ? "" : cText(parseAttributes(info, 0).get(IFLA_INFO.KIND)),
    master: found.get(IFLA.MASTER)?.readUInt32LE(0) ?? 0,
  };
}

/** Destination of a unicast route in the main table; undefined for default routes and others. */
export function parseRoute(message: Uint8Array): { destination: Uint8Array; length: number } | undefined {
  const length = message[1] ?? 0;
  const destination = parseAttributes(message, 12).get(RTA.DST);
  if (message[4] !== RT.TABLE_MAIN || message[7] !== RT.UNICAST || length === 0 || destination === undefined) return undefined;
  return { destination, length };
}
