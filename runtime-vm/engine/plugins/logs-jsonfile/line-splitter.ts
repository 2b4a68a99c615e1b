import { limits } from "#base/limits.ts";
import { wholeLength, type Clock, type EntryTail, type LineEncoder } from "./encode.ts";

const none = new Uint8Array(0);

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

  /** `tick` gives each entry its time; `written` is called after each, so that a file can be rotated between two entries. */
  push(chunk: Buffer, encoder: LineEncoder, tick: () => Clock, written: () => void): void {
    let start = 0;
    for (;;) {
      if (this.#pending.length === 0) {
        // The newline of a line that is short enough, and the common case.
        const limit = Math.min(chunk.length, start + limits.logLineBytesMax);
        const newline = encoder.wholeLine(this.#tail, chunk, start, limit, tick);
        if (newline >= 0) {
          start = newline + 1;
          this.#taken = this.#end + start;
          written();
          continue;
        }
      }
      const newline = chunk.indexOf(0x0a, start);
      const end = newline < 0 ? chunk.length : newline;
      while (this.#pending.length + end - start >= limits.logLineBytesMax) start = this.#cut(chunk, start, encoder, tick, written);
      if (newline < 0) break;
      encoder.line(this.#tail, this.#pending, chunk, start, end, true, tick());
      this.#pending = none;
      start = newline + 1;
      this.#taken = this.#end + start;
      written();
    }
    if (start < chunk.length) this.#pending = Buffer.concat([this.#pending, chunk.subarray(start)]);
    this.#end += chunk.length;
  }

  /** The stream is over. */
  end(encoder: LineEncoder, tick: () => Clock, written: () => void): void {
    if (this.#pending.length === 0) return;
    encoder.line(this.#tail, this.#pending, none, 0, 0, false, tick());
    this.#pending = none;
    this.#taken = this.#end;
    written();
  }

  /** One piece of an overlong line, never through a character; returns where the rest starts. */
  #cut(chunk: Buffer, start: number, encoder: LineEncoder, tick: () => Clock, written: () => void): number {
    const room = limits.logLineBytesMax - this.#pending.length;
    const piece = this.#pending.length === 0 ? chunk.subarray(start, start + room) : Buffer.concat([this.#pending, chunk.subarray(start, start + room)]);
    const whole = wholeLength(piece, piece.length);
    encoder.line(this.#tail, none, piece, 0, whole, false, tick());
    this.#pending = whole === piece.length ? none : Buffer.from(piece.subarray(whole));
    this.#taken = this.#end + start + room - this.#pending.length;
    written();
    return start + room;
  }
}
