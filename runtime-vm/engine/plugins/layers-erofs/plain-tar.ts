import { closeSync, fstatSync, openSync, readSync, statSync, writeFileSync } from "node:fs";
import type { Digest } from "#core/content/content.ts";
import { TarScanner } from "#core/layers/tar-scanner.ts";
import { encodeErofs } from "./erofs-image.ts";
import { LayerTree } from "./layer-tree.ts";
import { materialize } from "./materialize.ts";
import { unpackFailure } from "./unpack-failure.ts";
import type { UnpackOptions } from "./unpack-thread.ts";
import type { Unpacked, UnpackRequest } from "./unpack.worker.ts";

const headerBytes = 64 * 1024;
/** Some hundred files at most: done sooner than a thread for it has started. */
const smallBytesMax = 1024 * 1024;

/** A request for a plain tar that is known to have this digest. */
export type KnownRequest = UnpackRequest & { readonly digest: Digest };

export const isKnown = (request: UnpackRequest): request is KnownRequest => request.digest !== undefined;

/** Reads headers alone, steps over everything that is a file's content, and writes the index or the files. */
export function unpackKnown(request: KnownRequest): Unpacked {
  const tree = new LayerTree();
  const scanner = new TarScanner({ entry: (entry) => tree.add(entry) });
  return written(tree, { digest: request.digest, size: readHeaders(request.source, scanner) }, request);
}

export const isSmall = ({ source }: KnownRequest): boolean => statSync(source).size <= smallBytesMax;

/** That, on the thread that asks. */
export function unpackedHere(request: KnownRequest, { signal, onHashed }: UnpackOptions): Unpacked {
  signal.throwIfAborted();
  try {
    const unpacked = unpackKnown(request);
    onHashed?.(request.digest);
    return unpacked;
  } catch (error) {
    throw unpackFailure(error);
  }
}

/** The layer's index, or its files where no index is wanted or this tar cannot have one. */
export function written(tree: LayerTree, { digest, size }: { digest: Digest; size: number }, request: UnpackRequest): Unpacked {
  const report = tree.report();
  const done = { kind: "done", digest, size, report, specials: [] } as const;
  if (request.index === undefined || report.unpackReason !== undefined) {
    return { ...done, specials: materialize(tree.root, request.tar ?? request.source, request.directory) };
  }
  const image = encodeErofs(tree.root, size);
  writeFileSync(request.index, image, { flag: "wx", mode: 0o644 });
  return { ...done, indexBytes: image.length };
}

function readHeaders(path: string, scanner: TarScanner): number {
  const buffer = Buffer.allocUnsafeSlow(headerBytes);
  const file = openSync(path, "r");
  try {
    const { size } = fstatSync(file);
    for (let at = 0; at < size; ) {
      const bytes = readSync(file, buffer, 0, buffer.length, at);
      if (bytes === 0) break;
      scanner.push(buffer.subarray(0, bytes));
      at += bytes;
      const content = Math.min(scanner.skippable, size - at);
      if (content > 0) scanner.skip(content);
      at += content;
    }
    scanner.end();
    return size;
  } finally {
    closeSync(file);
  }
}
