import type { Stats } from "node:fs";
import { chmod, chown, constants, copyFile, lchown, link, lstat, lutimes, mkdir, readdir, readlink, symlink, utimes } from "node:fs/promises";
import { join } from "node:path";
import type { ContainerBackends } from "./backends.ts";
import { inDirectory } from "./host-path.ts";

type Kernel = ContainerBackends["kernel"];
type TreeKernel = Pick<Kernel, "mkfifo" | "getxattrs" | "setxattr">;

/** Fills an empty volume with what the image has at the place it will be mounted over: owners, modes, times, links and extended attributes kept. */
export async function copyUp(kernel: Kernel, what: { rootfs: string; destination: string; volume: string }): Promise<void> {
  await inDirectory(kernel, what.rootfs, what.destination, async (source) => {
    // `source` is a link to the directory; with a dot behind it is the directory itself.
    await copyTree(kernel, `${source}/.`, what.volume);
  });
}

/** Everything in a directory, and what the directory itself is, into another one; where the file system can, both share their blocks. */
export async function copyTree(kernel: TreeKernel, from: string, to: string): Promise<void> {
  await copyEntries(kernel, from, to, new Map());
  await copyAttributes(kernel, from, to, await lstat(from));
}

/** By inode, where a file with several names was copied to first. */
type Linked = Map<string, string>;

async function copyEntries(kernel: TreeKernel, from: string, to: string, linked: Linked): Promise<void> {
  for (const name of await readdir(from)) {
    const source = join(from, name);
    const target = join(to, name);
    const stats = await lstat(source);
    if (await linkAgain(stats, target, linked)) continue;
    if (stats.isDirectory()) {
      await mkdir(target);
      await copyEntries(kernel, source, target, linked);
    } else if (stats.isFile()) await copyFile(source, target, constants.COPYFILE_FICLONE);
    else if (stats.isSymbolicLink()) await symlink(await readlink(source), target);
    else if (stats.isFIFO()) kernel.mkfifo(target, stats.mode & 0o7777);
    // Sockets mean nothing without their process, and device nodes are not an image's to give.
    else continue;
    await copyAttributes(kernel, source, target, stats);
  }
}

async function linkAgain(stats: Stats, target: string, linked: Linked): Promise<boolean> {
  if (stats.nlink < 2 || !stats.isFile()) return false;
  const key = `${stats.dev}:${stats.ino}`;
  const first = linked.get(key);
  if (first === undefined) {
    linked.set(key, target);
    return false;
  }
  await link(first, target);
  return true;
}

async function copyAttributes(kernel: TreeKernel, source: string, target: string, stats: Stats): Promise<void> {
  if (stats.isSymbolicLink()) {
    await lchown(target, stats.uid, stats.gid);
    await lutimes(target, stats.atime, stats.mtime);
    return;
  }
  // Owner first: changing it clears set-user-id bits and capabilities.
  await chown(target, stats.uid, stats.gid);
  await chmod(target, stats.mode & 0o7777);
  for (const [name, value] of kernel.getxattrs(source)) {
    if (!name.startsWith("trusted.overlay.")) kernel.setxattr(target, name, value);
  }
  await utimes(target, stats.atime, stats.mtime);
}
