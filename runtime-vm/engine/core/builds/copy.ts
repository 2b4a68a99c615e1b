import { posix } from "node:path";
import { EngineError } from "#base/errors.ts";
import { IgnorePatterns } from "#api/dockerignore.ts";
import type { LayerItem } from "./layer-tar.ts";
import type { ModeChange } from "./mode.ts";
import type { Owner } from "./owner.ts";
import { type FileTree, hasWildcard, joined, matching, nameOf, parentOf, resolved, treePath, type TreeEntry } from "./tree.ts";

/** What is copied: names of a tree, the whole of one (an archive that was unpacked), or a file made here. */
export type CopySource =
  | { readonly kind: "path"; readonly tree: FileTree; readonly pattern: string; readonly ownOwner: boolean }
  | { readonly kind: "archive"; readonly tree: FileTree }
  | { readonly kind: "bytes"; readonly name: string; readonly bytes: Uint8Array; readonly mode: number; readonly mtime: number };

export interface CopyRequest {
  readonly sources: readonly CopySource[];
  /** Absolute; a slash at the end, or `/.`, says that it is a directory. */
  readonly destination: string;
  /** What the layer goes on top of. */
  readonly root: FileTree;
  readonly owner: Owner | undefined;
  readonly chmod: ModeChange | undefined;
  /** Of directories that have to be made; 755 where absent. */
  readonly madeMode?: number | undefined;
  readonly parents: boolean;
  readonly excludes: readonly string[];
  /** Seconds: when directories on the way are made. */
  readonly now: number;
}

/** The name in the source was not there. */
export class SourceMissing extends EngineError {
  readonly path: string;
  constructor(path: string) {
    super("notFound", `failed to compute cache key: "/${treePath(path)}": not found`);
    this.path = path;
  }
}

/** What a COPY or ADD puts into its layer, by path. Nothing is read but names. */
export function planCopy(request: CopyRequest): LayerItem[] {
  return new Plan(request).run();
}

class Plan {
  readonly #request: CopyRequest;
  readonly #items = new Map<string, LayerItem>();
  /** What the root has, each name looked for once. */
  readonly #there = new Map<string, TreeEntry | undefined>();
  readonly #excludes: IgnorePatterns | undefined;

  constructor(request: CopyRequest) {
    this.#request = request;
    this.#excludes = request.excludes.length === 0 ? undefined : new IgnorePatterns(request.excludes);
  }

  run(): LayerItem[] {
    const { sources, destination } = this.#request;
    const asDirectory = /(^|\/)\.?$/.test(destination);
    for (const source of sources) {
      // Each looks anew: the one before may have made it.
      const target = this.#resolved(treePath(destination));
      if (source.kind === "bytes") this.#bytes(source, asDirectory || this.#isDirectory(target) ? joined(target, source.name) : target);
      else if (source.kind === "archive") this.#contents(source.tree, "", target, { reset: false });
      else this.#paths(source, target, asDirectory);
    }
    return [...this.#items.values()].toSorted((a, b) => compare(a.entry.path, b.entry.path));
  }

  #paths({ tree, pattern, ownOwner }: Extract<CopySource, { kind: "path" }>, target: string, asDirectory: boolean): void {
    const found = [...matching(tree, pattern)];
    if (found.length === 0 && !hasWildcard(pattern)) throw new SourceMissing(pattern);
    if (found.length === 0 && !this.#request.parents) checkFixedPart(tree, pattern);
    for (const path of found) {
      if (this.#request.parents) this.#withParents(tree, path, pattern, { target, ownOwner });
      else this.#path(tree, path, { target, asDirectory, reset: !ownOwner });
    }
  }

  #path(tree: FileTree, path: string, { target, asDirectory, reset }: { target: string; asDirectory: boolean; reset: boolean }): void {
    const followed = resolved(tree, path);
    const entry = tree.lstat(followed);
    if (entry === undefined) throw new SourceMissing(path);
    if (entry.type === "directory") return this.#contents(tree, followed, target, { reset });
    if (this.#excludes?.ignores(nameOf(path)) === true) return;
    const place = asDirectory || this.#isDirectory(target) ? joined(target, nameOf(path)) : target;
    this.#makeParents(place);
    this.#put(place, entry, tree, reset);
  }

  /** `--parents`: the names before the file come along, those after `/./` only where there is one. */
  #withParents(tree: FileTree, path: string, pattern: string, { target, ownOwner }: { target: string; ownOwner: boolean }): void {
    const pivot = pattern.indexOf("/./");
    const base = pivot < 0 ? "" : treePath(pattern.slice(0, pivot));
    const kept = base === "" ? path : path.slice(base.length + 1);
    const names = parentOf(kept).split("/");
    for (const [i] of names.entries()) {
      const below = names.slice(0, i + 1).join("/");
      const entry = below === "" ? undefined : tree.lstat(joined(base, below));
      if (entry?.type === "directory" && !this.#isDirectory(joined(target, below))) {
        this.#makeParents(joined(target, below));
        this.#put(joined(target, below), entry, tree, !ownOwner);
      }
    }
    const entry = tree.lstat(path);
    if (entry?.type === "directory") return this.#contents(tree, path, joined(target, kept), { reset: !ownOwner });
    if (entry === undefined) throw new SourceMissing(path);
    this.#makeParents(joined(target, kept));
    this.#put(joined(target, kept), entry, tree, !ownOwner);
  }

  /** A directory's own names; the directory itself only where there was none. */
  #contents(tree: FileTree, path: string, target: string, { reset }: { reset: boolean }): void {
    const entry = tree.lstat(path);
    if (entry === undefined) return;
    const there = this.#at(target);
    if (there !== undefined && there.type !== "directory") throw new EngineError("invalidArgument", `cannot copy to non-directory: /${target}`);
    if (there === undefined) this.#makeParents(target);
    // Made as any directory on the way is, whatever the source's own was.
    if (target !== "" && !this.#keep(target)) this.#makeDirectory(target);
    this.#children(tree, path, "", { target, reset });
  }

  #children(tree: FileTree, path: string, relative: string, into: { target: string; reset: boolean }): void {
    for (const name of tree.names(joined(path, relative))) {
      const below = joined(relative, name);
      const entry = tree.lstat(joined(path, below));
      if (entry === undefined) continue;
      const ignored = this.#excludes?.ignores(below) === true;
      if (entry.type !== "directory") {
        if (!ignored) this.#file(tree, entry, joined(into.target, below), into.reset);
        continue;
      }
      if (ignored && this.#excludes?.hasExceptions !== true) continue;
      if (!ignored) this.#directory(tree, entry, joined(into.target, below), into.reset);
      this.#children(tree, path, below, into);
    }
  }

  #directory(tree: FileTree, entry: TreeEntry, place: string, reset: boolean): void {
    const there = this.#at(place);
    if (there !== undefined && there.type !== "directory") throw new EngineError("invalidArgument", `cannot copy to non-directory: /${place}`);
    this.#put(place, entry, tree, reset);
  }

