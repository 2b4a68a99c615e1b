import { latin } from "../containers/tar-files.ts";
import { tarEnd, tarHead, tarPadding } from "../layers/tar-writer.ts";
import type { FileTree, TreeEntry } from "./tree.ts";

/** One file of a new layer: what it is there, and where its bytes come from. */
export interface LayerItem {
  /** Under its path in the layer. */
  readonly entry: TreeEntry;
  readonly bytes?: Uint8Array;
  readonly from?: { readonly tree: FileTree; readonly entry: TreeEntry };
}

const types: Readonly<Record<TreeEntry["type"], string>> = { file: "0", symlink: "2", char: "3", block: "4", directory: "5", fifo: "6" };
const gatheredBytes = 256 * 1024;

/** The tar of a layer, directories before what is in them; small pieces are put together. */
export async function* layerTar(items: Iterable<LayerItem>, times?: { readonly latest: number }): AsyncGenerator<Buffer> {
  let held: Buffer[] = [];
  let bytes = 0;
  for (const item of items) {
    for await (const piece of itemPieces(item, times)) {
      held.push(piece);
      bytes += piece.length;
      if (bytes < gatheredBytes) continue;
      yield Buffer.concat(held);
      held = [];
      bytes = 0;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  yield Buffer.concat([...held, tarEnd()]);
}

async function* itemPieces({ entry, bytes, from }: LayerItem, times: { readonly latest: number } | undefined): AsyncGenerator<Buffer> {
  const { type, mode, uid, gid, xattrs } = entry;
  const size = type === "file" ? (bytes?.length ?? from?.entry.size ?? 0) : 0;
  const head = {
    name: latin(type === "directory" ? `${entry.path}/` : entry.path),
    type: types[type],
    mode,
    uid,
    gid,
    mtime: times === undefined ? entry.mtime : Math.min(entry.mtime, times.latest),
    ...(entry.linkName === undefined ? {} : { linkName: latin(entry.linkName) }),
    ...(entry.devMajor === undefined ? {} : { devMajor: entry.devMajor }),
    ...(entry.devMinor === undefined ? {} : { devMinor: entry.devMinor }),
    ...(xattrs === undefined ? {} : { xattrs }),
  };
  yield tarHead(head, size);
  if (size === 0) return;
  if (bytes !== undefined) yield Buffer.from(bytes);
  else if (from !== undefined) yield* from.tree.read(from.entry);
  yield tarPadding(size);
}
