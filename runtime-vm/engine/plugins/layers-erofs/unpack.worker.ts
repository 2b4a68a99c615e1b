/**
 * One layer at a time: reads a blob's file, hashes and decompresses it, hashes the tar, checks every header, writes the tar and
 * its index (or its files). Nothing is synced here. The main thread only names files; see unpack-pool.ts.
 */
import { createHash, type Hash } from "node:crypto";
import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import type { Transform } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { TarScanner } from "#core/layers/tar-scanner.ts";
import type { EngineError } from "#base/errors.ts";
import { LayerTree, type LayerReport } from "./layer-tree.ts";
import type { Special } from "./materialize.ts";
import { isKnown, unpackKnown, written } from "./plain-tar.ts";
import { unpackFailure } from "./unpack-failure.ts";
import { eachPiece, Source, type SourcePiece } from "./source.ts";

export interface UnpackRequest {
  /** Blob: a tar, plain or compressed by gzip or zstd (told by its first bytes, not its media type). */
  readonly source: string;
  /** Where the plain tar goes; absent: the source is a plain tar, and stays where it is. */
  readonly tar?: string;
  /** Of a plain tar that is known to have it: then only its headers are read. */
  readonly digest?: `sha256:${string}`;
  /** Where the EROFS index goes, if one is wanted. */
  readonly index?: string;
  /** Where the files go when no index is wanted or this tar cannot have one. */
  readonly directory: string;
}

export type UnpackMessage =
  /** `readable`: the source is still being written, and that much of it is there. */
  | { readonly kind: "unpack"; readonly request: UnpackRequest; readonly readable?: number }
  | { readonly kind: "grown"; readonly readable: number; readonly piece?: SourcePiece }
  | { readonly kind: "whole" };

export interface Unpacked {
  readonly kind: "done";
  readonly digest: `sha256:${string}`;
  readonly size: number;
  readonly report: LayerReport;
  /** Size of the index; absent: the layer is in the directory. */
  readonly indexBytes?: number;
  readonly specials: readonly Special[];
}

export type UnpackReply =
  | { readonly kind: "progress"; readonly bytes: number }
  /** The piece from there on may be used again. */
  | { readonly kind: "used"; readonly at: number }
  /** The source has been read to its end. */
  | { readonly kind: "hashed"; readonly digest: `sha256:${string}` }
  | Unpacked
  | { readonly kind: "failed"; readonly class: EngineError["class"]; readonly message: string };

const chunkBytes = 1024 * 1024;
const progressBytes = 4 * 1024 * 1024;

/** Compression of a file by its magic number; undefined for a plain tar. */
export function decompressorOf(head: Buffer): (() => Transform) | undefined {
  if (head.length >= 2 && head[0] === 0x1f && head[1] === 0x8b) return () => createGunzip({ chunkSize: chunkBytes });
  if (head.length >= 4 && head.readUInt32LE(0) === 0xfd2fb528) return () => createZstdDecompress({ chunkSize: chunkBytes });
  return undefined;
}

async function unpack(request: UnpackRequest, source: Source): Promise<UnpackReply> {
  if (isKnown(request)) {
    const done = unpackKnown(request);
    reply({ kind: "hashed", digest: request.digest });
    return done;
  }
  const tree = new LayerTree();
  const scanner = new TarScanner({ entry: (entry) => tree.add(entry) });
  return written(tree, await readTar(request, source, scanner), request);
}

async function readTar(request: UnpackRequest, source: Source, scanner: TarScanner): Promise<{ digest: `sha256:${string}`; size: number }> {
  const decompressor = decompressorOf(headOf(request.source))?.();
  const hash = createHash("sha256");
  // A plain tar is its own source, and is hashed once.
  const sourceHash = decompressor === undefined ? undefined : createHash("sha256");
  const target = request.tar === undefined ? undefined : openSync(request.tar, "wx", 0o644);
  let size = 0;
  const sink = (chunk: Buffer): void => {
    size += chunk.length;
    take(chunk, { hash, scanner, target });
    report(source.read);
  };
  try {
    if (decompressor === undefined) await eachPiece(request.source, source, sink);
    else {
      let failure: { readonly error: unknown } | undefined;
      const plain = inflated(decompressor, sink);
      plain.catch((error: unknown) => (failure = { error }));
      await eachPiece(request.source, source, async (piece) => {
        sourceHash!.update(piece);
        await taken(decompressor, piece);
        if (failure !== undefined) throw failure.error;
      });
      decompressor.end();
      await plain;
    }
    scanner.end();
    const digest = `sha256:${hash.digest("hex")}` as const;
    reply({ kind: "hashed", digest: sourceHash === undefined ? digest : `sha256:${sourceHash.digest("hex")}` });
    return { digest, size };
  } finally {
    decompressor?.destroy();
    if (target !== undefined) closeSync(target);
  }
}

/** Resolves when the piece has been used, so that its memory can be. A stream that is over before its file, or broken, takes no more. */
async function taken(decompressor: Transform, piece: Buffer): Promise<void> {
  if (decompressor.destroyed || decompressor.readableEnded) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      decompressor.off("close", done).off("end", done);
      resolve();
    };
    decompressor.once("close", done).once("end", done);
    decompressor.write(piece, done);
  });
}

async function inflated(decompressor: Transform, sink: (chunk: Buffer) => void): Promise<void> {
  for await (const chunk of decompressor as AsyncIterable<Buffer>) {
    sink(chunk);
    const { buffer, byteOffset, length } = chunk;
    // Its last piece: freed here, not by a garbage collector that such buffers make run again and again.
    if (buffer instanceof ArrayBuffer && byteOffset + length === buffer.byteLength) buffer.transfer(0);
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

const used = (at: number): void => reply({ kind: "used", at });
let current = new Source(0, used);

parentPort?.on("message", (message: UnpackMessage) => {
  if (message.kind === "grown") return current.grow(message.readable, message.piece);
  // Past its end a file reads as empty, which ends the source.
  if (message.kind === "whole") return current.grow(Number.POSITIVE_INFINITY);
  reported = 0;
  current = new Source(message.readable ?? Number.POSITIVE_INFINITY, used);
  unpack(message.request, current).then(reply, (error: unknown) => {
    const failure = unpackFailure(error);
    reply({ kind: "failed", class: failure.class, message: failure.message });
  });
});
