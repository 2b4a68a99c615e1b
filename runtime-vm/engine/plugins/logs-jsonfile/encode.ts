import type { LogStream } from "#core/logs/logs.ts";

/**
 * Docker's json-file lines: `{"log":"text\n","stream":"stdout","time":"2026-01-02T03:04:05.000000006Z"}`, escaped byte for byte as dockerd
 * does (`<`, `>`, `&`, U+2028 and U+2029 too; a byte that is no UTF-8 becomes U+FFFD), written without making a string.
 */
export interface Clock {
  /** Seconds and nanoseconds since the epoch of the next line; strictly increasing. */
  seconds: number;
  nanos: number;
}

const PLAIN = new Uint8Array(256);
for (let byte = 0x20; byte < 0x80; byte++) PLAIN[byte] = 1;
for (const special of '"\\<>&') PLAIN[special.charCodeAt(0)] = 0;

const NEWLINE = 0x0a;
const HEAD = Buffer.from('{"log":"');
const HEX = Buffer.from("0123456789abcdef");
const U_FFFD = Buffer.from("\\ufffd");
const U_202 = Buffer.from("\\u202");
const U_00 = Buffer.from("\\u00");
/** The longest escape: six bytes for one. */
const escapedBytesMax = 6;

export class LineEncoder {
  #out: Buffer = Buffer.allocUnsafeSlow(256 * 1024);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** What was encoded since the last `clear`; valid until the next call. */
  get bytes(): Buffer {
    return this.#out.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  /** One entry: `first` (what was kept of an unfinished line) followed by `source` from `start` to `end`, and a newline if there was one. */
  line(tail: EntryTail, first: Uint8Array, source: Uint8Array, start: number, end: number, newline: boolean, at: Clock): void {
    this.#reserve((first.length + end - start) * escapedBytesMax + tail.bytesMax + HEAD.length);
    const out = this.#out;
    let to = this.#length;
    for (let i = 0; i < HEAD.length; i++) out[to++] = HEAD[i] as number;
    if (first.length === 0) to = escape(source, start, end, out, to);
    else if (endsWhole(first)) to = escape(source, start, end, out, escape(first, 0, first.length, out, to));
    else {
      // A character was cut between two reads.
      const whole = Buffer.concat([first, source.subarray(start, end)]);
      to = escape(whole, 0, whole.length, out, to);
    }
    if (newline) {
      out[to++] = 0x5c;
      out[to++] = 0x6e;
    }
    this.#length = tail.write(at, out, to);
  }

  /**
   * The whole line that begins at `start`, if its newline comes before `limit`: one pass over the bytes. Returns the newline's place; -1,
   * and nothing written, when there is none. `tick` gives the time of an entry that is written.
   */
  wholeLine(tail: EntryTail, source: Uint8Array, start: number, limit: number, tick: () => Clock): number {
    this.#reserve((limit - start) * escapedBytesMax + tail.bytesMax + HEAD.length);
    const out = this.#out;
    let to = this.#length;
    for (let i = 0; i < HEAD.length; i++) out[to++] = HEAD[i] as number;
    for (let i = start; i < limit; ) {
      // Nearly all bytes stay as they are: four at a time halves what a line costs.
      while (i + 4 <= limit) {
        const a = source[i] as number;
        const b = source[i + 1] as number;
        const c = source[i + 2] as number;
        const d = source[i + 3] as number;
        if (((PLAIN[a] as number) & (PLAIN[b] as number) & (PLAIN[c] as number) & (PLAIN[d] as number)) === 0) break;
        out[to] = a;
        out[to + 1] = b;
        out[to + 2] = c;
        out[to + 3] = d;
        to += 4;
        i += 4;
      }
      if (i >= limit) break;
      const byte = source[i] as number;
      if (PLAIN[byte] === 1) {
        out[to++] = byte;
        i++;
      } else if (byte === NEWLINE) {
        to = escapeAscii(byte, out, to);
        this.#length = tail.write(tick(), out, to);
        return i;
      } else if (byte < 0x80) {
        to = escapeAscii(byte, out, to);
        i++;
      } else {
        const size = sequenceLength(source, i, limit);
        to = escapeWide(source, i, size, out, to);
        i += size || 1;
      }
    }
    return -1;
  }

  #reserve(bytes: number): void {
    if (this.#out.length - this.#length >= bytes) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#out.length * 2, this.#length + bytes));
    this.#out.copy(grown, 0, 0, this.#length);
    this.#out = grown;
  }
}

/**
 * What ends an entry: `","stream":"stdout","time":"2026-01-02T03:04:05.000000006Z"}` and the newline. Kept as bytes: from one entry to the
 * next usually one digit changes, and the rest is one copy.
 */
export class EntryTail {
  /** The escaped newline and what ends the entry. */
  readonly bytesMax: number;
  readonly #head: string;
  #bytes = Buffer.alloc(0);
  #seconds = -1;
  /** What the digits say. */
  #nanos = 0;

