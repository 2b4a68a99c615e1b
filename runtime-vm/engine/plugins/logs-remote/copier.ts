import { randomBytes } from "node:crypto";
import { nowNano } from "#core/clock/clock.ts";
import { limits } from "#base/limits.ts";
import type { LogStream } from "#core/logs/logs.ts";

/** One line of output, its newline left out, or a piece of one that is longer than the limit. */
export interface LogMessage {
  readonly stream: LogStream;
  readonly line: Buffer;
  /** Nanoseconds since the epoch. */
  readonly at: bigint;
  readonly partial?: { readonly id: string; readonly ordinal: number; readonly last: boolean };
}

/** Cuts one stream into messages as dockerd's copier does. */
export class Copier {
  readonly #stream: LogStream;
  readonly #take: (message: LogMessage) => void;
  #pending = Buffer.alloc(0);
  #partial: { id: string; ordinal: number } | undefined;

  constructor(stream: LogStream, take: (message: LogMessage) => void) {
    this.#stream = stream;
    this.#take = take;
  }

  push(chunk: Buffer): void {
    const bytes = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    let start = 0;
    for (;;) {
      const newline = bytes.indexOf(0x0a, start);
      const end = newline < 0 ? bytes.length : newline;
      for (; end - start >= limits.logLineBytesMax; start += limits.logLineBytesMax) this.#piece(bytes.subarray(start, start + limits.logLineBytesMax), false);
      if (newline < 0) break;
      this.#piece(bytes.subarray(start, end), true);
      start = newline + 1;
    }
    this.#pending = Buffer.from(bytes.subarray(start));
  }

  /** The stream is over. */
  end(): void {
    if (this.#pending.length > 0) this.#piece(this.#pending, true);
    this.#pending = Buffer.alloc(0);
  }

  #piece(line: Buffer, last: boolean): void {
    if (last && this.#partial === undefined) return this.#take({ stream: this.#stream, line, at: nowNano() });
    this.#partial ??= { id: randomBytes(32).toString("hex"), ordinal: 0 };
    const { id } = this.#partial;
    this.#take({ stream: this.#stream, line, at: nowNano(), partial: { id, ordinal: ++this.#partial.ordinal, last } });
    if (last) this.#partial = undefined;
  }
}
