/** One entry of a json-file log, as offsets into the buffer it was found in: nothing is copied until it is wanted. */
export interface Entry {
  stream: 0 | 1;
  textStart: number;
  textEnd: number;
  timeStart: number;
  timeEnd: number;
}

const BACKSLASH = 0x5c;
const QUOTE = 0x22;
/** `{"log":"`. */
const headBytes = 8;
/** `","stream":"` before the stream's six letters, and `","time":"` after them. */
const streamKeyBytes = 12;
const timeKeyBytes = 10;

const ATTRIBUTES = ',"attrs":';

/** How an entry holds its attributes, given as JSON. */
export const attributesText = (json: string): string => (json === "" ? "" : `${ATTRIBUTES}${json}`);

/** Parses the entry between `start` and `end` (its newline left out) by the fixed places of its ends. False when it is none. */
export function parseEntry(buffer: Buffer, start: number, end: number, into: Entry): boolean {
  if (end - start < headBytes + streamKeyBytes + 6 + timeKeyBytes + 22) return false;
  if (buffer[end - 1] !== 0x7d || buffer[end - 2] !== QUOTE || buffer[start + 2] !== 0x6c) return false;
  let quote = end - 20;
  while (quote > end - 36 && buffer[quote] !== QUOTE) quote--;
  if (buffer[quote] !== QUOTE || buffer[quote - 1] !== 0x3a) return false;
  into.timeStart = quote + 1;
  into.timeEnd = end - 2;
  let streamEnd = quote + 1 - timeKeyBytes;
  // Quotes within the text are escaped, so this is not in it.
  if (buffer[streamEnd] === 0x7d) streamEnd = buffer.indexOf(ATTRIBUTES, start) - 1;
  if (streamEnd < start || streamEnd > quote) return false;
  const textEnd = streamEnd - 6 - streamKeyBytes;
  if (buffer[textEnd] !== QUOTE || buffer[textEnd + 3] !== 0x73 || textEnd < start + headBytes) return false;
  // "stdOut", "stdErr"
  const letter = buffer[streamEnd - 3];
  if (letter !== 0x6f && letter !== 0x65) return false;
  into.stream = letter === 0x6f ? 0 : 1;
  into.textStart = start + headBytes;
  into.textEnd = textEnd;
  return true;
}

/** Writes the entry's text, unescaped, to `out`; returns the place after it. Never longer than the escaped text. */
export function writeText(buffer: Buffer, entry: Entry, out: Buffer, into: number): number {
  const { textStart, textEnd } = entry;
  const escape = buffer.indexOf(BACKSLASH, textStart);
  if (escape < 0 || escape >= textEnd) return into + buffer.copy(out, into, textStart, textEnd);
  // Nearly every line: nothing escaped but the newline at its end.
  if (escape === textEnd - 2 && buffer[escape + 1] === 0x6e) {
    const to = into + buffer.copy(out, into, textStart, escape);
    out[to] = 0x0a;
    return to + 1;
  }
  return unescape(buffer, textStart, textEnd, out, into);
}

/** Letters after a backslash, JSON's. */
const simple: Readonly<Record<number, number>> = { 0x6e: 0x0a, 0x72: 0x0d, 0x74: 0x09, 0x62: 0x08, 0x66: 0x0c };

function unescape(buffer: Buffer, start: number, end: number, out: Buffer, into: number): number {
  let to = into;
  let i = start;
  while (i < end) {
    const byte = buffer[i] as number;
    if (byte !== BACKSLASH) {
      out[to++] = byte;
      i++;
      continue;
    }
    const letter = buffer[i + 1] as number;
    if (letter !== 0x75) {
      out[to++] = simple[letter] ?? letter;
      i += 2;
      continue;
    }
    let code = Number.parseInt(buffer.toString("latin1", i + 2, i + 6), 16);
    i += 6;
    if (code >= 0xd800 && code < 0xdc00 && buffer[i] === BACKSLASH) {
      code = 0x10000 + ((code - 0xd800) << 10) + (Number.parseInt(buffer.toString("latin1", i + 2, i + 6), 16) - 0xdc00);
      i += 6;
    }
    to += out.write(String.fromCodePoint(code), to);
  }
  return to;
}

/** Reads the entries' times; the calendar is asked once a second of log time. */
export class TimeReader {
  #second = "";
  #millis = 0;

  /** Nanoseconds since the epoch. */
  nanos(buffer: Buffer, entry: Entry): bigint {
    const { seconds, nanos } = this.parts(buffer, entry);
    return BigInt(seconds) * 1_000_000_000n + BigInt(nanos);
  }

  parts(buffer: Buffer, { timeStart, timeEnd }: Entry): { seconds: number; nanos: number } {
    const second = buffer.toString("latin1", timeStart, timeStart + 19);
    if (second !== this.#second) {
      this.#second = second;
      this.#millis = Date.parse(`${second}Z`);
    }
    let nanos = 0;
    let digits = 0;
    // Without a fraction there is the Z where its point would be.
    for (let i = timeStart + 20; i < timeEnd - 1; i++, digits++) nanos = nanos * 10 + ((buffer[i] as number) - 0x30);
    for (; digits > 0 && digits < 9; digits++) nanos *= 10;
    return { seconds: this.#millis / 1000, nanos };
  }
}

const timestampBytes = 30;

/** `2026-01-02T03:04:05.000000006Z`, always nine digits, as `docker logs -t` shows it. */
export function writeTimestamp(buffer: Buffer, { timeStart, timeEnd }: Entry, out: Buffer, into: number): number {
  buffer.copy(out, into, timeStart, timeEnd - 1);
  let to = into + timeEnd - 1 - timeStart;
  if (timeEnd - timeStart === 20) out[to++] = 0x2e;
  while (to < into + timestampBytes - 1) out[to++] = 0x30;
  out[to++] = 0x5a;
  return to;
}
