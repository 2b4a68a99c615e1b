/** What the forward protocol needs of MessagePack (msgpack.org). */
export function packString(value: string | Buffer): Buffer {
  const bytes = typeof value === "string" ? Buffer.from(value) : value;
  const { length } = bytes;
  if (length < 32) return Buffer.concat([Buffer.from([0xa0 | length]), bytes]);
  if (length < 0x100) return Buffer.concat([Buffer.from([0xd9, length]), bytes]);
  if (length < 0x1_0000) return Buffer.concat([Buffer.from([0xda, length >> 8, length & 0xff]), bytes]);
  const head = Buffer.from([0xdb, 0, 0, 0, 0]);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, bytes]);
}

export function packUint32(value: number): Buffer {
  const bytes = Buffer.from([0xce, 0, 0, 0, 0]);
  bytes.writeUInt32BE(value, 1);
  return bytes;
}

/** Fluentd's EventTime: extension 0, seconds and nanoseconds. */
export function eventTime(nano: bigint): Buffer {
  const bytes = Buffer.alloc(10);
  bytes[0] = 0xd7;
  bytes.writeUInt32BE(Number(nano / 1_000_000_000n), 2);
  bytes.writeUInt32BE(Number(nano % 1_000_000_000n), 6);
  return bytes;
}

/** Of already packed elements, fewer than sixteen. */
export const packArray = (elements: readonly Buffer[]): Buffer => Buffer.concat([Buffer.from([0x90 | elements.length]), ...elements]);

export function packMap(entries: Readonly<Record<string, string | Buffer>>): Buffer {
  const pairs = Object.entries(entries);
  const head = pairs.length < 16 ? Buffer.from([0x80 | pairs.length]) : Buffer.from([0xde, pairs.length >> 8, pairs.length & 0xff]);
  return Buffer.concat([head, ...pairs.flatMap(([key, value]) => [packString(key), packString(value)])]);
}
