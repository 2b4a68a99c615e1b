import { closeSync, constants, fchmodSync, fchownSync, futimesSync, lchownSync, linkSync, lutimesSync, mkdirSync, symlinkSync, writeSync } from "node:fs";
import { posix } from "node:path";
import type { Readable } from "node:stream";
import { EngineError, codeOf, isClass, messageOf } from "#base/errors.ts";
import { type IdentityMap, mappedRoot, ownerOutside } from "../userns/identity.ts";
import { fileTime } from "../layers/layer-entry.ts";
import { type TarEntry, TarScanner } from "../layers/tar-scanner.ts";
import { type Place, archivePath, followed, lookupError } from "./archive-path.ts";
import type { Directory } from "./at.ts";
import type { ContainerBackends } from "./backends.ts";
import type { View } from "./view.ts";

type Kernel = Pick<ContainerBackends["kernel"], "mknod" | "setxattr">;

export interface ExtractOptions {
  /** A directory does not replace a file, nor a file a directory. */
  readonly noOverwriteDirNonDir: boolean;
  /** Everything gets this owner instead of its own. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** Owners, named as the container sees them, are others of this machine. */
  readonly map?: IdentityMap | undefined;
  /** Rejects a target, named as the container sees it, that may not be written to. */
  readonly check: (target: string) => void;
  /** Told of every piece. */
  readonly step: () => void;
}

/**
 * Unpacks a tar into the directory `path`. Every name is reached from an open directory and never followed, so that neither the
 * tar nor the container can lead it out of the container's root.
 */
export async function writeArchive(view: View, kernel: Kernel, what: Place & { readonly tar: Readable }, options: ExtractOptions): Promise<void> {
  using directory = targetOf(view, what);
  const path = view.pathOf(directory);
  options.check(path);
  const unpacker = new Unpacker({ target: view.below(directory), path, kernel, options });
  const scanner = new TarScanner({ entry: (entry) => unpacker.entry(entry), data: (chunk) => unpacker.data(chunk) });
  try {
    for await (const chunk of what.tar as AsyncIterable<Buffer>) {
      options.step();
      scanner.push(chunk);
    }
    scanner.end();
  } catch (error) {
    // Damage is the client's, but dockerd calls it its own.
    if (isClass(error, "invalidArgument")) throw new EngineError("internal", error.message, { cause: error });
    if (codeOf(error) === "ENOENT") throw lookupError(error, { ...what, looked: path });
    throw isSystemError(error) ? new EngineError("internal", messageOf(error), { cause: error }) : error;
  } finally {
    unpacker.finish();
  }
}

const isSystemError = (error: unknown): boolean => error instanceof Error && !(error instanceof EngineError) && codeOf(error) !== undefined;

/** The directory everything goes below. The caller disposes it. */
function targetOf(view: View, { container, path }: Place): Directory {
  const looked = archivePath(path);
  try {
    if (path.includes("\0")) throw Object.assign(new Error("a zero byte"), { code: "EINVAL" });
    return view.directory(looked);
  } catch (error) {
    if (codeOf(error) === "ELOOP") throw new EngineError("internal", "EvalSymlinks: too many links", { cause: error });
    if (codeOf(error) === "ENOTDIR" && isThere(view, looked)) throw new EngineError("invalidArgument", "extraction point is not a directory", { cause: error });
    throw lookupError(error, { container, path, looked });
  }
}

/** Whether the path itself is the file: not one above it. */
function isThere(view: View, path: string): boolean {
  if (/\/\.?$/.test(path)) return false;
  using parent = view.open(posix.dirname(path));
  return parent?.lstat(posix.basename(path)) !== undefined;
}

const nodeTypes: Readonly<Record<string, number>> = { "3": constants.S_IFCHR, "4": constants.S_IFBLK, "6": constants.S_IFIFO };

class Unpacker {
  /** Everything is looked up below the target as if it were the root. */
  readonly #target: View;
  /** Where the target is in the container. */
  readonly #path: string;
  readonly #kernel: Kernel;
  readonly #options: ExtractOptions;
  #file: { readonly fd: number; readonly below: string; readonly entry: TarEntry } | undefined;
  /** Times of directories, set last: what is put into them changes them. */
  readonly #directories: { readonly below: string; readonly entry: TarEntry }[] = [];

  constructor(parts: { target: View; path: string; kernel: Kernel; options: ExtractOptions }) {
    this.#target = parts.target;
    this.#path = parts.path;
    this.#kernel = parts.kernel;
    this.#options = parts.options;
  }

  entry(entry: TarEntry): void {
    this.#closeFile();
    const below = inside(entry.path, "entry name");
    if (below === "") return;
    using parent = this.#parent(posix.dirname(below));
    const name = posix.basename(below);
    this.#clear(parent, { name, below, entry });
    this.#make(parent, name, below, entry);
  }

