import { spawn } from "node:child_process";
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { PassThrough, type Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { createGunzip, createZstdDecompress, gzip } from "node:zlib";
import { EngineError } from "#base/errors.ts";

export type Compression = "none" | "gzip" | "zstd" | "bzip2" | "xz";

const chunkSize = 1024 * 1024;
const gzipBlock = promisify(gzip);
const magic: readonly (readonly [Compression, Buffer])[] = [
  ["gzip", Buffer.from([0x1f, 0x8b])],
  ["zstd", Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
  ["bzip2", Buffer.from("BZh")],
  ["xz", Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])],
];

/** Told by the first bytes, whatever a name or media type says. */
export const compressionOf = (head: Buffer): Compression => magic.find(([, start]) => head.subarray(0, start.length).equals(start))?.[0] ?? "none";

/** Passes a stream on, plain. Rejects (invalidArgument) an empty one and damaged compression. */
export async function decompress(from: Readable, to: Writable, signal: AbortSignal): Promise<void> {
  const head = await peek(from);
  if (head.length === 0) throw new EngineError("invalidArgument", "unexpected EOF");
  const compression = compressionOf(head);
  if (compression === "none") return await pipeline(from, to, { signal });
  if (compression === "bzip2" || compression === "xz") return await throughProgram(compression, from, to, signal);
  await pipeline(from, compression === "gzip" ? createGunzip({ chunkSize }) : createZstdDecompress({ chunkSize }), to, { signal });
}

/** Formats that Node does not read, and that are rare: the tool tree's busybox does. */
async function throughProgram(program: "bzip2" | "xz", from: Readable, to: Writable, signal: AbortSignal): Promise<void> {
  const child = spawn(program, ["-dc"], { stdio: ["pipe", "pipe", "ignore"], signal });
  const ended = once(child, "close") as Promise<[number | null]>;
  const passed = Promise.all([pipeline(from, child.stdin).catch(() => {}), pipeline(child.stdout, to, { signal, end: false }), ended]);
  try {
    const [, , [code]] = await passed;
    if (code !== 0) throw new EngineError("invalidArgument", `the archive is no sound ${program} file`);
    to.end();
  } finally {
    child.kill();
  }
}

/** The stream's first bytes, put back. */
export async function peek(stream: Readable): Promise<Buffer> {
  for (;;) {
    const chunk = stream.read() as Buffer | null;
    if (chunk !== null) {
      stream.unshift(chunk);
      return chunk;
    }
    if (stream.readableEnded || stream.destroyed) return Buffer.alloc(0);
    await new Promise<void>((resolve, reject) => {
      const settle = (error?: Error): void => {
        stream.off("readable", settle).off("end", settle).off("error", settle).off("close", settle);
        if (error instanceof Error) reject(error);
        else resolve();
      };
      stream.once("readable", settle).once("end", settle).once("error", settle).once("close", settle);
    });
  }
}

/**
 * Compresses to gzip in blocks that stand for themselves (RFC 1952, 2.2: a file is a series of members), so that every processor
 * takes one: the same bytes for the same source, wherever that was cut.
 */
export async function* gzipped(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const waiting: Promise<Buffer>[] = [];
  try {
    for await (const block of blocksOf(source)) {
      waiting.push(gzipBlock(block));
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

/** A plain stream of what `from` holds. */
export function decompressed(from: Readable, signal: AbortSignal): Readable {
  const plain = new PassThrough({ highWaterMark: chunkSize });
  decompress(from, plain, signal).catch((error: unknown) => plain.destroy(error instanceof Error ? error : new Error(String(error))));
  return plain;
}
