import { closeSync, openSync, readSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { EngineError } from "#base/errors.ts";

/** Bytes of the source in memory that is shared with the thread which receives them. */
export interface SourcePiece {
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** As large as what a download writes at once. */
const chunkBytes = 1024 * 1024;

/** A file that may still be written: what of it can be read, there or in memory, and how much has been. */
export class Source {
  read = 0;
  #readable: number;
  #pieces: SourcePiece[] = [];
  #wake: (() => void) | undefined;
  #stopped = false;
  readonly #onUsed: (at: number) => void;

  /** `onUsed` hears where a piece began that is not needed any more. */
  constructor(readable: number, onUsed: (at: number) => void) {
    this.#readable = readable;
    this.#onUsed = onUsed;
  }

  /** Pieces come in order. */
  grow(readable: number, piece?: SourcePiece): void {
    this.#readable = readable;
    if (piece !== undefined) this.#pieces.push(piece);
    this.#wake?.();
  }

  /** Whoever reads on is told that nobody wants it. */
  stop(): void {
    this.#stopped = true;
    this.#wake?.();
  }

  /** What comes next: bytes in memory, or how many can be read from the file; waits where there are none and more will come. */
  async next(): Promise<Buffer | number> {
    for (;;) {
      if (this.#stopped) throw new EngineError("cancelled", "unpacking was given up");
      this.drop();
      const [first] = this.#pieces;
      if (first !== undefined && first.at <= this.read) {
        const { buffer, byteOffset, length } = first.bytes;
        const passed = this.read - first.at;
        return Buffer.from(buffer, byteOffset + passed, length - passed);
      }
      if (this.#readable > this.read) return Math.min(this.#readable, first?.at ?? Number.POSITIVE_INFINITY) - this.read;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** Lets go of the pieces that have been read. */
  drop(): void {
    for (let [first] = this.#pieces; first !== undefined && first.at + first.bytes.length <= this.read; [first] = this.#pieces) {
      this.#pieces.shift();
      this.#onUsed(first.at);
    }
  }
}

/** The source as it comes, in pieces that are only there until `take` is done with them. */
export async function eachPiece(path: string, source: Source, take: (piece: Buffer) => Promise<void> | void): Promise<void> {
  const buffer = Buffer.allocUnsafeSlow(chunkBytes);
  const file = openSync(path, "r");
  try {
    for (;;) {
      const next = await source.next();
      const piece = typeof next === "number" ? buffer.subarray(0, readSync(file, buffer, 0, Math.min(chunkBytes, next), source.read)) : next;
      if (piece.length === 0) return;
      source.read += piece.length;
      await take(piece);
      source.drop();
      // Others are read on the same thread, and messages come.
      await setImmediate();
    }
  } finally {
    closeSync(file);
  }
}
