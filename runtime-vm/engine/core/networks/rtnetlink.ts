/** What is common to rtnetlink messages as bytes (rtnetlink(7), <linux/if_link.h>): attributes are length, type, value, padded to four; everything little-endian but addresses. */
export const RTM = {
  NEWLINK: 16,
  DELLINK: 17,
  GETLINK: 18,
  SETLINK: 19,
  NEWADDR: 20,
  GETADDR: 22,
  NEWROUTE: 24,
  GETROUTE: 26,
  NEWRULE: 32,
  DELRULE: 33,
} as const;
export const NLM_F = { DUMP: 0x300, EXCL: 0x200, CREATE: 0x400, REPLACE: 0x100 } as const;
export const IFF_UP = 1;

export const IFLA = { ADDRESS: 1, IFNAME: 3, MTU: 4, LINK: 5, MASTER: 10, LINKINFO: 18, IFALIAS: 20, NET_NS_FD: 28, PROTINFO: 12 } as const;
export const IFLA_INFO = { KIND: 1, DATA: 2 } as const;
export const NESTED = 0x8000;

export type Attribute = readonly [type: number, value: Uint8Array];

export const u32 = (value: number): Uint8Array => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
};
export const text = (value: string): Uint8Array => Buffer.from(`${value}\0`);
export const mac = (value: string): Uint8Array => Uint8Array.from(value.split(":").map((part) => Number.parseInt(part, 16)));
export const u16 = (value: number): Uint8Array => Uint8Array.of(value & 0xff, value >> 8);
export const u8 = (value: number): Uint8Array => Uint8Array.of(value);

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
  bytes.writeUInt8(what.family ?? 0, 0);
  bytes.writeInt32LE(what.index ?? 0, 4);
  if (what.up !== undefined) {
    bytes.writeUInt32LE(what.up ? IFF_UP : 0, 8);
    bytes.writeUInt32LE(IFF_UP, 12);
  }
  return bytes;
}

export const linkInfo = (kind: string, data: readonly Attribute[]): Buffer =>
  attributes([
    [IFLA_INFO.KIND, text(kind)],
    [IFLA_INFO.DATA | NESTED, attributes(data)],
  ]);

export const linkByName = (name: string): Uint8Array => Buffer.concat([ifinfo({}), attributes([[IFLA.IFNAME, text(name)]])]);
/** The kernel takes an alias only once the interface exists. */
export const setAlias = (index: number, alias: string): Uint8Array => Buffer.concat([ifinfo({ index }), attributes([[IFLA.IFALIAS, Buffer.from(alias)]])]);
export const setUp = (index: number, up: boolean): Uint8Array => ifinfo({ index, up });

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
