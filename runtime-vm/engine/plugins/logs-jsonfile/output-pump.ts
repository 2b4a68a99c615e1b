import { isClass } from "#base/errors.ts";
import { Pace } from "#core/tasks/paced.ts";
import type { OutputSpool, OutputSpools } from "#core/tasks/spool.ts";
import { sourceBytesMax } from "./line-codec.ts";

/** Handed to the writer and not yet in the log: past the first the program waits, below the second it goes on. */
const outstandingBytesMax = 1024 * 1024;
const outstandingBytesLow = 512 * 1024;
/** What the writer encodes at a time. */
export const pieceBytesMax = sourceBytesMax;

/** Output between two offsets of a spool. */
export interface Piece {
  readonly stream: 0 | 1;
  readonly spool: OutputSpool;
  readonly from: number;
  readonly to: number;
}

/** A promise: take no more of this stream until it resolves. */
export type Take = (piece: Piece) => Promise<unknown> | undefined;

/** Moves a process's output to a log, no faster than `written` confirms it; or, when told to drop, never waiting at all. */
export class OutputPump {
  readonly #dropPastBytes: number | undefined;
  readonly #pieceBytes: number;
  readonly #take: Take;
  #outstanding = 0;
  #stalled: (() => void)[] = [];

  constructor(take: Take, dropPastBytes?: number) {
    this.#take = take;
    this.#dropPastBytes = dropPastBytes;
    this.#pieceBytes = Math.min(pieceBytesMax, dropPastBytes ?? pieceBytesMax);
  }

  /** Begins at the offsets `taken`. Resolves when both streams have ended and been taken; false when the engine let go of the task, which lives on. */
  async run({ stdout, stderr }: OutputSpools, taken: readonly [number, number]): Promise<boolean> {
    const streams = [this.#move(stdout, 0, taken[0]), ...(stderr ? [this.#move(stderr, 1, taken[1])] : [])];
    return (await Promise.all(streams)).every((ended) => ended);
  }

  written(bytes: number): void {
    this.#outstanding = Math.max(0, this.#outstanding - bytes);
    if (this.#outstanding <= outstandingBytesLow) this.#release();
  }

  /** Nobody will confirm any more: the program must not wait for that. */
  giveUp(): void {
    this.#outstanding = 0;
    this.#release();
  }

  async #move(spool: OutputSpool, stream: 0 | 1, start: number): Promise<boolean> {
    const pace = new Pace(Math.min(this.#pieceBytes, spool.pipeBytes / 2));
    let from = start;
    try {
      for (let moved = 0; ; ) {
        while (from < spool.end) {
          const to = Math.min(spool.end, from + this.#pieceBytes);
          if (this.#dropPastBytes !== undefined && this.#outstanding + to - from > this.#dropPastBytes) {
            spool.cut(from);
            break;
          }
          const room = this.#give({ stream, spool, from, to });
          from = to;
          if (room) await room;
        }
        const pause = pace.after(moved);
        if (pause) await pause;
        moved = await spool.fill(this.#pieceBytes);
        if (moved === 0) return true;
      }
    } catch (error) {
      if (isClass(error, "cancelled")) return false;
      throw error;
    }
  }

  #give(piece: Piece): Promise<unknown> | undefined {
    this.#outstanding += piece.to - piece.from;
    const room = this.#take(piece);
    if (this.#dropPastBytes !== undefined) return undefined;
    if (this.#outstanding < outstandingBytesMax) return room;
    const written = new Promise<void>((resolve) => this.#stalled.push(resolve));
    return room ? Promise.all([room, written]) : written;
  }

  #release(): void {
    const stalled = this.#stalled;
    this.#stalled = [];
    for (const done of stalled) done();
  }
}
