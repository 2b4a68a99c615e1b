import { closeSync, constants, fchmodSync, fchownSync, futimesSync, lchownSync, linkSync, lutimesSync, mkdirSync, symlinkSync, writeSync } from "node:fs";
import { posix } from "node:path";
import type { Readable } from "node:stream";
import { EngineError } from "#base/errors.ts";
import { type TarEntry, TarScanner } from "../layers/tar-scanner.ts";
import type { Directory } from "./at.ts";
import type { ContainerBackends } from "./backends.ts";
import type { View } from "./view.ts";

export interface ExtractOptions {
  /** A directory does not replace a file, nor a file a directory. */
  readonly noOverwriteDirNonDir: boolean;
  /** Everything gets this owner instead of its own. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

/**
 * Unpacks a tar into the directory `path`. Every name is reached from an open directory and never followed, so that neither the
 * tar nor the container can lead it out of the container's root.
 */
export async function writeArchive(
  view: View,
  kernel: ContainerBackends["kernel"],
  what: { container: string; path: string; tar: Readable },
  options: ExtractOptions,
): Promise<void> {
  checkTarget(view, what);
  const unpacker = new Unpacker(view, kernel, posix.resolve("/", what.path), options);
  const scanner = new TarScanner({ entry: (entry) => unpacker.entry(entry), data: (chunk) => unpacker.data(chunk) });
  try {
    for await (const chunk of what.tar as AsyncIterable<Buffer>) scanner.push(chunk);
    scanner.end();
  } finally {
    unpacker.finish();
  }
}

function checkTarget(view: View, { container, path }: { container: string; path: string }): void {
  using found = view.open(path);
  if (found !== undefined) return;
  const parent = view.parent(path);
  const exists = parent?.directory.lstat(parent.name) !== undefined;
  parent?.directory[Symbol.dispose]();
  if (exists) throw new EngineError("invalidArgument", "extraction point is not a directory");
  throw new EngineError("notFound", `Could not find the file ${path} in container ${container}`);
}

class Unpacker {
  readonly #view: View;
  readonly #kernel: ContainerBackends["kernel"];
  readonly #path: string;
  readonly #options: ExtractOptions;
  #file: { readonly fd: number; readonly entry: TarEntry } | undefined;
  /** Times of directories, set last: what is put into them changes them. */
  readonly #directories: { readonly below: string; readonly entry: TarEntry }[] = [];

  constructor(view: View, kernel: ContainerBackends["kernel"], path: string, options: ExtractOptions) {
    this.#view = view;
    this.#kernel = kernel;
    this.#path = path;
    this.#options = options;
  }

  entry(entry: TarEntry): void {
    this.#closeFile();
    const below = relative(entry.path);
    if (below === "") {
      if (entry.type === "5") this.#directories.push({ below, entry });
      return;
    }
    using parent = this.#parent(posix.dirname(below));
    const name = posix.basename(below);
    this.#clear(parent, name, entry);
    this.#make(parent, name, below, entry);
  }

  data(chunk: Buffer): void {
    if (this.#file === undefined) return;
    for (let at = 0; at < chunk.length; ) at += writeSync(this.#file.fd, chunk, at);
  }

  finish(): void {
    this.#closeFile();
    for (const { below, entry } of this.#directories.reverse()) {
      using directory = this.#view.open(posix.join(this.#path, below)) ?? this.#parent(posix.dirname(below));
      this.#attributes(directory.fd, entry);
    }
  }

  #make(parent: Directory, name: string, below: string, entry: TarEntry): void {
    const { type } = entry;
    if (type === "0") {
      this.#file = { fd: parent.open(name, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600), entry };
    } else if (type === "5") {
      if (parent.lstat(name) === undefined) mkdirSync(parent.at(name), { mode: 0o700 });
      this.#directories.push({ below, entry });
    } else if (type === "2") {
      symlinkSync(utf8(entry.linkPath), parent.at(name));
      this.#linkAttributes(parent, name, entry);
    } else if (type === "1") {
      const source = relative(entry.linkPath);
      using directory = this.#parent(posix.dirname(source));
      linkSync(directory.at(posix.basename(source)), parent.at(name));
    } else if (type === "6") {
      this.#kernel.mkfifo(parent.at(name), entry.mode & 0o7777);
      this.#linkAttributes(parent, name, entry);
    }
    // Device nodes are not given to containers by copying.
  }

  /** Takes away what stands where the entry goes; a directory stays under a directory. */
  #clear(parent: Directory, name: string, entry: TarEntry): void {
    const found = parent.lstat(name);
    if (found === undefined || (found.isDirectory() && entry.type === "5")) return;
    const replacesKind = found.isDirectory() !== (entry.type === "5");
    if (replacesKind && this.#options.noOverwriteDirNonDir) {
      const [over, by] = found.isDirectory() ? ["directory", "non-directory"] : ["non-directory", "directory"];
      throw new EngineError(
        "invalidArgument",
        `cannot overwrite ${over} ${JSON.stringify(posix.join(this.#path, name))} with ${by} ${JSON.stringify(this.#path)}`,
      );
    }
    parent.remove(name);
  }

  /** The directory at `below`, links in it followed inside the container; made where it is missing. The caller disposes it. */
  #parent(below: string): Directory {
    const found = this.#view.open(posix.join(this.#path, below));
    if (found !== undefined) return found;
    using parent = this.#parent(posix.dirname(below));
    const name = posix.basename(below);
    if (parent.lstat(name) !== undefined) parent.remove(name);
    mkdirSync(parent.at(name), { mode: 0o755 });
    return parent.directory(name);
  }

  #closeFile(): void {
    if (this.#file === undefined) return;
    const { fd, entry } = this.#file;
    this.#file = undefined;
    try {
      this.#attributes(fd, entry);
    } finally {
      closeSync(fd);
    }
  }

  /** Owner before mode: changing it clears set-user-id bits. */
  #attributes(fd: number, entry: TarEntry): void {
    const { uid, gid } = this.#options.owner ?? entry;
    fchownSync(fd, uid, gid);
    fchmodSync(fd, entry.mode & 0o7777);
    futimesSync(fd, entry.mtime, entry.mtime);
  }

  #linkAttributes(parent: Directory, name: string, entry: TarEntry): void {
    const { uid, gid } = this.#options.owner ?? entry;
    lchownSync(parent.at(name), uid, gid);
    lutimesSync(parent.at(name), entry.mtime, entry.mtime);
  }
}

/** A name of the tar as a path below the target: `..` and a first slash lead nowhere else. */
const relative = (name: string): string => posix.resolve("/", utf8(name)).slice(1);

const utf8 = (name: string): string => Buffer.from(name, "latin1").toString("utf8");
