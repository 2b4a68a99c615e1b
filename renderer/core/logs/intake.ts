import { FrameReader } from "#api/stdcopy.ts";
import type { LineOrigin } from "./chunk.ts";

type StreamName = "stdout" | "stderr";

/** Longest line kept as one; what is longer goes on in the next. */
const lineBytesMax = 256 * 1024;
const stampBytesMax = 40;
const nothing = new Uint8Array();

export interface LineSink {
  add(line: Uint8Array, origin: LineOrigin): void;
}

/** What one stream has of a line that is not complete yet. */
class Partial {
  #bytes = new Uint8Array(4096);
  length = 0;
  time = 0;
  /** The next bytes are a time stamp, when they look like one. */
  stampDue = true;

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }
  append(piece: Uint8Array): void {
    if (this.length + piece.length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.length + piece.length));
      grown.set(this.bytes);
      this.#bytes = grown;
    }
    this.#bytes.set(piece, this.length);
    this.length += piece.length;
  }
}

/**
 * Bytes of `GET /containers/{id}/logs?timestamps=1` in, lines with their time out. Docker writes the stamp at the start
 * of every frame, also in the middle of a line that it split at 16 KiB; with a TTY at the start of every line.
 */
export class LogIntake {
  /** With a TTY there are no frames: all bytes are standard output. */
  readonly #frames: FrameReader | undefined;
  readonly #sink: LineSink;
  readonly #partial: Readonly<Record<StreamName, Partial>> = { stdout: new Partial(), stderr: new Partial() };
  /** Bytes that may yet turn out to be a stamp: it can be cut in two by the transport. */
  readonly #stamp: Record<StreamName, Uint8Array> = { stdout: nothing, stderr: nothing };
  /** Begins with the newest stamp. */
  #lastStamp: Uint8Array;
  #lastStampLength: number;

  /** `lastStamp`: of the intake before, when the stream was broken off. */
  constructor(tty: boolean, sink: LineSink, lastStamp = "") {
    this.#lastStamp = new TextEncoder().encode(lastStamp);
    this.#lastStampLength = this.#lastStamp.length;
    this.#frames = tty ? undefined : new FrameReader();
    this.#sink = sink;
  }

  /** The newest stamp as the engine wrote it, for reading on after a break. */
  get lastStamp(): string {
    return new TextDecoder().decode(this.#lastStamp.subarray(0, this.#lastStampLength));
  }

  push(bytes: Uint8Array): void {
    if (this.#frames === undefined) return this.#take("stdout", this.#partial.stdout, bytes);
    for (const { stream, payload } of this.#frames.push(bytes)) {
      const name = stream === "stdout" ? "stdout" : "stderr";
      this.#partial[name].stampDue = true;
      this.#take(name, this.#partial[name], payload);
    }
  }

  /** The stream is over: what has no newline yet is a line. */
  end(): void {
    for (const stream of ["stdout", "stderr"] as const) {
      const partial = this.#partial[stream];
      partial.append(this.#stamp[stream]);
      this.#stamp[stream] = nothing;
      if (partial.length > 0) this.#commit(stream, partial, nothing);
    }
  }

  #take(stream: StreamName, partial: Partial, payload: Uint8Array): void {
    let rest = payload;
    while (rest.length > 0) {
      if (partial.stampDue) {
        const after = this.#takeStamp(stream, partial, rest);
        if (after === undefined) return;
        rest = after;
        continue;
      }
      const end = rest.indexOf(10);
      if (end < 0) {
        partial.append(rest);
        if (partial.length > lineBytesMax) this.#commit(stream, partial, nothing);
        return;
      }
      this.#commit(stream, partial, rest.subarray(0, end));
      partial.stampDue = true;
      rest = rest.subarray(end + 1);
    }
  }

  /** Takes the stamp off the front; what is left, or `undefined` while more bytes are needed to tell. */
  #takeStamp(stream: StreamName, partial: Partial, rest: Uint8Array): Uint8Array | undefined {
    const held = this.#stamp[stream];
    const bytes = held.length === 0 ? rest : joined(held, rest);
    const space = firstSpace(bytes);
    if (space < 0 && bytes.length < stampBytesMax && bytes.indexOf(10) < 0) {
      this.#stamp[stream] = bytes.slice();
      return undefined;
    }
    if (held.length > 0) this.#stamp[stream] = nothing;
    partial.stampDue = false;
    const time = space < 0 ? undefined : stampTime(bytes, space);
    if (time === undefined) return bytes;
    if (partial.length === 0) partial.time = time;
    this.#lastStamp = bytes;
    this.#lastStampLength = space;
    return bytes.subarray(space + 1);
  }

  #commit(stream: StreamName, partial: Partial, tail: Uint8Array): void {
    let line = tail;
    if (partial.length > 0) {
      partial.append(tail);
      line = partial.bytes;
    }
    if (line.at(-1) === 13) line = line.subarray(0, -1);
    this.#sink.add(line, { time: partial.time, stderr: stream === "stderr", source: 0 });
    partial.length = 0;
  }
}

function firstSpace(bytes: Uint8Array): number {
  const end = Math.min(bytes.length, stampBytesMax);
  for (let i = 0; i < end; i += 1) if (bytes[i] === 32) return i;
  return -1;
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

/** Epoch milliseconds of an RFC 3339 stamp in UTC of `length` bytes, or `undefined` when it is none. */
function stampTime(bytes: Uint8Array, length: number): number | undefined {
  if (length < 20 || bytes[4] !== 45 || bytes[10] !== 84 || bytes[13] !== 58 || bytes[length - 1] !== 90) return undefined;
  const digits = (at: number, n: number): number => {
    let value = 0;
    for (let i = at; i < at + n; i += 1) value = value * 10 + (bytes[i] ?? 0) - 48;
    return value;
  };
  const millis = bytes[19] === 46 && length >= 24 ? digits(20, 3) : 0;
  const time = dayStart(digits(0, 4), digits(5, 2), digits(8, 2)) + ((digits(11, 2) * 60 + digits(14, 2)) * 60 + digits(17, 2)) * 1000 + millis;
  return Number.isFinite(time) ? time : undefined;
}

let day = { key: -1, start: 0 };
/** A log rarely changes its day: one calendar computation a day, not one a line. */
function dayStart(year: number, month: number, date: number): number {
  const key = (year * 100 + month) * 100 + date;
  if (day.key !== key) day = { key, start: Date.UTC(year, month - 1, date) };
  return day.start;
}
