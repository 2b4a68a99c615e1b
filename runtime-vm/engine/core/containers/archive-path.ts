import { type Stats, lstatSync, readlinkSync } from "node:fs";
import { posix } from "node:path";
import { EngineError, codeOf } from "#base/errors.ts";
import { formatNano } from "../clock/clock.ts";
import type { Directory } from "./at.ts";
import type { View } from "./view.ts";

/** What `X-Docker-Container-Path-Stat` says of a path. */
export interface PathStat {
  readonly name: string;
  readonly size: number;
  /** Go's os.FileMode. */
  readonly mode: number;
  readonly mtime: string;
  readonly linkTarget: string;
}

/** A path as dockerd understands it: `..` taken out of the text, but a `/` or `/.` at its end kept: it asks for what a link leads to. */
export function archivePath(path: string): string {
  const clean = posix.resolve("/", path);
  const last = posix.basename(path);
  if (last === "." && !/(^|\/)\.$/.test(clean)) return clean === "/" ? "/." : `${clean}/.`;
  return path.endsWith("/") && clean !== "/" ? `${clean}/` : clean;
}

/** As Go's filepath.Base: slashes at the end do not count. */
export const baseOf = (path: string): string => path.replace(/\/+$/, "").split("/").at(-1) || "/";

export interface Found {
  readonly parent: Directory;
  /** "." in the directory itself when the path asked for what it leads to. */
  readonly name: string;
  readonly stats: Stats;
}

/** Which container a path is in, as the client named it. */
export interface Place {
  readonly container: string;
  /** As the client wrote it. */
  readonly path: string;
}

/** The last name of a path, not followed unless the path ends in `/` or `/.`. The caller disposes the parent. */
export function findPath(view: View, place: Place): Found {
  const path = archivePath(place.path);
  try {
    if (path.includes("\0")) throw Object.assign(new Error("a zero byte"), { code: "EINVAL" });
    if (/\/\.?$/.test(path)) {
      const parent = view.directory(path);
      return { parent, name: ".", stats: parent.stat() };
    }
    return findName(view, path);
  } catch (error) {
    throw lookupError(error, { ...place, looked: path });
  }
}

function findName(view: View, path: string): Found {
  const { directory, name } = view.parent(path);
  try {
    const stats = directory.lstat(name);
    if (stats === undefined) throw Object.assign(new Error(path), { code: "ENOENT" });
    return { parent: directory, name, stats };
  } catch (error) {
    directory[Symbol.dispose]();
    throw error;
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOTDIR: "not a directory",
  ELOOP: "too many levels of symbolic links",
  ENAMETOOLONG: "file name too long",
  EINVAL: "invalid argument",
  EACCES: "permission denied",
};

/** What dockerd answers to a path that cannot be looked up: 404 for what is missing, 500 for all else. */
export function lookupError(error: unknown, { container, path, looked }: Place & { readonly looked: string }): unknown {
  const code = codeOf(error) ?? "";
  if (code === "ENOENT") return new EngineError("notFound", `Could not find the file ${path} in container ${container}`, { cause: error });
  const reason = reasons[code];
  return reason === undefined ? error : new EngineError("internal", `lstat ${looked}: ${reason}`, { cause: error });
}

/** `name` is what the answer calls it: a HEAD request hears its own words. */
export function statPath(view: View, place: Place, name = baseOf(place.path)): PathStat {
  const { parent, name: last, stats } = findPath(view, place);
  using _parent = parent;
  const { mtimeNs } = lstatSync(parent.at(last), { bigint: true });
  const path = archivePath(place.path);
  return {
    name,
    size: stats.size,
    mode: goMode(stats),
    mtime: formatNano(mtimeNs),
    linkTarget: stats.isSymbolicLink() ? followed(view, path) : "",
  };
}

const linksMax = 255;

/** Where a link leads in the end, inside the container; what is missing on the way is taken as it is written. */
export function followed(view: View, path: string): string {
  const left = path.split("/").toReversed();
  let at = "/";
  for (let links = 0; left.length > 0; ) {
    const name = left.pop() ?? "";
    if (name === "" || name === ".") continue;
    const next = posix.join(at, name);
    const target = name === ".." ? undefined : linkAt(view, next);
    if (target === undefined) at = next;
    else {
      links += 1;
      if (links > linksMax) throw new EngineError("internal", `evalSymlinksInScope: too many links in ${path}`);
      if (target.startsWith("/")) at = "/";
      left.push(...target.split("/").toReversed());
    }
  }
  return at;
}

function linkAt(view: View, path: string): string | undefined {
  using directory = view.open(posix.dirname(path));
  const name = posix.basename(path);
  return directory?.lstat(name)?.isSymbolicLink() === true ? readlinkSync(directory.at(name)) : undefined;
}

/** Permission bits where Go has them, and its bits for what a file is. */
function goMode(stats: Stats): number {
  const bit = (n: number): number => 2 ** n;
  return (
    (stats.mode & 0o777) +
    (stats.isDirectory() ? bit(31) : 0) +
    (stats.isSymbolicLink() ? bit(27) : 0) +
    (stats.isBlockDevice() || stats.isCharacterDevice() ? bit(26) : 0) +
    (stats.isFIFO() ? bit(25) : 0) +
    (stats.isSocket() ? bit(24) : 0) +
    ((stats.mode & 0o4000) !== 0 ? bit(23) : 0) +
    ((stats.mode & 0o2000) !== 0 ? bit(22) : 0) +
    (stats.isCharacterDevice() ? bit(21) : 0) +
    ((stats.mode & 0o1000) !== 0 ? bit(20) : 0)
  );
}
