/** The few rtnetlink messages that bridge networks, and those on interfaces of the machine, need. */
import { addressBytes, addressText } from "#core/networks/address.ts";
import { type Attribute, attributes, IFLA, IFLA_INFO, ifinfo, linkInfo, mac, NESTED, parseAttributes, text, u16, u32, u8 } from "#core/networks/rtnetlink.ts";

const VETH_INFO_PEER = 1;
const IFLA_BRPORT_MODE = 4;
const IFLA_BRPORT_ISOLATED = 33;
const AF = { UNSPEC: 0, BRIDGE: 7, INET: 2, INET6: 10 } as const;
const IFA = { ADDRESS: 1, LOCAL: 2, BROADCAST: 4 } as const;
const IFA_F_NODAD = 0x02;
const RTA = { DST: 1, OIF: 4, GATEWAY: 5, TABLE: 15 } as const;
/** <linux/fib_rules.h> */
const FRA = { PRIORITY: 6, FWMARK: 10, TABLE: 15 } as const;
const FR_ACT_TO_TBL = 1;
const RTNH_F_ONLINK = 4;
const RT = { TABLE_UNSPEC: 0, TABLE_MAIN: 254, PROT_BOOT: 3, SCOPE_UNIVERSE: 0, SCOPE_LINK: 253, UNICAST: 1 } as const;

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

/** Of an interface that is down. */
export const setName = (index: number, name: string): Uint8Array => Buffer.concat([ifinfo({ index }), attributes([[IFLA.IFNAME, text(name)]])]);
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

/** The default route of a table of its own. The gateway is not looked up: a table that has one already would lead to it by itself. */
export function defaultRouteOf(table: number, gateway: string, index: number): Uint8Array {
  const message = rtmsg(AF.INET, 0);
  message.writeUInt32LE(RTNH_F_ONLINK, 8);
  const route = [
    [RTA.GATEWAY, addressBytes(gateway)],
    [RTA.OIF, u32(index)],
    [RTA.TABLE, u32(table)],
  ] as const;
  return Buffer.concat([message, attributes(route)]);
}

/** What bears the mark, or everything, goes by that table where no rule before it knows a way. */
export const routingRule = ({ priority, mark, table }: { priority: number; mark?: number; table: number }): Uint8Array =>
  Buffer.concat([
    Buffer.from([AF.INET, 0, 0, 0, RT.TABLE_UNSPEC, 0, 0, FR_ACT_TO_TBL, 0, 0, 0, 0]),
    attributes([[FRA.PRIORITY, u32(priority)], ...(mark === undefined ? [] : [[FRA.FWMARK, u32(mark)] as const]), [FRA.TABLE, u32(table)]]),
  ]);

/** Asks for all routes of a family. */
export const allRoutes = (family: 4 | 6): Uint8Array => rtmsg(family === 4 ? AF.INET : AF.INET6, 0);

function rtmsg(family: number, length: number): Buffer {
  return Buffer.from([family, length, 0, 0, RT.TABLE_MAIN, RT.PROT_BOOT, RT.SCOPE_UNIVERSE, RT.UNICAST, 0, 0, 0, 0]);
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

/** Destination of a unicast route in the main table; undefined for default routes and others. */
export function parseRoute(message: Uint8Array): { destination: Uint8Array; length: number } | undefined {
  const length = message[1] ?? 0;
  const destination = parseAttributes(message, 12).get(RTA.DST);
  if (message[4] !== RT.TABLE_MAIN || message[7] !== RT.UNICAST || length === 0 || destination === undefined) return undefined;
  return { destination, length };
}
