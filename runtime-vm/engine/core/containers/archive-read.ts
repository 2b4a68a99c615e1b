import { type Stats, closeSync, constants, fstatSync, readSync, readlinkSync } from "node:fs";
import { posix } from "node:path";
import { EngineError } from "#base/errors.ts";
import { formatNano } from "../clock/clock.ts";
import { tarEnd, tarHead, tarPadding } from "../layers/tar-writer.ts";
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

const chunkBytes = 256 * 1024;

interface Found {
  readonly parent: Directory;
  readonly name: string;
  readonly stats: Stats;
}

/** The last name of a path, not followed unless the path ends in `/` or `/.`. The caller disposes the parent. */
function find(view: View, container: string, path: string): Found {
  const absent = new EngineError("notFound", `Could not find the file ${path} in container ${container}`);
  if (/\/\.?$/.test(path) || posix.resolve("/", path) === "/") {
    const parent = view.open(path);
    if (parent === undefined) throw absent;
    return { parent, name: ".", stats: parent.stat() };
  }
  const found = view.parent(path);
  if (found === undefined) throw absent;
  const stats = found.directory.lstat(found.name);
  if (stats === undefined) {
    found.directory[Symbol.dispose]();
    throw absent;
  }
  return { parent: found.directory, name: found.name, stats };
}

export function statPath(view: View, container: string, path: string): PathStat {
  const { parent, name, stats } = find(view, container, path);
  using _parent = parent;
  return {
    name: posix.basename(path) || "/",
    size: stats.size,
    mode: goMode(stats),
    mtime: formatNano(BigInt(Math.trunc(stats.mtimeMs)) * 1_000_000n),
    linkTarget: stats.isSymbolicLink() ? posix.resolve(posix.dirname(posix.resolve("/", path)), readlinkSync(parent.at(name))) : "",
  };
}

/** A tar of the path under its own last name, as `docker cp` expects it. */
export async function* readArchive(view: View, container: string, path: string): AsyncGenerator<Buffer> {
  const { parent, name, stats } = find(view, container, path);
  using _parent = parent;
  const links = new Map<string, string>();
  yield* entry(parent, name, stats, posix.basename(path) || "/", links);
  yield tarEnd();
}

/** Everything in the root, names without a first slash: `docker export`. */
export async function* exportArchive(view: View): AsyncGenerator<Buffer> {
  const root = view.open("/");
  if (root === undefined) return;
  using inside = root;
  const links = new Map<string, string>();
  for (const name of inside.names()) {
    const stats = inside.lstat(name);
    if (stats !== undefined) yield* entry(inside, name, stats, name, links);
  }
  yield tarEnd();
}

/** `links`: names of files with several, by inode. */
async function* entry(parent: Directory, name: string, stats: Stats, as: string, links: Map<string, string>): AsyncGenerator<Buffer> {
  const head = { name: latin(as), mode: stats.mode & 0o7777, uid: stats.uid, gid: stats.gid, mtime: Math.floor(stats.mtimeMs / 1_000) };
  if (stats.isDirectory()) {
    yield tarHead({ ...head, name: latin(as.endsWith("/") ? as : `${as}/`), type: "5" }, 0);
    using inside = name === "." ? undefined : parent.directory(name);
    const directory = inside ?? parent;
    for (const child of directory.names()) {
      const found = directory.lstat(child);
      // What vanished meanwhile is not there.
      if (found !== undefined) yield* entry(directory, child, found, as.endsWith("/") ? `${as}${child}` : `${as}/${child}`, links);
    }
    return;
  }
  const key = `${stats.dev}:${stats.ino}`;
  const first = stats.nlink > 1 ? links.get(key) : undefined;
  if (first !== undefined) yield tarHead({ ...head, type: "1", linkName: latin(first) }, 0);
  else if (stats.isSymbolicLink()) yield tarHead({ ...head, type: "2", linkName: latin(readlinkSync(parent.at(name))) }, 0);
  else if (stats.isFile()) yield* fileBytes(parent, name, head);
  else if (stats.isFIFO()) yield tarHead({ ...head, type: "6" }, 0);
  else if (stats.isCharacterDevice() || stats.isBlockDevice()) yield tarHead({ ...head, type: stats.isBlockDevice() ? "4" : "3", ...numbersOf(stats.rdev) }, 0);
  // Sockets have no place in a tar.
  links.set(key, as);
}

async function* fileBytes(parent: Directory, name: string, head: Parameters<typeof tarHead>[0]): AsyncGenerator<Buffer> {
  const fd = parent.open(name, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const { size } = fstatSync(fd);
    yield tarHead(head, size);
    for (let left = size; left > 0; ) {
      const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, left));
      const read = readSync(fd, chunk, 0, chunk.length, null);
      // It shrank under our hands: the head has promised its bytes.
      const bytes = read === 0 ? Buffer.alloc(chunk.length) : chunk.subarray(0, read);
      left -= bytes.length;
      yield bytes;
    }
    yield tarPadding(size);
  } finally {
    closeSync(fd);
  }
}

/** Names go into a tar byte by byte. */
const latin = (name: string): string => Buffer.from(name, "utf8").toString("latin1");

/** glibc's gnu_dev_major and minor. */
const numbersOf = (rdev: number): { devMajor: number; devMinor: number } => ({
  devMajor: (rdev >> 8) & 0xfff,
  devMinor: (rdev & 0xff) | ((rdev >> 12) & 0xfff00),
});

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
