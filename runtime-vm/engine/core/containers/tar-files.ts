import { type Stats, closeSync, constants, fstatSync, readSync, readlinkSync } from "node:fs";
import { codeOf } from "#base/errors.ts";
import { type TarFile, tarHead, tarPadding } from "../layers/tar-writer.ts";
import { type IdentityMap, ownerInside } from "../userns/identity.ts";
import type { Directory } from "./at.ts";
import type { ContainerBackends } from "./backends.ts";

const chunkBytes = 256 * 1024;

/** What writing files into one tar needs to remember. */
export interface TarFiles {
  readonly kernel: Pick<ContainerBackends["kernel"], "getxattrs">;
  /** Which extended attributes go along. */
  readonly keeps: (attribute: string) => boolean;
  /** Names of files with several, by inode. */
  readonly links: Map<string, string>;
  /** Owners are written as the container sees them. */
  readonly map?: IdentityMap | undefined;
  /** Seconds: what is younger is said to be of then. */
  readonly latest?: number | undefined;
}

/** Copies carry what a file needs to work elsewhere; other attributes belong to the machine. */
export const copiedAttributes = (name: string): boolean => name === "security.capability" || name.startsWith("user.");

/** One name and, of a directory, everything below it. */
export async function* tarTree(files: TarFiles, parent: Directory, name: string, as: string): AsyncGenerator<Buffer> {
  const stats = parent.lstat(name);
  // What vanished meanwhile is not there.
  if (stats === undefined) return;
  yield* tarFile(files, parent, name, { stats, as });
  if (!stats.isDirectory()) return;
  using inside = name === "." ? undefined : openDirectory(parent, name);
  const directory = name === "." ? parent : inside;
  if (directory === undefined) return;
  for (const child of directory.names()) yield* tarTree(files, directory, child, as.endsWith("/") ? `${as}${child}` : `${as}/${child}`);
}

/** One name alone, with its bytes. Sockets have no place in a tar. */
export async function* tarFile(files: TarFiles, parent: Directory, name: string, { stats, as }: { stats: Stats; as: string }): AsyncGenerator<Buffer> {
  if (stats.isSocket()) return;
  const head = { ...headOf(files, stats, as), xattrs: attributesOf(files, parent, name) };
  if (stats.isDirectory()) {
    yield tarHead({ ...head, name: latin(as.endsWith("/") ? as : `${as}/`), type: "5" }, 0);
    return;
  }
  const key = `${stats.dev}:${stats.ino}`;
  const first = stats.nlink > 1 ? files.links.get(key) : undefined;
  if (first !== undefined) yield tarHead({ ...headOf(files, stats, as), type: "1", linkName: latin(first) }, 0);
  else if (stats.isSymbolicLink()) yield tarHead({ ...head, type: "2", linkName: latin(readlinkSync(parent.at(name))) }, 0);
  else if (stats.isFile()) yield* fileBytes(parent, name, head);
  else if (stats.isFIFO()) yield tarHead({ ...head, type: "6" }, 0);
  else yield tarHead({ ...head, type: stats.isBlockDevice() ? "4" : "3", ...numbersOf(stats.rdev) }, 0);
  if (stats.nlink > 1) files.links.set(key, as);
}

const headOf = ({ map, latest = Infinity }: TarFiles, stats: Stats, as: string): TarFile => ({
  name: latin(as),
  mode: stats.mode & 0o7777,
  ...ownerInside(map, stats),
  mtime: Math.min(Math.floor(stats.mtimeMs / 1_000), latest),
});

function attributesOf({ kernel, keeps }: TarFiles, parent: Directory, name: string): ReadonlyMap<string, Buffer> {
  try {
    return new Map([...kernel.getxattrs(parent.at(name))].filter(([key]) => keeps(key)));
  } catch (error) {
    if (["ENOENT", "ENOTSUP", "EOPNOTSUPP"].includes(codeOf(error) ?? "")) return new Map();
    throw error;
  }
}

function openDirectory(parent: Directory, name: string): Directory | undefined {
  try {
    return parent.directory(name);
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "ELOOP"].includes(codeOf(error) ?? "")) return undefined;
    throw error;
  }
}

async function* fileBytes(parent: Directory, name: string, head: TarFile): AsyncGenerator<Buffer> {
  let fd: number;
  try {
    fd = parent.open(name, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (["ENOENT", "ELOOP"].includes(codeOf(error) ?? "")) return;
    throw error;
  }
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

/** Many small pieces as fewer, and a breath for everybody else between them. */
export async function* gathered(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let held: Buffer[] = [];
  let bytes = 0;
  for await (const piece of pieces) {
    held.push(piece);
    bytes += piece.length;
    if (bytes < chunkBytes) continue;
    yield held.length === 1 ? piece : Buffer.concat(held);
    held = [];
    bytes = 0;
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (bytes > 0) yield Buffer.concat(held);
}

/** Names go into a tar byte by byte. */
export const latin = (name: string): string => Buffer.from(name, "utf8").toString("latin1");

/** glibc's gnu_dev_major and minor. */
const numbersOf = (rdev: number): { devMajor: number; devMinor: number } => ({
  devMajor: (rdev >> 8) & 0xfff,
  devMinor: (rdev & 0xff) | ((rdev >> 12) & 0xfff00),
});
