import {
  closeSync,
  linkSync,
  lchownSync,
  chmodSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readSync,
  symlinkSync,
  utimesSync,
  writeSync,
  ftruncateSync,
} from "node:fs";
import { readSparseMap } from "#core/layers/tar-sparse.ts";
import { corrupt } from "#core/layers/tar-header.ts";
import { fileTime, kindOf, kinds } from "#core/layers/layer-entry.ts";
import { isDirectory, type LayerNode } from "./layer-node.ts";

/** What Node cannot do by itself and a thread with the kernel interface must: device nodes, FIFOs, extended attributes. */
export interface Special {
  /** `latin1`, relative to the layer's directory; empty for the directory itself. */
  readonly path: string;
  readonly node?: { readonly mode: number; readonly major: number; readonly minor: number };
  readonly xattrs: readonly (readonly [string, Uint8Array])[];
  readonly uid: number;
  readonly gid: number;
  /** As `fileTime` gives it. */
  readonly time: string;
}

const copyBytes = 1024 * 1024;

/**
 * Writes the tree as files below the new directory `target`, file contents read from the tar. Every path is one that the
 * tree has and this function just made, and nobody else can reach `target` yet: no symbolic link of the layer is ever
 * followed. Returns what is left to do, in an order that keeps directory times right.
 */
export function materialize(root: LayerNode, tar: string, target: string): Special[] {
  const writer = new Writer(openSync(tar, "r"), target);
  try {
    mkdirSync(target, { mode: 0o755 });
    writer.directory(root, "");
    return writer.specials;
  } finally {
    closeSync(writer.tar);
  }
}

class Writer {
  readonly tar: number;
  readonly specials: Special[] = [];
  readonly #target: string;
  readonly #first = new Map<LayerNode, string>();

  constructor(tar: number, target: string) {
    this.tar = tar;
    this.#target = target;
  }

  directory(node: LayerNode, path: string): void {
    let late = node.xattrs.size > 0;
    for (const [name, child] of node.children!) {
      const below = path === "" ? name : `${path}/${name}`;
      const known = child.links > 1 && !isDirectory(child) ? this.#first.get(child) : undefined;
      if (known !== undefined) {
        const special = this.specials.find((one) => one.path === known && one.node !== undefined);
        if (special === undefined) linkSync(this.#at(known), this.#at(below));
        // A device has no file yet: its other names are devices of the same number.
        else this.specials.push({ ...special, path: below });
        continue;
      }
      this.#first.set(child, below);
      if (isDirectory(child)) {
        mkdirSync(this.#at(below));
        this.directory(child, below);
      } else late = this.#leaf(child, below) || late;
    }
    const at = this.#at(path);
    lchownSync(at, node.uid, node.gid);
    chmodSync(at, node.mode & 0o7777);
    utimesSync(at, fileTime(node), fileTime(node));
    if (late) this.specials.push(this.#special(node, path));
  }

  /** Returns whether something is left to do in this directory afterwards, which would change its time. */
  #leaf(node: LayerNode, path: string): boolean {
    const kind = kindOf(node);
    const at = this.#at(path);
    if (kind !== kinds.file && kind !== kinds.symlink) {
      this.specials.push({ ...this.#special(node, path), node: { mode: node.mode, ...node.device } });
      return true;
    }
    if (kind === kinds.symlink) symlinkSync(Buffer.from(node.target, "latin1"), at);
    else this.#file(node, at);
    lchownSync(at, node.uid, node.gid);
    if (kind === kinds.file) chmodSync(at, node.mode & 0o7777);
    lutimesSync(at, fileTime(node), fileTime(node));
    if (node.xattrs.size > 0) this.specials.push(this.#special(node, path));
    return false;
  }

  #file(node: LayerNode, at: Buffer): void {
    const file = openSync(at, "wx", 0o600);
    try {
      if (node.sparse === undefined) return this.#copy(file, { from: node.dataOffset, to: 0, bytes: node.size });
      const stored = (offset: number, length: number): Buffer => this.#read(node.dataOffset + offset, Math.min(length, node.storedBytes - offset));
      const { extents, dataStart } =
        node.sparse.extents === undefined ? readSparseMap(stored, node.dataOffset) : { extents: node.sparse.extents, dataStart: 0 };
      let from = dataStart;
      for (const { offset, length } of extents) {
        if (from + length > node.storedBytes || offset + length > node.size) throw corrupt(node.dataOffset, "a sparse map");
        this.#copy(file, { from: node.dataOffset + from, to: offset, bytes: length });
        from += length;
      }
      ftruncateSync(file, node.size);
    } finally {
      closeSync(file);
    }
  }

  #copy(file: number, { from, to, bytes }: { from: number; to: number; bytes: number }): void {
    for (let done = 0; done < bytes; ) {
      const chunk = this.#read(from + done, Math.min(copyBytes, bytes - done));
      for (let at = 0; at < chunk.length; ) at += writeSync(file, chunk, at, chunk.length - at, to + done + at);
      done += chunk.length;
    }
  }

  #read(position: number, length: number): Buffer {
    const buffer = Buffer.allocUnsafe(Math.max(0, length));
    const bytes = readSync(this.tar, buffer, 0, buffer.length, position);
    if (bytes === 0) throw corrupt(position, "the end of the archive");
    return buffer.subarray(0, bytes);
  }

  #special(node: LayerNode, path: string): Special {
    return { path, xattrs: [...node.xattrs], uid: node.uid, gid: node.gid, time: fileTime(node) };
  }

  #at(path: string): Buffer {
    return Buffer.concat([Buffer.from(`${this.#target}/`), Buffer.from(path, "latin1")]);
  }
}
