import type { Digest } from "../content/content.ts";
import { cacheKey } from "./cache.ts";
import type { FileTree, TreeEntry } from "./tree.ts";
import { joined, matching, resolved } from "./tree.ts";

/** Files that steps copy from or mount: the context, another stage, an image. */
export interface Source {
  readonly tree: () => Promise<FileTree>;
  /** As layers that can be mounted. */
  readonly layers: () => Promise<readonly Digest[]>;
  /** What decides the files at a path, as cheaply as it can be told. */
  readonly key: (path: string) => Promise<unknown>;
  /** Files keep their owners. */
  readonly ownOwner: boolean;
}

/** A source of layers: what they are decides it all. */
export function layeredSource(layers: readonly Digest[], tree: (layers: readonly Digest[]) => Promise<FileTree>): Source {
  return { tree: () => tree(layers), layers: () => Promise.resolve(layers), key: (path) => Promise.resolve(["layers", layers, path]), ownOwner: true };
}

/** What the files that patterns name are, bytes and all, but not when they were written. */
export async function contentKey(tree: FileTree, patterns: readonly string[]): Promise<string> {
  const seen: unknown[] = [];
  for (const pattern of patterns) {
    for (const path of matching(tree, pattern)) {
      seen.push([pattern, path]);
      await addEntry(tree, resolved(tree, path), seen);
    }
  }
  return cacheKey("files", seen);
}

async function addEntry(tree: FileTree, path: string, seen: unknown[]): Promise<void> {
  const entry = tree.lstat(path);
  if (entry === undefined) return;
  seen.push(await described(tree, entry));
  if (entry.type !== "directory") return;
  for (const name of tree.names(path)) await addEntry(tree, joined(path, name), seen);
}

async function described(tree: FileTree, entry: TreeEntry): Promise<unknown> {
  const { path, type, mode, uid, gid, linkName, devMajor, devMinor, xattrs } = entry;
  const attributes = xattrs === undefined ? [] : [...xattrs].map(([key, value]) => [key, value.toString("hex")]);
  return [path, type, mode, uid, gid, linkName, devMajor, devMinor, attributes, type === "file" ? await tree.digest(entry) : ""];
}
