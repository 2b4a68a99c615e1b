import { availableParallelism } from "node:os";
import { PassThrough, type Readable, type Writable } from "node:stream";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { compressionOf, decompress, peek } from "#core/compression/compression.ts";

const chunkSize = 1024 * 1024;

/** Passes a stream on, plain, whatever its first bytes say it is compressed by. */
export async function inflate(from: Readable, to: Writable, signal: AbortSignal): Promise<void> {
  await decompress(compressionOf(await peek(from)), from, to, signal);
}

/** A plain stream of what `from` holds. */
export function decompressed(from: Readable, signal: AbortSignal): Readable {
  const plain = new PassThrough({ highWaterMark: chunkSize });
  inflate(from, plain, signal).catch((error: unknown) => plain.destroy(error instanceof Error ? error : new Error(String(error))));
  return plain;
}

/**
 * Compresses to gzip in blocks that stand for themselves (RFC 1952, 2.2: a file is a series of members), so that every processor
 * takes one: the same bytes for the same source, wherever that was cut.
 */
export async function* gzipped(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const waiting: Promise<Buffer>[] = [];
  const compress = promisify(gzip);
  try {
    for await (const block of blocksOf(source)) {
      waiting.push(compress(block));
      if (waiting.length > availableParallelism()) yield await waiting.shift()!;
    }
    while (waiting.length > 0) yield await waiting.shift()!;
  } finally {
    await Promise.allSettled(waiting);
  }
}

async function* blocksOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let gathered: Uint8Array[] = [];
  let bytes = 0;
  let any = false;
  for await (const piece of source) {
    let rest = piece;
    while (rest.length > 0) {
      const part = rest.subarray(0, chunkSize - bytes);
      gathered.push(part);
      bytes += part.length;
      rest = rest.subarray(part.length);
      if (bytes < chunkSize) continue;
      yield Buffer.concat(gathered);
      any = true;
      gathered = [];
      bytes = 0;
    }
  }
  if (bytes > 0 || !any) yield Buffer.concat(gathered);
}
