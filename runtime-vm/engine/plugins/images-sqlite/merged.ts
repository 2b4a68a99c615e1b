import { EngineError } from "#base/errors.ts";
import { isOpaque, isWhiteout, kindOf, kinds, type LayerEntry } from "#core/layers/layer-entry.ts";

/** An entry, and the number of the layer that has it. */
export interface Place {
  readonly entry: LayerEntry;
  readonly layer: number;
}

/** What a name of the merged image stands for: the entry that counts, and for a directory those below that show through it; uppermost first. */
export type Merged = readonly [Place, ...Place[]];

const linksMax = 40;

/** The root of the image that these layers make, lowest first. */
export function mergedRoot(layers: readonly LayerEntry[]): Merged | undefined {
  const [first, ...rest] = layers.map((entry, layer) => ({ entry, layer })).toReversed();
  return first === undefined ? undefined : [first, ...rest];
}

export const isDirectory = ({ entry }: Place): boolean => entry.children !== undefined;

/** The directory's names as a container sees them. */
export function childrenOf(directory: Merged): Map<string, Merged> {
  const found = new Map<string, [Place, ...Place[]]>();
  /** Names under which nothing of the layers still to come shows. */
  const closed = new Set<string>();
  for (const { entry: parent, layer } of directory) {
    for (const [name, entry] of parent.children ?? []) {
      if (closed.has(name)) continue;
      const above = found.get(name);
      if (above === undefined && !isWhiteout(entry)) found.set(name, [{ entry, layer }]);
      else if (entry.children !== undefined) above?.push({ entry, layer });
      if (entry.children === undefined || isOpaque(entry)) closed.add(name);
    }
    if (isOpaque(parent)) break;
  }
  return found;
}

/** Entry whose owner, permissions and times count: directories that a layer only uses keep what a lower one says. */
export const described = (merged: Merged): Place => merged.find(({ entry }) => entry.implicit !== true) ?? merged[0];

/** What `path` leads to inside the image, links followed, with its own path; rejects (notFound, invalidArgument). Paths are `latin1`. */
export function resolve(root: Merged, path: string): { found: Merged; path: string } {
  const way: { name: string; at: Merged }[] = [];
  const todo = path.split("/").toReversed();
  for (let links = 0; todo.length > 0; ) {
    const name = todo.pop()!;
    if (name === "" || name === ".") continue;
    if (name === "..") {
      way.pop();
      continue;
    }
    const next = childrenOf(way.at(-1)?.at ?? root).get(name);
    if (next === undefined) throw new EngineError("notFound", `no such file or directory: ${JSON.stringify(text(path))}`);
    const { entry } = next[0];
    if (kindOf(entry) !== kinds.symlink) {
      way.push({ name, at: next });
      continue;
    }
    links += 1;
    if (links > linksMax) throw new EngineError("invalidArgument", `${JSON.stringify(text(path))} leads through more than ${linksMax} symbolic links`);
    if (entry.target.startsWith("/")) way.length = 0;
    todo.push(...entry.target.split("/").toReversed());
  }
  return { found: way.at(-1)?.at ?? root, path: `/${way.map(({ name }) => name).join("/")}` };
}

/** Bytes of the files that each of `count` layers has in the merged image; hard links count once. */
export function seenBytes(root: Merged, count: number): number[] {
  const bytes = Array.from({ length: count }, () => 0);
  const counted = new Set<LayerEntry>();
  const todo: Merged[] = [root];
  for (let at = todo.pop(); at !== undefined; at = todo.pop()) {
    for (const child of childrenOf(at).values()) {
      const { entry, layer } = child[0];
      if (isDirectory(child[0])) todo.push(child);
      else if (!counted.has(entry)) {
        counted.add(entry);
        bytes[layer]! += sizeOf(entry);
      }
    }
  }
  return bytes;
}

/** All files of a layer, and their bytes; hard links count once. */
export function sum(root: LayerEntry): { files: number; bytes: number } {
  const counted = new Set<LayerEntry>();
  let bytes = 0;
  const todo = [root];
  for (let at = todo.pop(); at !== undefined; at = todo.pop()) {
    for (const entry of at.children?.values() ?? []) {
      if (entry.children !== undefined) todo.push(entry);
      else if (!isWhiteout(entry) && !counted.has(entry)) {
        counted.add(entry);
        bytes += sizeOf(entry);
      }
    }
  }
  return { files: counted.size, bytes };
}

const sizeOf = (entry: LayerEntry): number => (kindOf(entry) === kinds.file ? entry.size : 0);

/** Names are bytes in a tar, and text for people. */
export const text = (latin1: string): string => Buffer.from(latin1, "latin1").toString("utf8");
export const bytes = (utf8: string): string => Buffer.from(utf8, "utf8").toString("latin1");
