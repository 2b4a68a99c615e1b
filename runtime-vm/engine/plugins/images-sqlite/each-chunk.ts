import type { Readable } from "node:stream";

/**
 * Hands each chunk of a stream to `take` as it comes, which costs a fraction of an async iterator; the stream waits for what `take` returns.
 * Resolves after the last one. What `take` throws ends the stream, too.
 */
export function eachChunk(stream: Readable, take: (chunk: Buffer) => Promise<void> | undefined): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let taking: Promise<void> | undefined;
  const fail = (error: unknown): void => {
    stream.destroy();
    reject(error as Error);
  };
  stream.on("error", fail);
  stream.on("close", () => reject(new Error("the stream was closed before its end")));
  stream.on("end", () => resolve(taking));
  stream.on("data", (chunk: Buffer) => {
    try {
      taking = take(chunk);
    } catch (error) {
      return fail(error);
    }
    if (taking === undefined) return;
    stream.pause();
    taking.then(() => stream.resume(), fail);
  });
  return promise;
}
