import type { Readable } from "node:stream";
import { delay } from "#base/deadline.ts";

/** More than this within the window is a flood. */
const floodBytes = 64 * 1024;
const windowMs = 10;
const pauseMs = 2;
/** What one read gives at most: after a read of so much there is more to be had at once. */
const fullReadBytes = 64 * 1024;

/** Output that can be read piece by piece: what an engine that is killed has read ahead, and not logged, is lost. */
export interface ReadOnDemand {
  /** From now on nothing is read before the returned function is called, and one piece each time. */
  readOnDemand(): () => void;
}

const isOnDemand = (from: Readable): from is Readable & ReadOnDemand => "readOnDemand" in from;

/**
 * A process's output as it comes, and a flood of it in large pieces: most programs write 4 KiB at a time, and each piece costs all who
 * handle it as much as a large one would. Once little was left in a flood, the pipe is given a moment to fill; nothing waits otherwise.
 */
export async function* paced(from: Readable): AsyncGenerator<Buffer> {
  let since = 0;
  let seen = 0;
  const ask = isOnDemand(from) ? from.readOnDemand() : (): void => undefined;
  ask();
  for await (const chunk of from as AsyncIterable<Buffer>) {
    yield chunk;
    const now = performance.now();
    if (now - since > windowMs) {
      since = now;
      seen = 0;
    }
    seen += chunk.length;
    if (seen > floodBytes && chunk.length < fullReadBytes) await delay(pauseMs);
    ask();
  }
}
