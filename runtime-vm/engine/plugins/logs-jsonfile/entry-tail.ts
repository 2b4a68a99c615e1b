import type { LogStream } from "#core/logs/logs.ts";
import type { Clock } from "./log-clock.ts";

const ZERO = 0x30;
const NINE = 0x39;
const ESCAPED_NEWLINE = "\\n";
/** `Z"}` and the newline. */
const entryEndBytes = 4;

/**
 * What ends an entry: the line's newline, `","stream":"stdout","time":"2026-01-02T03:04:05.000000006Z"}` and a newline. Kept as bytes: from
 * one entry to the next usually one digit changes, and the rest is one copy.
 */
export class EntryTail {
  readonly bytesMax: number;
  readonly #head: string;
  #bytes = Buffer.alloc(0);
  #seconds = -1;
  /** What the digits say. */
  #nanos = 0;

  /** `attributes`: what stands between stream and time in every entry of a log, `,"attrs":{...}` or nothing. */
  constructor(stream: LogStream, attributes: string) {
    this.#head = `${ESCAPED_NEWLINE}","stream":"${stream}"${attributes},"time":"`;
    this.bytesMax = Buffer.byteLength(this.#head) + 64;
  }

  /** As bytes of ours, with all nine digits. Whoever counts them up says so by `countedTo`. */
  at(time: Clock): Uint8Array {
    if (time.seconds !== this.#seconds) {
      this.#seconds = time.seconds;
      this.#nanos = 0;
      this.#bytes = Buffer.from(`${this.#head}${new Date(time.seconds * 1000).toISOString().slice(0, 19)}.000000000Z"}\n`);
    }
    const last = this.#bytes.length - entryEndBytes - 1;
    const digit = this.#bytes[last] as number;
    if (time.nanos === this.#nanos + 1 && digit < NINE) this.#bytes[last] = digit + 1;
    else if (time.nanos !== this.#nanos) this.#setNanos(time.nanos);
    this.#nanos = time.nanos;
    return this.#bytes;
  }

  countedTo(time: Clock): void {
    this.#nanos = time.nanos;
  }

  write(time: Clock, newline: boolean, out: Buffer, into: number): number {
    this.at(time);
    const bytes = newline ? this.#bytes : this.#bytes.subarray(ESCAPED_NEWLINE.length);
    if (bytes[bytes.length - entryEndBytes - 1] === ZERO) return writeTrimmed(bytes, out, into);
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
}

/** Go's RFC3339Nano has no trailing zeros, and nothing at all for a whole second. */
function writeTrimmed(bytes: Buffer, out: Buffer, into: number): number {
  const end = bytes.length - entryEndBytes;
  let keep = end;
  while (bytes[keep - 1] === ZERO && keep > end - 9) keep--;
  if (keep === end - 9) keep--;
  const to = into + bytes.copy(out, into, 0, keep);
  return to + bytes.copy(out, to, end);
}
