import { EngineError } from "#base/errors.ts";

/**
 * One 512-byte tar header (POSIX.1-1988 ustar, GNU and v7 variants; tar(5)) and the pax records of POSIX.1-2001.
 * Names are kept as `latin1` strings, one character a byte, because tar does not say in what encoding they are.
 */
export const blockBytes = 512;

export interface TarHeader {
  /** One character: `0` file, `1` hard link, `2` symbolic link, `3` `4` devices, `5` directory, `6` FIFO, `x` `g` pax, `L` `K` GNU long names. */
  readonly type: string;
  readonly format: "ustar" | "gnu" | "v7";
  readonly name: string;
  readonly prefix: string;
  readonly linkName: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
  readonly devMajor: number;
  readonly devMinor: number;
}

export const isZeroBlock = (block: Uint8Array): boolean => block.every((byte) => byte === 0);

/** Rounds up to whole blocks. */
export const paddedBytes = (size: number): number => Math.ceil(size / blockBytes) * blockBytes;

/** Reads a header; rejects (invalidArgument) when its checksum or a number in it is wrong. */
export function parseHeader(block: Buffer, offset: number): TarHeader {
  checkSum(block, offset);
  const magic = block.toString("latin1", 257, 265);
  const format = magic === "ustar  \0" ? "gnu" : magic.startsWith("ustar") ? "ustar" : "v7";
  const number = (from: number, length: number): number => parseNumber(block.subarray(from, from + length), offset);
  const size = number(124, 12);
  if (size < 0) throw corrupt(offset, `size ${size}`);
  return {
    type: String.fromCharCode(block[156]!),
    format,
    name: text(block, 0, 100),
    prefix: format === "v7" ? "" : text(block, 345, 155),
    linkName: text(block, 157, 100),
    mode: number(100, 8) & 0o7777,
    uid: number(108, 8),
    gid: number(116, 8),
    size,
    mtime: number(136, 12),
    devMajor: format === "v7" ? 0 : number(329, 8),
    devMinor: format === "v7" ? 0 : number(337, 8),
  };
}

/** Octal text, or GNU's base-256 when the top bit is set (then two's complement). */
export function parseNumber(field: Buffer, offset: number): number {
  if ((field[0]! & 0x80) !== 0) {
    let value = BigInt.asIntN(8, BigInt(field[0]!)) & 0x7fn;
    if ((field[0]! & 0x40) !== 0) value -= 0x80n;
    for (const byte of field.subarray(1)) value = (value << 8n) | BigInt(byte);
    if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < BigInt(Number.MIN_SAFE_INTEGER)) throw corrupt(offset, "a number out of range");
    return Number(value);
  }
  return octal(field) ?? refuseNumber(field, offset);
}

/** Digits between blanks, which are spaces and zeros; undefined for anything else. By bytes: a layer has eight such fields an entry. */
function octal(field: Buffer): number | undefined {
  const end = field.length;
  let at = 0;
  while (at < end && (field[at] === 0x20 || field[at] === 0)) at += 1;
  let value = 0;
  for (; at < end && field[at]! >= 0x30 && field[at]! <= 0x37; at += 1) value = value * 8 + field[at]! - 0x30;
  while (at < end && (field[at] === 0x20 || field[at] === 0)) at += 1;
  return at === end ? value : undefined;
}

function refuseNumber(field: Buffer, offset: number): never {
  throw corrupt(offset, `number ${JSON.stringify(field.toString("latin1").replace(/^[\0 ]+|[\0 ]+$/g, ""))}`);
}

/** `LEN KEY=VALUE\n` records in order. Values are bytes: extended attributes hold any. */
export function parsePax(body: Buffer, offset: number): [key: string, value: Buffer][] {
  const records: [string, Buffer][] = [];
  for (let at = 0; at < body.length; ) {
    const space = body.indexOf(0x20, at);
    const length = space < 0 ? Number.NaN : Number(body.toString("latin1", at, space));
    const end = at + length;
    const equals = body.indexOf(0x3d, space);
    if (!(end <= body.length) || !(length > 0) || body[end - 1] !== 0x0a || equals < 0 || equals >= end) throw corrupt(offset, "a pax record");
    records.push([body.toString("latin1", space + 1, equals), body.subarray(equals + 1, end - 1)]);
    at = end;
  }
  return records;
}

/** Writes a ustar header. The caller has put what does not fit into pax records. */
export function encodeHeader(entry: {
  readonly name: string;
  readonly type: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly size?: number;
  readonly mtime?: number;
  readonly linkName?: string;
  readonly devMajor?: number;
  readonly devMinor?: number;
}): Buffer {
  const block = Buffer.alloc(blockBytes);
  block.write(entry.name.slice(0, 100), 0, "latin1");
  const octal = (value: number, at: number, length: number): void => void block.write(`${value.toString(8).padStart(length - 1, "0")}\0`, at, "latin1");
  octal(entry.mode ?? 0o644, 100, 8);
  octal(Math.min(entry.uid ?? 0, 0o7777777), 108, 8);
  octal(Math.min(entry.gid ?? 0, 0o7777777), 116, 8);
  octal(Math.min(entry.size ?? 0, 0o77777777777), 124, 12);
  octal(Math.max(0, Math.floor(entry.mtime ?? 0)), 136, 12);
  block.write(entry.type, 156, "latin1");
  block.write((entry.linkName ?? "").slice(0, 100), 157, "latin1");
  block.write("ustar\x0000", 257, "latin1");
  octal(entry.devMajor ?? 0, 329, 8);
  octal(entry.devMinor ?? 0, 337, 8);
  block.write("        ", 148, "latin1");
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

/** A pax `x` header with its body, ready to stand before the entry it speaks of. */
export function encodePax(records: Iterable<readonly [string, string | Buffer]>): Buffer {
  const body = Buffer.concat([...records].map(([key, value]) => paxRecord(key, Buffer.isBuffer(value) ? value : Buffer.from(value, "latin1"))));
  const padding = Buffer.alloc(paddedBytes(body.length) - body.length);
  return Buffer.concat([encodeHeader({ name: "PaxHeaders.0", type: "x", size: body.length }), body, padding]);
}

function paxRecord(key: string, value: Buffer): Buffer {
  // The length counts its own digits.
  const rest = 1 + Buffer.byteLength(key, "latin1") + 1 + value.length + 1;
  let length = rest + String(rest).length;
  if (String(length).length !== String(rest).length) length = rest + String(length).length;
  return Buffer.concat([Buffer.from(`${length} ${key}=`, "latin1"), value, Buffer.from("\n")]);
}

function checkSum(block: Buffer, offset: number): void {
  const expected = parseNumber(block.subarray(148, 156), offset);
  let unsigned = 0;
  let signed = 0;
  for (let i = 0; i < blockBytes; i++) {
    const byte = i >= 148 && i < 156 ? 0x20 : block[i]!;
    unsigned += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  if (expected !== unsigned && expected !== signed) throw corrupt(offset, "a header checksum");
}

function text(block: Buffer, from: number, length: number): string {
  const end = block.indexOf(0, from);
  return block.toString("latin1", from, end < 0 || end > from + length ? from + length : end);
}

export const corrupt = (offset: number, what: string): EngineError =>
  new EngineError("invalidArgument", `tar: ${what} at byte ${offset} is not valid; the archive is damaged`);