  data(chunk: Buffer): void {
    if (this.#file === undefined) return;
    for (let at = 0; at < chunk.length; ) at += writeSync(this.#file.fd, chunk, at);
  }

  finish(): void {
    this.#closeFile();
    for (const { below, entry } of this.#directories.reverse()) {
      using directory = this.#target.open(below);
      if (directory !== undefined) this.#apply(directory.fd, directory.at("."), entry);
    }
  }

  #make(parent: Directory, name: string, below: string, entry: TarEntry): void {
    const { type } = entry;
    if (type === "0") {
      this.#file = { fd: parent.open(name, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600), below, entry };
    } else if (type === "5") {
      if (parent.lstat(name) === undefined) mkdirSync(parent.at(name), { mode: 0o700 });
      this.#directories.push({ below, entry });
    } else if (type === "2") {
      symlinkSync(utf8(entry.linkPath), parent.at(name));
      this.#linkAttributes(parent, name, entry);
    } else if (type === "1") this.#link(parent, name, entry);
    else if (nodeTypes[type] !== undefined) {
      this.#kernel.mknod(parent.at(name), nodeTypes[type] | (entry.mode & 0o7777), entry.devMajor, entry.devMinor);
      this.#linkAttributes(parent, name, entry);
    } else throw new EngineError("internal", `unhandled tar header type ${type.charCodeAt(0)}`);
  }

  /** dockerd gives the file what this entry says of it, too. */
  #link(parent: Directory, name: string, entry: TarEntry): void {
    const source = inside(entry.linkPath, "hardlink target");
    using directory = this.#parent(posix.dirname(source));
    linkSync(directory.at(posix.basename(source)), parent.at(name));
    if (parent.lstat(name)?.isFile() !== true) return this.#linkAttributes(parent, name, entry);
    const fd = parent.open(name, constants.O_RDONLY);
    try {
      this.#apply(fd, parent.at(name), entry);
    } finally {
      closeSync(fd);
    }
  }

  /** Takes away what stands where the entry goes; a directory stays under a directory. */
  #clear(parent: Directory, { name, below, entry }: { name: string; below: string; entry: TarEntry }): void {
    const found = parent.lstat(name);
    if (found === undefined || (found.isDirectory() && entry.type === "5")) return;
    if (found.isDirectory() !== (entry.type === "5") && this.#options.noOverwriteDirNonDir) {
      const [over, by] = found.isDirectory() ? ["directory", "non-directory"] : ["non-directory", "directory"];
      throw new EngineError("internal", `cannot overwrite ${over} ${JSON.stringify(below)} with ${by} ${JSON.stringify(this.#path)}`);
    }
    parent.remove(name);
  }

  /** The directory at `below`, links in it followed as if the target were the root; made where it is missing. The caller disposes it. */
  #parent(below: string): Directory {
    try {
      return this.#target.directory(below);
    } catch (error) {
      if (codeOf(error) === "ELOOP") throw new EngineError("internal", `statat ${below}: too many levels of symbolic links`, { cause: error });
      if (codeOf(error) === "ENOTDIR") throw new EngineError("internal", `openat ${below}: not a directory`, { cause: error });
      if (codeOf(error) !== "ENOENT") throw error;
    }
    const led = followed(this.#target, below);
    using parent = this.#parent(posix.dirname(led));
    mkdirSync(parent.at(posix.basename(led)), { mode: 0o755 });
    const { uid, gid } = mappedRoot(this.#options.map);
    if (uid !== 0) lchownSync(parent.at(posix.basename(led)), uid, gid);
    return this.#target.directory(led);
  }

  #closeFile(): void {
    if (this.#file === undefined) return;
    const { fd, below, entry } = this.#file;
    this.#file = undefined;
    try {
      using parent = this.#parent(posix.dirname(below));
      this.#apply(fd, parent.at(posix.basename(below)), entry);
    } finally {
      closeSync(fd);
    }
  }

  /** Owner first: changing it, like writing, clears set-user-id bits and capabilities. */
  #apply(fd: number, path: string, entry: TarEntry): void {
    const { uid, gid } = ownerOutside(this.#options.map, this.#options.owner ?? entry);
    fchownSync(fd, uid, gid);
    this.#extended(path, entry);
    fchmodSync(fd, entry.mode & 0o7777);
    futimesSync(fd, fileTime(entry), fileTime(entry));
  }

  #extended(path: string, entry: TarEntry): void {
    for (const [name, value] of entry.xattrs) {
      try {
        this.#kernel.setxattr(path, name, value);
      } catch (error) {
        if (!["ENOTSUP", "EOPNOTSUPP", "EPERM"].includes(codeOf(error) ?? "")) throw error;
      }
    }
  }

  #linkAttributes(parent: Directory, name: string, entry: TarEntry): void {
    const { uid, gid } = ownerOutside(this.#options.map, this.#options.owner ?? entry);
    lchownSync(parent.at(name), uid, gid);
    this.#extended(parent.at(name), entry);
    lutimesSync(parent.at(name), fileTime(entry), fileTime(entry));
  }
}

/** A name of the tar as a path below the target; "" is the target itself. */
function inside(name: string, what: string): string {
  const below = posix.normalize(utf8(name)).replace(/\/+$/, "").replace(/^\/+/, "");
  if (below === ".." || below.startsWith("../")) throw new EngineError("internal", `invalid ${what} ${JSON.stringify(utf8(name))}`);
  return below === "." ? "" : below;
}

const utf8 = (name: string): string => Buffer.from(name, "latin1").toString("utf8");
