/**
 * As much of tar (ustar with pax headers, POSIX.1) as `docker cp` of one file needs: its first regular file out of an archive, and
 * an archive that holds one.
 */
const block = 512;

export interface TarFile {
  readonly name: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly bytes: Uint8Array;
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** The first regular file; undefined when there is none, or when it is longer than what `archive` has of it. */
export function firstFile(archive: Uint8Array): TarFile | undefined {
  let size: number | undefined;
  for (let at = 0; at + block <= archive.length; ) {
    const header = archive.subarray(at, at + block);
    if (header.every((byte) => byte === 0)) return undefined;
    const type = String.fromCharCode(header[156] ?? 0);
    const length = type === "x" || type === "g" ? numberAt(header, 124, 12) : (size ?? numberAt(header, 124, 12));
    const bytes = archive.subarray(at + block, at + block + length);
    if (type === "0" || type === "\0") {
      if (bytes.length < length) return undefined;
      return { name: textAt(header, 0, 100), mode: numberAt(header, 100, 8) & 0o7777, uid: numberAt(header, 108, 8), gid: numberAt(header, 116, 8), bytes };
    }
    if (type === "x") size = paxSize(decoder.decode(bytes));
    at += block + Math.ceil(length / block) * block;
  }
  return undefined;
}

function textAt(header: Uint8Array, at: number, length: number): string {
  const field = header.subarray(at, at + length);
  const end = field.indexOf(0);
  return decoder.decode(end < 0 ? field : field.subarray(0, end));
}

/** Octal digits, or after a first bit that is set the number itself, as GNU tar writes what is too large. */
function numberAt(header: Uint8Array, at: number, length: number): number {
  if (((header[at] ?? 0) & 0x80) !== 0) {
    let value = (header[at] ?? 0) & 0x7f;
    for (const byte of header.subarray(at + 1, at + length)) value = value * 256 + byte;
    return value;
  }
  return Number.parseInt(textAt(header, at, length).trim() || "0", 8);
}

function paxSize(records: string): number | undefined {
  const match = /(?:^|\n)\d+ size=(\d+)\n/.exec(records);
  return match === null ? undefined : Number(match[1]);
}

/** An archive of one file. Names are the last part of a path, and shorter than tar's 100 bytes or told by a pax header. */
export function tarOf({ name, mode, uid, gid, bytes }: TarFile, mtimeSeconds: number): Uint8Array {
  const path = encoder.encode(name);
  const head = (type: string, title: Uint8Array, length: number): Uint8Array => headerOf({ type, title, length, mode, uid, gid, mtimeSeconds });
  const parts: Uint8Array[] = [];
  if (path.length > 100) {
    const records = encoder.encode(paxRecord("path", name));
    parts.push(head("x", encoder.encode("pax"), records.length), padded(records));
  }
  parts.push(head("0", path.subarray(0, 100), bytes.length), padded(bytes), new Uint8Array(2 * block));
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** `LENGTH key=value\n`, whose length counts itself. */
function paxRecord(key: string, value: string): string {
  const rest = encoder.encode(` ${key}=${value}\n`).length;
  let length = rest + String(rest).length;
  if (String(length).length + rest !== length) length += 1;
  return `${length} ${key}=${value}\n`;
}

function padded(bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(Math.ceil(bytes.length / block) * block);
  whole.set(bytes);
  return whole;
}

interface Head {
  readonly type: string;
  readonly title: Uint8Array;
  readonly length: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeSeconds: number;
}

function headerOf({ type, title, length, mode, uid, gid, mtimeSeconds }: Head): Uint8Array {
  const header = new Uint8Array(block);
  const write = (at: number, text: string): void => header.set(encoder.encode(text), at);
  const octal = (at: number, width: number, value: number): void => write(at, `${value.toString(8).padStart(width - 1, "0")}\0`);
  header.set(title);
  octal(100, 8, mode);
  octal(108, 8, uid);
  octal(116, 8, gid);
  octal(124, 12, length);
  octal(136, 12, mtimeSeconds);
  write(148, "        ");
  write(156, type);
  write(257, "ustar\u000000");
  octal(
    148,
    7,
    header.reduce((sum, byte) => sum + byte, 0),
  );
  return header;
}