  /** `attributes`: what stands between stream and time in every entry of a log, `,"attrs":{...}` or nothing. */
  constructor(stream: LogStream, attributes: string) {
    this.#head = `","stream":"${stream}"${attributes},"time":"`;
    this.bytesMax = Buffer.byteLength(this.#head) + 64;
  }

  write(at: Clock, out: Buffer, into: number): number {
    if (at.seconds !== this.#seconds) {
      this.#seconds = at.seconds;
      this.#nanos = 0;
      this.#bytes = Buffer.from(`${this.#head}${new Date(at.seconds * 1000).toISOString().slice(0, 19)}.000000000Z"}\n`);
    }
    const bytes = this.#bytes;
    const last = bytes.length - entryEndBytes - 1;
    const digit = bytes[last] as number;
    if (at.nanos === this.#nanos + 1 && digit < NINE) bytes[last] = digit + 1;
    else this.#setNanos(at.nanos);
    this.#nanos = at.nanos;
    if (bytes[last] === ZERO) return this.#writeTrimmed(out, into);
    out.set(bytes, into);
    return into + bytes.length;
  }

  #setNanos(nanos: number): void {
    let rest = nanos;
    for (let at = this.#bytes.length - entryEndBytes - 1, digits = 0; digits < 9; at--, digits++) {
      this.#bytes[at] = ZERO + (rest % 10);
      rest = Math.floor(rest / 10);
    }
  }

  /** Go's RFC3339Nano has no trailing zeros, and nothing at all for a whole second. */
  #writeTrimmed(out: Buffer, into: number): number {
    const bytes = this.#bytes;
    const end = bytes.length - entryEndBytes;
    let keep = end;
    while (bytes[keep - 1] === ZERO && keep > end - 9) keep--;
    if (keep === end - 9) keep--;
    const to = into + bytes.copy(out, into, 0, keep);
    return to + bytes.copy(out, to, end);
  }
}

const ZERO = 0x30;
const NINE = 0x39;
/** `Z"}` and the newline. */
const entryEndBytes = 4;

function escape(source: Uint8Array, start: number, end: number, out: Uint8Array, into: number): number {
  let to = into;
  for (let i = start; i < end; ) {
    const byte = source[i] as number;
    if (PLAIN[byte] === 1) {
      out[to++] = byte;
      i++;
    } else if (byte < 0x80) {
      to = escapeAscii(byte, out, to);
      i++;
    } else {
      const size = sequenceLength(source, i, end);
      to = escapeWide(source, i, size, out, to);
      i += size || 1;
    }
  }
  return to;
}

function escapeWide(source: Uint8Array, i: number, size: number, out: Uint8Array, into: number): number {
  if (size === 0) return put(U_FFFD, out, into);
  let to = into;
  if (size === 3 && source[i] === 0xe2 && source[i + 1] === 0x80 && ((source[i + 2] as number) & 0xfe) === 0xa8) {
    to = put(U_202, out, to);
    out[to++] = HEX[(source[i + 2] as number) & 0xf] as number;
    return to;
  }
  for (let at = i; at < i + size; at++) out[to++] = source[at] as number;
  return to;
}

function escapeAscii(byte: number, out: Uint8Array, into: number): number {
  let to = into;
  if (byte === 0x22 || byte === 0x5c) {
    out[to++] = 0x5c;
    out[to++] = byte;
  } else if (byte === 0x0a || byte === 0x0d) {
    out[to++] = 0x5c;
    out[to++] = byte === 0x0a ? 0x6e : 0x72;
  } else {
    to = put(U_00, out, to);
    out[to++] = HEX[byte >> 4] as number;
    out[to++] = HEX[byte & 0xf] as number;
  }
  return to;
}

function put(text: Uint8Array, out: Uint8Array, into: number): number {
  for (let i = 0; i < text.length; i++) out[into + i] = text[i] as number;
  return into + text.length;
}

/** Bytes of the UTF-8 sequence at `i`; 0 when it is none (overlong, surrogate, past U+10FFFF, cut off). */
function sequenceLength(source: Uint8Array, i: number, end: number): number {
  const first = source[i] as number;
  const size = declaredLength(first);
  if (size === 0 || i + size > end) return 0;
  const second = source[i + 1] as number;
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (let at = i + 2; at < i + size; at++) if (((source[at] as number) & 0xc0) !== 0x80) return 0;
  return size;
}

const declaredLength = (first: number): number => (first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0);

/** Length of `bytes` without a UTF-8 sequence that is cut off at its end: where a long line may be split. */
export function wholeLength(bytes: Uint8Array, length: number): number {
  for (let back = 1; back <= 3 && back <= length; back++) {
    const byte = bytes[length - back] as number;
    if (byte < 0x80) return length;
    if (byte >= 0xc0) return declaredLength(byte) > back ? length - back : length;
  }
  return length;
}

const endsWhole = (bytes: Uint8Array): boolean => wholeLength(bytes, bytes.length) === bytes.length;
