import type { Readable } from "node:stream";
import { delay } from "#base/deadline.ts";

/** More than this within the window is a flood. */
const floodBytes = 64 * 1024;
const windowMs = 10;
const pauseMs = 2;
/** What one read of a stream gives at most: after a read of so much there is more to be had at once. */
const fullReadBytes = 64 * 1024;

/**
 * Most programs write 4 KiB at a time, and each piece costs all who handle it as much as a large one would. So in a flood the pipe is
 * given a moment to fill once little was left in it; nothing waits otherwise.
 */
export class Pace {
  #since = 0;
  #seen = 0;

  /** A promise: it is worth waiting for before the next read. */
  after(bytes: number): Promise<void> | undefined {
    const now = performance.now();
    if (now - this.#since > windowMs) {
      this.#since = now;
      this.#seen = 0;
    }
    this.#seen += bytes;
    return this.#seen > floodBytes && bytes < fullReadBytes ? delay(pauseMs) : undefined;
  }
}

/** A process's output as it comes, and a flood of it in large pieces. */
export async function* paced(from: Readable): AsyncGenerator<Buffer> {
  const pace = new Pace();
  for await (const chunk of from as AsyncIterable<Buffer>) {
    yield chunk;
    const pause = pace.after(chunk.length);
    if (pause) await pause;
  }
}
