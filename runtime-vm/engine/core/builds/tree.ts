import { posix } from "node:path";
import { EngineError } from "#base/errors.ts";

/** One name of a tree of files. Paths have no slash at either end; the root is "". */
export interface TreeEntry {
  readonly path: string;
  readonly type: "file" | "directory" | "symlink" | "fifo" | "char" | "block";
  /** Permissions with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Seconds. */
  readonly mtime: number;
  readonly linkName?: string;
  readonly devMajor?: number;
  readonly devMinor?: number;
  readonly xattrs?: ReadonlyMap<string, Buffer>;
}

/** Files that can be copied into an image: a build context, an image's or another stage's root. */
export interface FileTree {
  /** The name itself, not what a link leads to. */
  lstat(path: string): TreeEntry | undefined;
  /** Names in a directory, sorted. */
  names(path: string): readonly string[];
  /** The bytes of a file. */
  read(entry: TreeEntry): AsyncIterable<Buffer>;
  /** SHA-256 of a file's bytes, in hex. */
  digest(entry: TreeEntry): Promise<string>;
}

const linksMax = 255;

/** Where a path leads inside the tree, every link on the way followed; what is missing stays as it is written. */
export function resolved(tree: Pick<FileTree, "lstat">, path: string): string {
  const left = path.split("/").toReversed();
  let at = "";
  for (let links = 0; left.length > 0; ) {
    const name = left.pop() ?? "";
    if (name === "" || name === ".") continue;
    if (name === "..") {
      at = parentOf(at);
      continue;
    }
    const next = at === "" ? name : `${at}/${name}`;
    const entry = tree.lstat(next);
    if (entry?.type !== "symlink") {
      at = next;
      continue;
    }
    links += 1;
    if (links > linksMax) throw new EngineError("invalidArgument", `${path}: too many levels of symbolic links`);
    const target = entry.linkName ?? "";
    if (target.startsWith("/")) at = "";
    left.push(...target.split("/").toReversed());
  }
  return at;
}

export const parentOf = (path: string): string => (path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "");
export const nameOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
export const joined = (directory: string, name: string): string => (directory === "" ? name : name === "" ? directory : `${directory}/${name}`);

/** A path as trees have them: nothing above the root, no dots. */
export const treePath = (path: string): string => posix.resolve("/", path).slice(1);

/** Every name that a pattern of Go's filepath.Match stands for, in the tree's order. */
export function* matching(tree: FileTree, pattern: string): Generator<string> {
  const parts = treePath(pattern)
    .split("/")
    .filter((part) => part !== "");
  yield* below(tree, "", parts);
}

export const hasWildcard = (pattern: string): boolean => /[*?[\\]/.test(pattern);

function* below(tree: FileTree, directory: string, parts: readonly string[]): Generator<string> {
  const [part, ...rest] = parts;
  if (part === undefined) return yield directory;
  if (!hasWildcard(part)) {
    const next = joined(directory, part);
    // A directory on the way may be a link.
    if (rest.length > 0) yield* below(tree, resolved(tree, next), rest);
    else if (tree.lstat(next) !== undefined) yield next;
    return;
  }
  const matches = globMatcher(part);
  if (tree.lstat(directory)?.type !== "directory") return;
  for (const name of tree.names(directory)) {
    if (!matches(name)) continue;
    const next = joined(directory, name);
    if (rest.length === 0) yield next;
    else if (tree.lstat(resolved(tree, next))?.type === "directory") yield* below(tree, resolved(tree, next), rest);
  }
}

/** Go's filepath.Match on one name; a pattern that is not sound matches nothing. */
export function globMatcher(pattern: string): (name: string) => boolean {
  let source = "";
  for (let i = 0; i < pattern.length; i += 1) {
    const char = pattern[i] ?? "";
    const end = char === "[" ? pattern.indexOf("]", i + 2) : -1;
    if (char === "*") source += "[^/]*";
    else if (char === "?") source += "[^/]";
    else if (char === "[" && end > 0) {
      source += `[${pattern.slice(i + 1, end).replace(/[[\]\\&]/g, (one) => (one === "\\" ? "\\" : `\\${one}`))}]`;
      i = end;
    } else if (char === "\\") {
      i += 1;
      source += literal(pattern[i] ?? "\\");
    } else source += literal(char);
  }
  try {
    const regexp = new RegExp(`^${source}$`, "s");
    return (name) => regexp.test(name);
  } catch {
    return () => false;
  }
}

const literal = (char: string): string => char.replace(/[.*+?^${}()|[\]\\/]/, "\\$&");
