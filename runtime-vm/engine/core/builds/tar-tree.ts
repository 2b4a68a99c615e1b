import { createHash, type Hash } from "node:crypto";
import { type FileHandle, open, rm } from "node:fs/promises";
import type { Readable } from "node:stream";
import { EngineError } from "#base/errors.ts";
import { type TarEntry, TarScanner } from "../layers/tar-scanner.ts";
import { type FileTree, parentOf, nameOf, treePath, type TreeEntry } from "./tree.ts";

const chunkBytes = 256 * 1024;
const types: Readonly<Record<string, TreeEntry["type"]>> = {
  "0": "file",
  "\0": "file",
  "7": "file",
  "2": "symlink",
  "3": "char",
  "4": "block",
  "5": "directory",
  "6": "fifo",
};

interface Stored {
  readonly entry: TreeEntry;
  readonly offset: number;
  digest: string;
}

/** A tar in a file, read where its files lie: nothing is unpacked. Disposing removes the file. */
export class TarTree implements FileTree, AsyncDisposable {
  readonly #file: FileHandle;
  readonly #path: string;
  readonly #entries = new Map<string, Stored>();
  readonly #children = new Map<string, Set<string>>();

  private constructor(file: FileHandle, path: string) {
    this.#file = file;
    this.#path = path;
    this.#put("", directory(""), 0);
  }

  /** Writes a plain tar to `path` and learns what is in it on the way. */
  static async spool(tar: Readable, path: string, signal: AbortSignal): Promise<TarTree> {
    const tree = new TarTree(await open(path, "wx+", 0o600), path);
    try {
      const indexer = new Indexer((entry, stored) => tree.#add(entry, stored));
      const scanner = new TarScanner({ entry: (entry) => indexer.entry(entry), data: (chunk) => indexer.data(chunk) });
      for await (const chunk of tar as AsyncIterable<Buffer>) {
        signal.throwIfAborted();
        scanner.push(chunk);
        await tree.#file.appendFile(chunk);
      }
      scanner.end();
      indexer.finish();
      return tree;
    } catch (error) {
      await tree[Symbol.asyncDispose]();
      throw error;
    }
  }

  lstat(path: string): TreeEntry | undefined {
    return this.#entries.get(path)?.entry;
  }

  names(path: string): readonly string[] {
    return [...(this.#children.get(path) ?? [])].toSorted();
  }

  async *read(entry: TreeEntry): AsyncGenerator<Buffer> {
    const stored = this.#stored(entry);
    for (let at = 0; at < entry.size; ) {
      const buffer = Buffer.allocUnsafe(Math.min(chunkBytes, entry.size - at));
      const { bytesRead } = await this.#file.read(buffer, 0, buffer.length, stored.offset + at);
      if (bytesRead === 0) throw new EngineError("internal", `${this.#path}: ${entry.path} ends at byte ${at} of ${entry.size}`);
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  digest(entry: TreeEntry): Promise<string> {
    return Promise.resolve(this.#stored(entry).digest);
  }

  /** Takes a name away, a directory with all it holds. */
  remove(path: string): void {
    for (const name of this.names(path)) this.remove(path === "" ? name : `${path}/${name}`);
    if (path === "") return;
    this.#entries.delete(path);
    this.#children.get(parentOf(path))?.delete(nameOf(path));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
    await rm(this.#path, { force: true });
  }

  #stored(entry: TreeEntry): Stored {
    const stored = this.#entries.get(entry.path);
    if (stored === undefined) throw new EngineError("notFound", `${entry.path}: not in this archive`);
    return stored;
  }

  #add(tar: TarEntry, digest: string): void {
    const path = treePath(utf8(tar.path));
    if (tar.type === "1") {
      const target = this.#entries.get(treePath(utf8(tar.linkPath)));
      if (target === undefined) throw new EngineError("invalidArgument", `tar: ${path} is a hard link to ${utf8(tar.linkPath)}, which is not before it`);
      this.#put(path, { ...target.entry, path }, target.offset).digest = target.digest;
      return;
    }
    const type = types[tar.type];
    if (type === undefined) throw new EngineError("invalidArgument", `tar: ${path} has the unknown type ${JSON.stringify(tar.type)}`);
    if (tar.sparse !== undefined) throw new EngineError("invalidArgument", `tar: ${path} is a sparse file; write the archive without --sparse`);
    const { mode, uid, gid, mtime, devMajor, devMinor } = tar;
    const entry = { path, type, mode, uid, gid, mtime, size: type === "file" ? tar.size : 0, devMajor, devMinor, xattrs: tar.xattrs };
    this.#put(path, type === "symlink" ? { ...entry, linkName: utf8(tar.linkPath) } : entry, tar.dataOffset).digest = digest;
  }

  #put(path: string, entry: TreeEntry, offset: number): Stored {
    const stored = { entry, offset, digest: "" };
    if (entry.type !== "directory" && this.#entries.get(path)?.entry.type === "directory") this.remove(path);
    this.#entries.set(path, stored);
    if (path !== "") this.#list(path);
    return stored;
  }

  /** In its directory, which an archive need not have. */
  #list(path: string): void {
    const parent = parentOf(path);
    const names = this.#children.get(parent) ?? new Set();
    this.#children.set(parent, names.add(nameOf(path)));
    if (!this.#entries.has(parent)) this.#put(parent, directory(parent), 0);
  }
}

const directory = (path: string): TreeEntry => ({ path, type: "directory", mode: 0o755, uid: 0, gid: 0, size: 0, mtime: 0 });

const utf8 = (latin: string): string => (/^[\x20-\x7e]*$/.test(latin) ? latin : Buffer.from(latin, "latin1").toString("utf8"));

/** Hands every entry on once its bytes have passed and are hashed. */
class Indexer {
  readonly #add: (entry: TarEntry, digest: string) => void;
  #current: { entry: TarEntry; hash: Hash } | undefined;

  constructor(add: (entry: TarEntry, digest: string) => void) {
    this.#add = add;
  }

  entry(entry: TarEntry): void {
    this.finish();
    this.#current = { entry, hash: createHash("sha256") };
  }

  data(chunk: Buffer): void {
    this.#current?.hash.update(chunk);
  }

  finish(): void {
    if (this.#current === undefined) return;
    this.#add(this.#current.entry, this.#current.hash.digest("hex"));
    this.#current = undefined;
  }
}