  #file(tree: FileTree, entry: TreeEntry, place: string, reset: boolean): void {
    if (this.#at(place)?.type === "directory") throw new EngineError("invalidArgument", `cannot replace to directory /${place} with file`);
    this.#makeParents(place);
    this.#put(place, entry, tree, reset);
  }

  #bytes({ bytes, mode, mtime }: Extract<CopySource, { kind: "bytes" }>, place: string): void {
    this.#makeParents(place);
    const entry: TreeEntry = { path: place, type: "file", mode, uid: 0, gid: 0, size: bytes.length, mtime };
    this.#items.set(place, { entry: this.#changed(entry), bytes });
  }

  #put(place: string, entry: TreeEntry, tree: FileTree, reset: boolean): void {
    const owned = reset ? { ...entry, uid: 0, gid: 0 } : entry;
    this.#items.set(place, { entry: this.#changed({ ...owned, path: place }), ...(entry.type === "file" ? { from: { tree, entry } } : {}) });
  }

  #changed(entry: TreeEntry): TreeEntry {
    const { owner, chmod } = this.#request;
    const mode = chmod === undefined || entry.type === "symlink" ? entry.mode : chmod(entry.mode, entry.type === "directory");
    return { ...entry, mode, ...owner };
  }

  /** Directories above: those of the root as they are there, others new. */
  #makeParents(place: string): void {
    const parent = parentOf(place);
    if (parent === "" || this.#items.has(parent)) return;
    this.#makeParents(parent);
    if (this.#keep(parent)) return;
    this.#makeDirectory(parent);
  }

  #makeDirectory(path: string): void {
    const { owner, now, madeMode = 0o755 } = this.#request;
    this.#items.set(path, { entry: { path, type: "directory", mode: madeMode, uid: 0, gid: 0, size: 0, mtime: now, ...owner } });
  }

  /** A directory of the root stands in the layer as it is. */
  #keep(path: string): boolean {
    const there = this.#inRoot(path);
    if (there === undefined || this.#items.has(path)) return this.#items.has(path);
    if (there.type !== "directory") throw new EngineError("invalidArgument", `cannot create directory /${path}: a file is in its place`);
    if (parentOf(path) !== "") this.#keep(parentOf(path));
    this.#items.set(path, { entry: there });
    return true;
  }

  #at(path: string): TreeEntry | undefined {
    return this.#items.get(path)?.entry ?? this.#inRoot(path);
  }

  /** Below what is not there nothing is. */
  #inRoot(path: string): TreeEntry | undefined {
    if (this.#there.has(path)) return this.#there.get(path);
    const entry = path !== "" && this.#inRoot(parentOf(path)) === undefined ? undefined : this.#request.root.lstat(path);
    this.#there.set(path, entry);
    return entry;
  }

  #isDirectory(path: string): boolean {
    return path === "" || this.#at(path)?.type === "directory";
  }

  #resolved(path: string): string {
    return resolved({ lstat: (at) => this.#at(at) }, path);
  }
}

/** A wildcard may stand for nothing, but what is written before it has to be there. */
function checkFixedPart(tree: FileTree, pattern: string): void {
  const parts = treePath(pattern).split("/");
  const fixed = parts.slice(0, parts.findIndex(hasWildcard)).join("/");
  if (fixed === "" || tree.lstat(resolved(tree, fixed)) !== undefined) return;
  throw new EngineError("notFound", `lstat /${fixed}: no such file or directory`);
}

/** Directories come before what is in them. */
const compare = (a: string, b: string): number => {
  const [left, right] = [a.replaceAll("/", "\0"), b.replaceAll("/", "\0")];
  return left < right ? -1 : left > right ? 1 : 0;
};

/** Where a relative destination leads; the slash at its end stays. */
export function absoluteDestination(workdir: string, destination: string): string {
  const base = destination.startsWith("/") ? destination : `${workdir === "" ? "/" : workdir}/${destination}`;
  const clean = posix.resolve("/", base);
  return /(^|\/)\.{0,2}$/.test(destination) && clean !== "/" ? `${clean}/` : clean;
}
