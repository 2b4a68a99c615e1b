import { closeSync, createReadStream, openSync, readSync } from "node:fs";
import { open } from "node:fs/promises";
import { Readable } from "node:stream";
import { EngineError } from "#base/errors.ts";
import type { LayerEntry } from "#core/layers/layer-entry.ts";
import { TarScanner } from "#core/layers/tar-scanner.ts";
import { readSparseMap, type SparseExtent } from "#core/layers/tar-sparse.ts";
import { LayerTree } from "./layer-tree.ts";

const headerBytes = 64 * 1024;
/** Some hundred bytes of memory each. */
const entriesMax = 500_000;
const zeros = Buffer.alloc(256 * 1024);

/** The tree of a layer's tar; what is a file's content is stepped over. */
export async function readTree(path: string, signal: AbortSignal): Promise<{ root: LayerEntry; entries: number }> {
  const tree = new LayerTree();
  let entries = 0;
  const scanner = new TarScanner({
    entry: (entry) => {
      entries += 1;
      if (entries > entriesMax) throw new EngineError("exhausted", `${path} has more than ${entriesMax} entries, too many to be shown`);
      tree.add(entry);
    },
  });
  await using file = await open(path, "r");
  const buffer = Buffer.allocUnsafeSlow(headerBytes);
  for (let at = 0; ; ) {
    signal.throwIfAborted();
    const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) break;
    scanner.push(buffer.subarray(0, bytesRead));
    at += bytesRead;
    const content = scanner.skippable;
    if (content > 0) scanner.skip(content);
    at += content;
  }
  scanner.end();
  return { root: tree.root, entries };
}

/** A file of the tar as it is read, holes and all. */
export function readTarFile(path: string, entry: LayerEntry): Readable {
  if (entry.size === 0) return Readable.from([]);
  if (entry.sparse !== undefined) return Readable.from(sparseBytes(path, entry), { objectMode: false });
  return createReadStream(path, { start: entry.dataOffset, end: entry.dataOffset + entry.size - 1 });
}

async function* sparseBytes(path: string, entry: LayerEntry): AsyncGenerator<Buffer> {
  const { extents, dataStart } = extentsOf(path, entry);
  let at = 0;
  let stored = entry.dataOffset + dataStart;
  for (const { offset, length } of [...extents, { offset: entry.size, length: 0 }]) {
    for (; at < offset; at += Math.min(zeros.length, offset - at)) yield zeros.subarray(0, Math.min(zeros.length, offset - at));
    if (length > 0) yield* createReadStream(path, { start: stored, end: stored + length - 1 }) as AsyncIterable<Buffer>;
    at += length;
    stored += length;
  }
}

function extentsOf(path: string, { sparse, dataOffset }: LayerEntry): { extents: readonly SparseExtent[]; dataStart: number } {
  if (sparse?.extents !== undefined) return { extents: sparse.extents, dataStart: 0 };
  const file = openSync(path, "r");
  try {
    const read = (offset: number, length: number): Buffer => {
      const block = Buffer.alloc(length);
      return block.subarray(0, readSync(file, block, 0, length, dataOffset + offset));
    };
    return readSparseMap(read, dataOffset);
  } finally {
    closeSync(file);
  }
}
