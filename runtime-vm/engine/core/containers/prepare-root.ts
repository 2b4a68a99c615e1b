import { type Stats, closeSync, constants, fchmodSync, fchownSync, futimesSync, lutimesSync, mkdirSync, statSync, symlinkSync } from "node:fs";
import { posix } from "node:path";
import { type IdentityMap, mappedRoot } from "../userns/identity.ts";
import { Directory } from "./at.ts";
import type { ContainerBackends } from "./backends.ts";

type Kind = "directory" | "file" | "link";
type Kernel = Pick<ContainerBackends["kernel"], "openInRoot">;

/** What dockerd puts into every root below the container's own files: places for mounts, and the mark that this is a container. */
const given: Readonly<Record<string, Readonly<Record<string, Kind>>>> = {
  "/": { ".dockerenv": "file", proc: "directory", sys: "directory" },
  "/dev": { pts: "directory", shm: "directory", console: "file" },
  "/etc": { hosts: "file", hostname: "file", "resolv.conf": "file", mtab: "link" },
};

/** Makes in a root what is missing of `given`. Links are followed inside the root only. */
export function prepareRoot(kernel: Kernel, rootfs: string): void {
  const seconds = Math.floor(Date.now() / 1_000);
  for (const [path, names] of Object.entries(given)) {
    using parent = makeDirectories(kernel, rootfs, path, seconds);
    if (parent === undefined) continue;
    const missing = Object.entries(names).filter(([name]) => parent.lstat(name) === undefined);
    if (missing.length === 0) continue;
    keepingTimes(parent, () => {
      for (const [name, kind] of missing) make(parent, name, kind, seconds);
    });
  }
}

/** Makes the place a mount goes to, a directory or an empty file as its source is. Where something stands already it stays. */
export function prepareMountPoint(
  kernel: Kernel,
  rootfs: string,
  { destination, source }: { destination: string; source?: string | undefined },
  map?: IdentityMap,
): void {
  const seconds = Math.floor(Date.now() / 1_000);
  const kind = source !== undefined && statSync(source, { throwIfNoEntry: false })?.isDirectory() === false ? "file" : "directory";
  using parent = makeDirectories(kernel, rootfs, posix.dirname(posix.resolve("/", destination)), seconds, map);
  const name = posix.basename(destination);
  if (parent === undefined || name === "" || parent.lstat(name) !== undefined) return;
  make(parent, name, kind, seconds, map);
}

/** Makes a directory and what is missing above it; false when something else stands in the way. */
export function makeDirectory(kernel: Kernel, rootfs: string, path: string, map?: IdentityMap): boolean {
  using made = makeDirectories(kernel, rootfs, path, Math.floor(Date.now() / 1_000), map);
  return made !== undefined;
}

/** `map`: the root is one whose owners are mapped, and the container's root is somebody else here. */
function make(parent: Directory, name: string, kind: Kind, seconds: number, map?: IdentityMap): void {
  if (kind === "link") {
    symlinkSync("/proc/mounts", parent.at(name));
    lutimesSync(parent.at(name), seconds, seconds);
    return;
  }
  if (kind === "directory") mkdirSync(parent.at(name));
  const flags = kind === "directory" ? constants.O_RDONLY | constants.O_DIRECTORY : constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
  const fd = parent.open(name, flags, 0o755);
  try {
    if (map !== undefined) fchownSync(fd, mappedRoot(map).uid, mappedRoot(map).gid);
    fchmodSync(fd, 0o755);
    futimesSync(fd, seconds, seconds);
  } finally {
    closeSync(fd);
  }
}

/** The directory `path` inside the root, made where it is missing; undefined when something else stands in the way. The caller disposes it. */
function makeDirectories(kernel: Kernel, rootfs: string, path: string, seconds: number, map?: IdentityMap): Directory | undefined {
  const open = (below: string): Directory => new Directory(kernel.openInRoot(rootfs, below, constants.O_RDONLY | constants.O_DIRECTORY));
  let at = open("/");
  let below = "";
  for (const name of path.split("/")) {
    if (name === "") continue;
    below = `${below}/${name}`;
    using parent = at;
    try {
      if (parent.lstat(name) === undefined) keepingTimes(parent, () => make(parent, name, "directory", seconds, map));
      at = open(below);
    } catch {
      // A dangling link, or a file: what wanted to be below it finds no place, as in dockerd.
      return undefined;
    }
  }
  return at;
}

/** What is put into a directory of the image must not look like a change of the directory. */
function keepingTimes(directory: Directory, work: () => void): void {
  const before: Stats = directory.stat();
  work();
  futimesSync(directory.fd, before.atime, before.mtime);
}
