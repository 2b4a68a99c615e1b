import type { Readable } from "node:stream";
import { delay } from "#base/deadline.ts";

/** Output of the last `windowMs` and so on, older counting less and less: more than this is a flood. */
const floodBytes = 64 * 1024;
const windowMs = 50;
const pauseMsMax = 10;
/** What one read of a stream gives at most. */
const streamReadBytes = 64 * 1024;

/**
 * Most programs write 4 KiB at a time, and each piece costs all who handle it as much as a large one would. So in a flood the pipe is
 * given a moment to fill once little was left in it; nothing waits otherwise.
 */
export class Pace {
  readonly #fullReadBytes: number;
  readonly #gatheredBytes: number;
  #last = 0;
  #level = 0;

  /** After a read of `fullReadBytes` more is to be had at once. `gatheredBytes`: what a pause is to let come together, far less than the pipe holds. */
  constructor(fullReadBytes: number, gatheredBytes: number = fullReadBytes / 2) {
    this.#fullReadBytes = fullReadBytes;
    this.#gatheredBytes = gatheredBytes;
  }

  /** A promise: it is worth waiting for before the next read. */
  after(bytes: number): Promise<void> | undefined {
    const now = performance.now();
    this.#level = this.#level * Math.exp((this.#last - now) / windowMs) + bytes;
    this.#last = now;
    if (this.#level <= floodBytes || bytes >= this.#fullReadBytes) return undefined;
    return delay(Math.min(pauseMsMax, Math.max(1, (this.#gatheredBytes * windowMs) / this.#level)));
  }
}

/** A process's output as it comes, and a flood of it in large pieces. */
export async function* paced(from: Readable): AsyncGenerator<Buffer> {
  const pace = new Pace(streamReadBytes, 4 * streamReadBytes);
  for await (const chunk of from as AsyncIterable<Buffer>) {
    yield chunk;
    const pause = pace.after(chunk.length);
    if (pause) await pause;
  }
}
