import { open } from "node:fs/promises";

const chunkBytes = 1024 * 1024;

/**
 * A file's bytes from `start`, the next chunk being read while one is used; a chunk is good until the next one is asked for. Fresh memory for
 * each would cost the kernel more than reading does.
 */
export async function* fileChunks(path: string, start: number): AsyncGenerator<Buffer> {
  await using file = await open(path, "r");
  let at = start;
  let buffer = Buffer.allocUnsafeSlow(chunkBytes);
  let spare = Buffer.allocUnsafeSlow(chunkBytes);
  const read = async (into: Buffer): Promise<Buffer> => {
    const { bytesRead } = await file.read(into, 0, chunkBytes, at);
    at += bytesRead;
    return into.subarray(0, bytesRead);
  };
  let coming = read(buffer);
  try {
    for (let chunk = await coming; chunk.length > 0; chunk = await coming) {
      [buffer, spare] = [spare, buffer];
      coming = read(buffer);
      // Awaited below; a reader that stops before has its reason.
      coming.catch(() => undefined);
      yield chunk;
    }
  } finally {
    await coming.catch(() => undefined);
  }
}
