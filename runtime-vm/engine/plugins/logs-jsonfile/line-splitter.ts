import { limits } from "#base/limits.ts";
import { wholeLength, type LineEncoder } from "./encode.ts";
import type { EntryTail } from "./entry-tail.ts";
import { sourceBytesMax } from "./line-codec.ts";
import type { LogClock } from "./log-clock.ts";

const none = new Uint8Array(0);
/** After a line that could not be had quickly the next ones probably cannot either. */
const hardLinesInARow = 16;

/** Where entries go. */
export interface EntrySink {
  readonly clock: LogClock;
  /** Bytes of entries that may still come in a row. */
  room(): number;
  /** Called after one or more: a file can be rotated here. */
  written(): void;
}

/**
 * Cuts one stream's bytes into log entries: a line with its newline, or a piece of one that is longer than the limit (without). What
 * has no newline yet is kept until more comes, or the end.
 */
export class LineSplitter {
  readonly #tail: EntryTail;
  #pending: Uint8Array = none;
  /** Offset in the stream of what is pushed next. */
  #end = 0;
  #taken = 0;

  constructor(tail: EntryTail) {
    this.#tail = tail;
  }

  /** The bytes that belong to no entry yet. */
  get pending(): Uint8Array {
    return this.#pending;
  }

  /** Offset in the stream up to which all is in entries. */
  get taken(): number {
    return this.#taken;
  }

  /** The next bytes are those at `offset`; what had no newline is forgotten. */
  begin(offset: number): void {
    this.#pending = none;
    this.#end = offset;
    this.#taken = offset;
  }

  push(chunk: Buffer, encoder: LineEncoder, log: EntrySink): void {
    for (let at = 0; at < chunk.length; at += sourceBytesMax) this.#part(chunk.subarray(at, at + sourceBytesMax), encoder, log);
  }

  /** The stream is over. */
  end(encoder: LineEncoder, log: EntrySink): void {
    if (this.#pending.length === 0) return;
    encoder.line(this.#tail, this.#pending, none, 0, 0, false, log.clock.tick());
    this.#pending = none;
    this.#taken = this.#end;
    log.written();
  }

  #part(chunk: Buffer, encoder: LineEncoder, log: EntrySink): void {
    encoder.put(chunk);
    let start = 0;
    for (let hard = 0; ; hard--) {
      if (this.#pending.length === 0 && hard <= 0) {
        const next = encoder.simpleLines(this.#tail, start, log.clock, log.room());
        if (next > start) {
          start = next;
          this.#taken = this.#end + start;
          log.written();
          continue;
        }
        hard = hardLinesInARow;
      }
      const newline = chunk.indexOf(0x0a, start);
      const end = newline < 0 ? chunk.length : newline;
      while (this.#pending.length + end - start >= limits.logLineBytesMax) start = this.#cut(chunk, start, encoder, log);
      if (newline < 0) break;
      encoder.line(this.#tail, this.#pending, chunk, start, end, true, log.clock.tick());
      this.#pending = none;
      start = newline + 1;
      this.#taken = this.#end + start;
      log.written();
    }
    if (start < chunk.length) this.#pending = Buffer.concat([this.#pending, chunk.subarray(start)]);
    this.#end += chunk.length;
  }

  /** One piece of an overlong line, never through a character; returns where the rest starts. */
  #cut(chunk: Buffer, start: number, encoder: LineEncoder, log: EntrySink): number {
    const room = limits.logLineBytesMax - this.#pending.length;
    const piece = this.#pending.length === 0 ? chunk.subarray(start, start + room) : Buffer.concat([this.#pending, chunk.subarray(start, start + room)]);
    const whole = wholeLength(piece, piece.length);
    encoder.line(this.#tail, none, piece, 0, whole, false, log.clock.tick());
    this.#pending = whole === piece.length ? none : Buffer.from(piece.subarray(whole));
    this.#taken = this.#end + start + room - this.#pending.length;
    log.written();
    return start + room;
  }
}
