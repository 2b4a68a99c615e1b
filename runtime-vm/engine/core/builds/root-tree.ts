import { createHash } from "node:crypto";
import { closeSync, constants, readSync, readlinkSync, rmdirSync, type Stats, unlinkSync } from "node:fs";
import { codeOf, EngineError } from "#base/errors.ts";
import { Directory } from "../containers/at.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { type FileTree, joined, nameOf, parentOf, type TreeEntry } from "./tree.ts";

const chunkBytes = 256 * 1024;
type RootKernel = Pick<Kernel, "openInRoot" | "getxattrs">;

const givenPaths = new Set([".dockerenv", "dev/console", "etc/hosts", "etc/hostname", "etc/resolv.conf", "etc/mtab"]);

/** What every mounted root has for a container's sake (`prepareRoot`) is no file of the image: it is empty, and with a mode that nobody gives it. */
function isGiven({ path, type, size, mode, linkName }: TreeEntry): boolean {
  if (!givenPaths.has(path)) return false;
  return path === "etc/mtab" ? linkName === "/proc/mounts" : type === "file" && size === 0 && mode === 0o755;
}

const givenDirectories = new Set(["dev", "dev/pts", "dev/shm", "etc", "proc", "sys"]);

/** A root without the empty directories that every mounted root has; should the image have one of them empty itself, nobody misses it. */
export function withoutGiven(tree: FileTree): FileTree {
  const names = (path: string): readonly string[] => tree.names(path).filter((name) => !hidden(joined(path, name)));
  const hidden = (path: string): boolean => givenDirectories.has(path) && tree.lstat(path)?.type === "directory" && names(path).length === 0;
  return { lstat: (path) => tree.lstat(path), names, read: (entry) => tree.read(entry), digest: (entry) => tree.digest(entry) };
}

/** Takes what a root of its own has for a container's sake away, for whoever is to see the image's files alone. */
export function removeGiven(rootfs: string, kernel: RootKernel): void {
  const tree = new RootTree(rootfs, kernel);
  const remove = (path: string, how: (at: string) => void): void => {
    using parent = new Directory(kernel.openInRoot(rootfs, `/${parentOf(path)}`, constants.O_RDONLY | constants.O_DIRECTORY));
    if (parent.lstat(nameOf(path)) !== undefined) how(parent.at(nameOf(path)));
  };
  for (const path of givenPaths) {
    if (tree.lstat(parentOf(path))?.type === "directory" && tree.lstat(path) === undefined) remove(path, unlinkSync);
  }
  const deepestFirst = [...givenDirectories].toSorted((a, b) => b.length - a.length);
  for (const path of deepestFirst) if (tree.lstat(path)?.type === "directory" && tree.names(path).length === 0) remove(path, rmdirSync);
}

/** The files below a directory of this machine, a mounted root above all. Names lead nowhere outside of it. */
export class RootTree implements FileTree {
  readonly #root: string;
  readonly #kernel: RootKernel;

  constructor(root: string, kernel: RootKernel) {
    this.#root = root;
    this.#kernel = kernel;
  }

  lstat(path: string): TreeEntry | undefined {
    using parent = this.#directory(parentOf(path));
    if (parent === undefined) return undefined;
    const name = path === "" ? "." : nameOf(path);
    const stats = parent.lstat(name);
    const entry = stats === undefined ? undefined : this.#entry(parent, name, path, stats);
    return entry === undefined || isGiven(entry) ? undefined : entry;
  }

  names(path: string): readonly string[] {
    using directory = this.#directory(path);
    const names = directory?.names().toSorted() ?? [];
    return names.filter((name) => !givenPaths.has(joined(path, name)) || this.lstat(joined(path, name)) !== undefined);
  }

  async *read(entry: TreeEntry): AsyncGenerator<Buffer> {
    const fd = this.#open(entry);
    try {
      for (let left = entry.size; left > 0; ) {
        const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, left));
        const read = readSync(fd, chunk, 0, chunk.length, null);
        if (read === 0) throw new EngineError("internal", `${entry.path}: shrank while it was read`);
        left -= read;
        yield chunk.subarray(0, read);
        if (left > 0) await new Promise((resolve) => setImmediate(resolve));
      }
    } finally {
      closeSync(fd);
    }
  }

  async digest(entry: TreeEntry): Promise<string> {
    const hash = createHash("sha256");
    for await (const chunk of this.read(entry)) hash.update(chunk);
    return hash.digest("hex");
  }

  #open({ path }: TreeEntry): number {
    using parent = this.#directory(parentOf(path));
    if (parent === undefined) throw new EngineError("notFound", `${path}: not found`);
    return parent.open(nameOf(path), constants.O_RDONLY | constants.O_NONBLOCK);
  }

  #directory(path: string): Directory | undefined {
    try {
      return new Directory(this.#kernel.openInRoot(this.#root, `/${path}`, constants.O_RDONLY | constants.O_DIRECTORY));
    } catch (error) {
      if (["ENOENT", "ENOTDIR", "ELOOP"].includes(codeOf(error) ?? "")) return undefined;
      throw error;
    }
  }

  #entry(parent: Directory, name: string, path: string, stats: Stats): TreeEntry {
    const type = typeOf(stats);
    const { uid, gid, rdev } = stats;
    const xattrs = new Map([...this.#kernel.getxattrs(parent.at(name))].filter(([key]) => key === "security.capability" || key.startsWith("user.")));
    return {
      path,
      type,
      mode: stats.mode & 0o7777,
      uid,
      gid,
      size: type === "file" ? stats.size : 0,
      mtime: Math.floor(stats.mtimeMs / 1_000),
      ...(type === "symlink" ? { linkName: readlinkSync(parent.at(name)) } : {}),
      ...(type === "char" || type === "block" ? { devMajor: (rdev >> 8) & 0xfff, devMinor: (rdev & 0xff) | ((rdev >> 12) & 0xfff00) } : {}),
      ...(xattrs.size > 0 ? { xattrs } : {}),
    };
  }
}

function typeOf(stats: Stats): TreeEntry["type"] {
  if (stats.isDirectory()) return "directory";
  if (stats.isSymbolicLink()) return "symlink";
  if (stats.isFIFO()) return "fifo";
  if (stats.isBlockDevice()) return "block";
  return stats.isCharacterDevice() ? "char" : "file";
}
