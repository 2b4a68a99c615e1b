/**
 * One layer at a time: reads a blob's file, hashes and decompresses it, hashes the tar, checks every header, writes the tar and
 * its index (or its files). Nothing is synced here. The main thread only names files; see unpack-pool.ts.
 */
import { createHash, type Hash } from "node:crypto";
import { closeSync, openSync, readSync, writeFileSync, writeSync } from "node:fs";
import { open } from "node:fs/promises";
import { parentPort } from "node:worker_threads";
import { pipeline } from "node:stream/promises";
import type { Transform } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { TarScanner } from "#core/layers/tar-scanner.ts";
import { EngineError, messageOf } from "#base/errors.ts";
import { encodeErofs } from "./erofs-image.ts";
import { LayerTree, type LayerReport } from "./layer-tree.ts";
import { materialize, type Special } from "./materialize.ts";

export interface UnpackRequest {
  /** Blob: a tar, plain or compressed by gzip or zstd (told by its first bytes, not its media type). */
  readonly source: string;
  /** Where the plain tar goes; absent: the source is a plain tar, and stays where it is. */
  readonly tar?: string;
  /** Where the EROFS index goes, if one is wanted. */
  readonly index?: string;
  /** Where the files go when no index is wanted or this tar cannot have one. */
  readonly directory: string;
}

export type UnpackMessage =
  /** `readable`: the source is still being written, and that much of it is there. */
  | { readonly kind: "unpack"; readonly request: UnpackRequest; readonly readable?: number }
  | { readonly kind: "grown"; readonly readable: number }
  | { readonly kind: "whole" };

export type UnpackReply =
  | { readonly kind: "progress"; readonly bytes: number }
  /** The source has been read to its end. */
  | { readonly kind: "hashed"; readonly digest: `sha256:${string}` }
  | {
      readonly kind: "done";
      readonly digest: `sha256:${string}`;
      readonly size: number;
      readonly report: LayerReport;
      /** Size of the index; absent: the layer is in the directory. */
      readonly indexBytes?: number;
      readonly specials: readonly Special[];
    }
  | { readonly kind: "failed"; readonly class: EngineError["class"]; readonly message: string };

const chunkBytes = 1024 * 1024;
const progressBytes = 4 * chunkBytes;

/** Compression of a file by its magic number; undefined for a plain tar. */
export function decompressorOf(head: Buffer): (() => Transform) | undefined {
  if (head.length >= 2 && head[0] === 0x1f && head[1] === 0x8b) return () => createGunzip({ chunkSize: chunkBytes });
  if (head.length >= 4 && head.readUInt32LE(0) === 0xfd2fb528) return () => createZstdDecompress({ chunkSize: chunkBytes });
  return undefined;
}

async function unpack(request: UnpackRequest, source: Source): Promise<UnpackReply> {
  const tree = new LayerTree();
  const scanner = new TarScanner({ entry: (entry) => tree.add(entry) });
  const { digest, size } = await readTar(request, source, scanner);
  const layer = tree.report();
  const done = { kind: "done", digest, size, report: layer, specials: [] } as const;
  if (request.index !== undefined && layer.unpackReason === undefined) {
    const image = encodeErofs(tree.root, size);
    writeFileSync(request.index, image, { flag: "wx", mode: 0o644 });
    return { ...done, indexBytes: image.length };
  }
  return { ...done, specials: materialize(tree.root, request.tar ?? request.source, request.directory) };
}

async function readTar(request: UnpackRequest, source: Source, scanner: TarScanner): Promise<{ digest: `sha256:${string}`; size: number }> {
  const decompressor = decompressorOf(headOf(request.source));
  const hash = createHash("sha256");
  // A plain tar is its own source, and is hashed once.
  const sourceHash = decompressor === undefined ? undefined : createHash("sha256");
  const target = request.tar === undefined ? undefined : openSync(request.tar, "wx", 0o644);
  try {
    const blob = readGrowing(request.source, source, sourceHash);
    let size = 0;
    const sink = async (chunks: AsyncIterable<Buffer>): Promise<void> => {
      for await (const chunk of chunks) {
        size += chunk.length;
        take(chunk, { hash, scanner, target });
        report(source.read);
      }
    };
    if (decompressor === undefined) await pipeline(blob, sink);
    else await pipeline(blob, decompressor(), sink);
    scanner.end();
    // A compressed stream may end before its file does.
    for await (const _ of readGrowing(request.source, source, sourceHash)) report(source.read);
    const digest = `sha256:${hash.digest("hex")}` as const;
    reply({ kind: "hashed", digest: sourceHash === undefined ? digest : `sha256:${sourceHash.digest("hex")}` });
    return { digest, size };
  } finally {
    if (target !== undefined) closeSync(target);
  }
}

/** How much of the source may be read, and how much has been. */
class Source {
  read = 0;
  #readable: number;
  #wake: (() => void) | undefined;

  constructor(readable: number) {
    this.#readable = readable;
  }

  grow(readable: number): void {
    this.#readable = readable;
    this.#wake?.();
  }

  /** Bytes that can be read now; waits where there are none and more will come. */
  async left(): Promise<number> {
    while (this.#readable === this.read) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#readable - this.read;
  }
}

/** What of the source has not been read yet, as it comes. */
async function* readGrowing(path: string, source: Source, hash: Hash | undefined): AsyncIterable<Buffer> {
  const file = await open(path, "r");
  try {
    for (;;) {
      const buffer = Buffer.allocUnsafe(Math.min(chunkBytes, await source.left()));
      const { bytesRead } = await file.read(buffer, 0, buffer.length, source.read);
      if (bytesRead === 0) return;
      source.read += bytesRead;
      const chunk = buffer.subarray(0, bytesRead);
      hash?.update(chunk);
      yield chunk;
    }
  } finally {
    await file.close();
  }
}

function take(chunk: Buffer, to: { hash: Hash; scanner: TarScanner; target: number | undefined }): void {
  to.hash.update(chunk);
  to.scanner.push(chunk);
  for (let at = 0; to.target !== undefined && at < chunk.length; ) at += writeSync(to.target, chunk, at);
}

function headOf(path: string): Buffer {
  const fd = openSync(path, "r");
  try {
    const head = Buffer.alloc(4);
    return head.subarray(0, readSync(fd, head, 0, 4, 0));
  } finally {
    closeSync(fd);
  }
}

let reported = 0;
function report(bytes: number): void {
  if (bytes - reported < progressBytes) return;
  reported = bytes;
  reply({ kind: "progress", bytes });
}

function reply(message: UnpackReply): void {
  parentPort!.postMessage(message);
}

let current = new Source(0);

parentPort?.on("message", (message: UnpackMessage) => {
  if (message.kind === "grown") return current.grow(message.readable);
  // Past its end a file reads as empty, which ends the source.
  if (message.kind === "whole") return current.grow(Number.POSITIVE_INFINITY);
  reported = 0;
  current = new Source(message.readable ?? Number.POSITIVE_INFINITY);
  unpack(message.request, current).then(reply, (error: unknown) => {
    reply({ kind: "failed", class: error instanceof EngineError ? error.class : classOfCode(error), message: messageOf(error) });
  });
});

/** A damaged compressed stream is the sender's fault, a full disk is ours. */
function classOfCode(error: unknown): EngineError["class"] {
  const code = typeof error === "object" && error !== null && "code" in error ? String(error.code) : "";
  if (code === "ENOSPC" || code === "EDQUOT") return "exhausted";
  return code.startsWith("Z_") || code.startsWith("ZSTD_") || code === "ERR_BUFFER_TOO_LARGE" ? "invalidArgument" : "internal";
}
