import type { Readable } from "node:stream";
import type { ImageFileEntry, ImageFileList, ImageLayers } from "#api/image-files.ts";
import { EngineError } from "#base/errors.ts";
import type { Digest } from "#core/content/content.ts";
import type { BrowseOptions, ImageBrowser } from "#core/images/browsing.ts";
import type { ResolvedImage } from "#core/images/images.ts";
import { isOpaque, isWhiteout, kindOf, kinds, type LayerEntry } from "#core/layers/layer-entry.ts";
import type { LayerStore } from "#core/layers/layers.ts";
import { bytes, childrenOf, described, isDirectory, type Merged, mergedRoot, type Place, resolve, seenBytes, sum, text } from "./merged.ts";

/** Entries of a directory that are told at once. */
const listedMax = 10_000;
/** Trees are kept for whoever goes from directory to directory, but not for long, and not more entries than this. */
const keptMs = 30_000;
const keptEntriesMax = 500_000;

/** An image's layers, lowest first, and what its history says of each. */
interface Browsable {
  readonly layers: readonly { readonly diffId: Digest; readonly createdBy: string }[];
}

export function browsable({ layers, config }: ResolvedImage): Browsable {
  const made = (config.history ?? []).filter(({ empty_layer }) => empty_layer !== true);
  return { layers: layers.map((diffId, i) => ({ diffId, createdBy: made[i]?.created_by ?? "" })) };
}

interface Tree {
  readonly root: LayerEntry;
  readonly entries: number;
}

/** Looks into images without mounting them: the headers of their layers' tars say everything. */
export class LayerBrowser implements ImageBrowser {
  readonly #layers: LayerStore;
  readonly #open: (reference: string, platform: string | undefined) => Promise<Browsable>;
  /** The one used last is at the end. */
  readonly #kept = new Map<Digest, Tree>();
  #forget: NodeJS.Timeout | undefined;

  constructor(layers: LayerStore, open: (reference: string, platform: string | undefined) => Promise<Browsable>) {
    this.#layers = layers;
    this.#open = open;
  }

  async layers(reference: string, { platform, signal }: BrowseOptions): Promise<ImageLayers> {
    const image = await this.#open(reference, platform);
    const roots = await this.#roots(image, signal);
    const root = mergedRoot(roots);
    const seen = root === undefined ? [] : seenBytes(root, roots.length);
    const layers = image.layers.map(({ diffId, createdBy }, i) => {
      const all = sum(roots[i]!);
      return { DiffID: diffId, CreatedBy: createdBy, Files: all.files, Size: all.bytes, Wasted: all.bytes - seen[i]! };
    });
    const total = (field: "Size" | "Wasted"): number => layers.reduce((sofar, layer) => sofar + layer[field], 0);
    return { Layers: layers, Size: total("Size"), Wasted: total("Wasted") };
  }

  async list(reference: string, path: string, opts: BrowseOptions): Promise<ImageFileList> {
    const root = await this.#view(reference, opts);
    const { found, path: own } = resolve(root, bytes(path));
    if (!isDirectory(found[0])) throw new EngineError("invalidArgument", `${JSON.stringify(path)} is not a directory`);
    const children = [...childrenOf(found)].toSorted(([a], [b]) => (a < b ? -1 : 1));
    const alone = opts.layer === undefined ? undefined : found[0].entry;
    return {
      path: text(own),
      entries: children.slice(0, listedMax).map(([name, child]) => entryOf(text(name), child)),
      total: children.length,
      removed: [...(alone?.children ?? [])].filter(([, entry]) => isWhiteout(entry)).map(([name]) => text(name)),
      opaque: alone !== undefined && isOpaque(alone),
    };
  }

  async read(reference: string, path: string, opts: BrowseOptions): Promise<{ size: number; bytes: Readable }> {
    const image = await this.#open(reference, opts.platform);
    const { found } = resolve(await this.#view(reference, opts), bytes(path));
    const { entry, layer } = found[0];
    if (kindOf(entry) !== kinds.file) throw new EngineError("invalidArgument", `${JSON.stringify(path)} is not a regular file`);
    return { size: entry.size, bytes: this.#layers.openFile(image.layers[layer]!.diffId, entry) };
  }

  /** The whole image, or one layer of it alone. */
  async #view(reference: string, { platform, layer, signal }: BrowseOptions): Promise<Merged> {
    const image = await this.#open(reference, platform);
    if (layer !== undefined) {
      const chosen = image.layers[layer];
      if (chosen === undefined) throw new EngineError("notFound", `image ${reference} has ${image.layers.length} layers, none with the number ${layer}`);
      return [{ entry: (await this.#tree(chosen.diffId, signal)).root, layer }];
    }
    const root = mergedRoot(await this.#roots(image, signal));
    if (root === undefined) throw new EngineError("notFound", `image ${reference} has no files`);
    return root;
  }

  async #roots({ layers }: Browsable, signal: AbortSignal): Promise<LayerEntry[]> {
    const roots: LayerEntry[] = [];
    for (const { diffId } of layers) roots.push((await this.#tree(diffId, signal)).root);
    return roots;
  }

  async #tree(diffId: Digest, signal: AbortSignal): Promise<Tree> {
    const tree = this.#kept.get(diffId) ?? (await this.#layers.tree(diffId, { signal }));
    this.#kept.delete(diffId);
    this.#kept.set(diffId, tree);
    let entries = [...this.#kept.values()].reduce((total, one) => total + one.entries, 0);
    for (const [oldest, one] of this.#kept) {
      if (entries <= keptEntriesMax || oldest === diffId) break;
      this.#kept.delete(oldest);
      entries -= one.entries;
    }
    clearTimeout(this.#forget);
    this.#forget = setTimeout(() => this.#kept.clear(), keptMs).unref();
    return tree;
  }
}

function entryOf(name: string, merged: Merged): ImageFileEntry {
  const { entry } = described(merged);
  const kind = kindOf(entry);
  return {
    name,
    kind: kindNames[kind] ?? "device",
    size: entry.size,
    mode: entry.mode & 0o7777,
    uid: entry.uid,
    gid: entry.gid,
    mtime: timeOf(merged[0]),
    ...(kind === kinds.symlink ? { target: text(entry.target) } : {}),
    layer: merged[0].layer,
  };
}

const kindNames: Readonly<Record<number, ImageFileEntry["kind"]>> = {
  [kinds.file]: "file",
  [kinds.directory]: "directory",
  [kinds.symlink]: "link",
  [kinds.fifo]: "fifo",
};

/** RFC 3339; the epoch for a time that no date has. */
function timeOf({ entry }: Place): string {
  const date = new Date(entry.mtime * 1000 + Math.floor(entry.mtimeNano / 1e6));
  return (Number.isNaN(date.getTime()) ? new Date(0) : date).toISOString();
}
