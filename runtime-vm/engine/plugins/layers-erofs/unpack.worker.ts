/**
 * Layers, several side by side: reads a blob's file, hashes and decompresses it, hashes the tar, checks every header, writes the
 * tar and its index (or its files). Nothing is synced here. The main thread only names files; see unpack-thread.ts.
 */
import { createHash, type Hash } from "node:crypto";
import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import type { Transform } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { TarScanner } from "#core/layers/tar-scanner.ts";
import { codeOf, type EngineError } from "#base/errors.ts";
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
  | { readonly kind: "whole" }
  /** It is not wanted any more; answered when nothing is done for it any more. */
  | { readonly kind: "stop" };

/** `id` tells one layer's messages from another's. */
export interface UnpackAsk {
  readonly id: number;
  readonly message: UnpackMessage;
}
export interface UnpackAnswer {
  readonly id: number;
  readonly reply: UnpackReply;
}

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
  | { readonly kind: "failed"; readonly class: EngineError["class"]; readonly message: string; readonly code?: string };

const chunkBytes = 1024 * 1024;
const progressBytes = 4 * 1024 * 1024;

/** Compression of a file by its magic number; undefined for a plain tar. */
export function decompressorOf(head: Buffer): (() => Transform) | undefined {
  if (head.length >= 2 && head[0] === 0x1f && head[1] === 0x8b) return () => createGunzip({ chunkSize: chunkBytes });
  if (head.length >= 4 && head.readUInt32LE(0) === 0xfd2fb528) return () => createZstdDecompress({ chunkSize: chunkBytes });
  return undefined;
}

type Reply = (message: UnpackReply) => void;

async function unpack(request: UnpackRequest, source: Source, reply: Reply): Promise<UnpackReply> {
  if (isKnown(request)) {
    const done = unpackKnown(request);
    reply({ kind: "hashed", digest: request.digest });
    return done;
  }
  const tree = new LayerTree();
  const scanner = new TarScanner({ entry: (entry) => tree.add(entry) });
  const read = await readTar(request, scanner, { source, report: progress(reply) });
  reply({ kind: "hashed", digest: read.sourceDigest });
  return written(tree, read, request);
}

interface Reading {
  readonly source: Source;
  readonly report: (bytes: number) => void;
}

interface Read {
  readonly digest: `sha256:${string}`;
  readonly size: number;
  readonly sourceDigest: `sha256:${string}`;
}

async function readTar(request: UnpackRequest, scanner: TarScanner, { source, report }: Reading): Promise<Read> {
  const decompressor = decompressorOf(headOf(request.source))?.();
  const hash = createHash("sha256");
  // A plain tar is its own source, and is hashed once.
  const sourceHash = decompressor === undefined ? undefined : createHash("sha256");
  const target = request.tar === undefined ? undefined : openSync(request.tar, "wx", 0o644);
  let size = 0;
  const sink = (chunk: Buffer): void => {
    size += chunk.length;
    consume(chunk, { hash, scanner, target });
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
    return { digest, size, sourceDigest: sourceHash === undefined ? digest : `sha256:${sourceHash.digest("hex")}` };
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

function consume(chunk: Buffer, to: { hash: Hash; scanner: TarScanner; target: number | undefined }): void {
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

/** Tells of the bytes read now and then. */
function progress(reply: Reply): (bytes: number) => void {
  let reported = 0;
  return (bytes) => {
    if (bytes - reported < progressBytes) return;
    reported = bytes;
    reply({ kind: "progress", bytes });
  };
}

const sources = new Map<number, Source>();

function take(id: number, message: UnpackMessage): void {
  const reply: Reply = (told) => parentPort!.postMessage({ id, reply: told } satisfies UnpackAnswer);
  if (message.kind === "grown") sources.get(id)?.grow(message.readable, message.piece);
  // Past its end a file reads as empty, which ends the source.
  else if (message.kind === "whole") sources.get(id)?.grow(Number.POSITIVE_INFINITY);
  else if (message.kind === "stop") sources.get(id)?.stop();
  else {
    const source = new Source(message.readable ?? Number.POSITIVE_INFINITY, (at) => reply({ kind: "used", at }));
    sources.set(id, source);
    void lastOf(unpack(message.request, source, reply)).then((last) => {
      sources.delete(id);
      reply(last);
    });
  }
}

async function lastOf(unpacking: Promise<UnpackReply>): Promise<UnpackReply> {
  try {
    return await unpacking;
  } catch (error) {
    const failure = unpackFailure(error);
    const code = codeOf(error);
    return { kind: "failed", class: failure.class, message: failure.message, ...(code === undefined ? {} : { code }) };
  }
}

parentPort?.on("message", ({ id, message }: UnpackAsk) => take(id, message));
