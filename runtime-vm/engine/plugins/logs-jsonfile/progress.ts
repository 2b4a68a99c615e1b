import { readSync, writeSync } from "node:fs";

/**
 * How much of a process's output is in its log, and how long the log was then. Kept in a file that outlives the engine, written after each
 * piece: an engine that is killed between writing to the log and writing this has written the log past `size`, and the next one cuts
 * that off and takes the same output once more. So every line is there once. One write(2) within a page: it is there whole or not at all.
 */
export interface Progress {
  /** Which file the log went to: its inode. */
  readonly file: bigint;
  readonly size: number;
  /** Up to where stdout and stderr are in the log. */
  readonly taken: readonly [number, number];
}

const recordBytes = 32;

/** Undefined: nothing was taken yet. */
export function readProgress(fd: number): Progress | undefined {
  const record = Buffer.alloc(recordBytes);
  if (readSync(fd, record, 0, recordBytes, 0) < recordBytes) return undefined;
  const [file = 0n, size, stdout, stderr] = [0, 8, 16, 24].map((at) => record.readBigUInt64LE(at));
  return { file, size: Number(size), taken: [Number(stdout), Number(stderr)] };
}

export class ProgressWriter {
  readonly #fd: number;
  readonly #record = new BigUint64Array(recordBytes / 8);

  constructor(fd: number) {
    this.#fd = fd;
  }

  write({ file, size, taken: [stdout, stderr] }: Progress): void {
    this.#record.set([file, BigInt(size), BigInt(stdout), BigInt(stderr)]);
    writeSync(this.#fd, this.#record, 0, recordBytes, 0);
  }
}
