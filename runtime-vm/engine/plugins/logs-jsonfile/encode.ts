import type { EntryTail } from "./entry-tail.ts";
import { LineCodec, sourceBytesMax } from "./line-codec.ts";
import type { Clock, LogClock } from "./log-clock.ts";

const PLAIN = new Uint8Array(256);
for (let byte = 0x20; byte < 0x80; byte++) PLAIN[byte] = 1;
for (const special of '"\\<>&') PLAIN[special.charCodeAt(0)] = 0;

const HEAD = Buffer.from('{"log":"');
const HEX = Buffer.from("0123456789abcdef");
const U_FFFD = Buffer.from("\\ufffd");
const U_202 = Buffer.from("\\u202");
const U_00 = Buffer.from("\\u00");
/** The longest escape: six bytes for one. */
const escapedBytesMax = 6;

/**
 * Docker's json-file lines: `{"log":"text\n","stream":"stdout","time":"2026-01-02T03:04:05.000000006Z"}`, escaped byte for byte as dockerd
 * does (`<`, `>`, `&`, U+2028 and U+2029 too; a byte that is no UTF-8 becomes U+FFFD), written without making a string.
 */
export class LineEncoder {
  readonly #codec = new LineCodec();
  #out: Buffer = Buffer.allocUnsafeSlow(64 * 1024);
  #length = 0;
  /** All there is, as the codec has it: most often it is written out before more comes. */
  #simple: Uint8Array | undefined;

  get length(): number {
    return this.#length;
  }

  /** What was encoded since the last `clear`; valid until the next call. */
  get bytes(): Uint8Array {
    return this.#simple ?? this.#out.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
    this.#simple = undefined;
  }

  /** Memory for what is `put`, `sourceBytesMax` of it. */
  get source(): Buffer {
    return this.#codec.source;
  }

  /** What `simpleLines` speaks of: `sourceBytesMax` at most. */
  put(source: Uint8Array): void {
    this.#codec.put(source);
  }

  /** Entries for the whole lines from `start` on that can be had quickly, not many more than `roomBytes` of them; returns where it stopped. */
  simpleLines(tail: EntryTail, start: number, clock: LogClock, roomBytes: number): number {
    if (clock.now.nanos + sourceBytesMax >= 1e9) return start;
    this.#gather();
    const { entries, count, next } = this.#codec.encode(start, tail.at(clock.now), roomBytes);
    clock.advance(count);
    tail.countedTo(clock.now);
    if (this.#length === 0) this.#simple = entries;
    else {
      this.#reserve(entries.length);
      this.#out.set(entries, this.#length);
    }
    this.#length += entries.length;
    return next;
  }

  /** One entry: `first` (what was kept of an unfinished line) followed by `source` from `start` to `end`, and a newline if there was one. */
  line(tail: EntryTail, first: Uint8Array, source: Uint8Array, start: number, end: number, newline: boolean, at: Clock): void {
    this.#gather();
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
    this.#length = tail.write(at, newline, out, to);
  }

  #gather(): void {
    const simple = this.#simple;
    if (!simple) return;
    this.clear();
    this.#reserve(simple.length);
    this.#out.set(simple);
    this.#length = simple.length;
  }

  #reserve(bytes: number): void {
    if (this.#out.length - this.#length >= bytes) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#out.length * 2, this.#length + bytes));
    this.#out.copy(grown, 0, 0, this.#length);
    this.#out = grown;
  }
}

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
