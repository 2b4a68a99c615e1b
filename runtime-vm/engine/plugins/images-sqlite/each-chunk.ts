import type { Readable } from "node:stream";
import { finished } from "node:stream/promises";

/**
 * Hands each chunk of a stream to `take` as it comes, which costs a fraction of an async iterator; the stream waits for what `take` returns.
 * Resolves after the last one. What `take` throws ends the stream, too; one that has ended before its time already is told as such.
 */
export async function eachChunk(stream: Readable, take: (chunk: Buffer) => Promise<void> | undefined): Promise<void> {
  const last: { taking?: Promise<void> | undefined } = {};
  const stop = (error: unknown): void => void stream.destroy(error as Error);
  stream.on("data", (chunk: Buffer) => {
    try {
      last.taking = take(chunk);
    } catch (error) {
      return stop(error);
    }
    if (last.taking === undefined) return;
    stream.pause();
    last.taking.then(() => stream.resume(), stop);
  });
  await finished(stream, { writable: false });
  await last.taking;
}
