import type { TarEntry } from "#core/layers/tar-scanner.ts";
import { isWhiteout, kindOf, kinds } from "#core/layers/layer-entry.ts";
import { layerPath, opaqueMark, whiteoutMetaPrefix, whiteoutPrefix } from "#core/layers/layer-path.ts";
import {
  checkLengths,
  attributes,
  type Directory,
  isDirectory,
  type LayerNode,
  newDirectory,
  noDevice,
  nothing,
  putDirectory,
  refused,
  replace,
  replaceWhiteout,
  setOpaque,
  whiteout,
} from "./layer-node.ts";

export interface LayerReport {
  readonly entries: number;
  readonly inodes: number;
  /** Space that the files, unpacked on ext4, would take: what Docker calls the size of a layer. */
  readonly unpackedBytes: number;
  /** Directories that entries are in but that have no entry themselves. */
  readonly implicitDirectories: readonly string[];
  /** Why the layer cannot be indexed and is unpacked into a directory instead. */
  readonly unpackReason?: string;
}

const symlinkHopsMax = 255;
const pageBytes = 4096;
/** ext4 keeps shorter link targets in the inode. */
const inodeLinkBytes = 60;

/**
 * The file tree that a layer's entries make, in memory: paths are resolved here, inside the tree, so that nothing a tar
 * says is ever looked up on a file system. Docker's marks for removed names become overlay's (whiteout devices, opaque
 * attribute). Rejects (invalidArgument) what cannot be unpacked: hard links to nothing, files below files, unknown types.
 */
export class LayerTree {
  readonly root: Directory = newDirectory(0);
  #entries = 0;
  #unpackReason: string | undefined;

  add(entry: TarEntry): void {
    this.#entries += 1;
    const path = layerPath(entry.path).path;
    if (path === "") return this.#setRoot(entry);
    checkLengths(path, entry);
    const slash = path.lastIndexOf("/");
    const name = path.slice(slash + 1);
    const parent = this.#directory(slash < 0 ? [] : path.slice(0, slash).split("/"), entry);
    if (name === opaqueMark) setOpaque(parent);
    else if (name.startsWith(whiteoutMetaPrefix)) return;
    else if (name.startsWith(whiteoutPrefix)) whiteout(parent, name.slice(whiteoutPrefix.length), entry);
    else this.#put(parent, name, entry);
  }

  report(): LayerReport {
    const implicitDirectories: string[] = [];
    const seen = new Set<LayerNode>();
    let pages = 1;
    const visit = (directory: Directory, path: string): void => {
      for (const [name, node] of directory.children) {
        if (seen.has(node)) continue;
        seen.add(node);
        if (isDirectory(node)) {
          if (node.implicit) implicitDirectories.push(path + name);
          pages += 1;
          visit(node, `${path}${name}/`);
        } else if (kindOf(node) !== kinds.symlink || node.size >= inodeLinkBytes) pages += Math.ceil(node.size / pageBytes);
      }
    };
    visit(this.root, "");
    return {
      entries: this.#entries,
      inodes: seen.size + 1,
      unpackedBytes: pages * pageBytes,
      implicitDirectories,
      ...(this.#unpackReason === undefined ? {} : { unpackReason: this.#unpackReason }),
    };
  }

  #setRoot(entry: TarEntry): void {
    if (entry.type !== "5") throw refused(entry, "the root of a layer must be a directory");
    Object.assign(this.root, attributes(entry, kinds.directory));
  }

  /** The directory at `parts`, made where missing, symbolic links followed inside the tree. */
  #directory(parts: readonly string[], entry: TarEntry): Directory {
    const found = this.#walk(parts, entry, (at, name) => {
      const made = newDirectory(entry.mtime);
      at.children.set(name, made);
      at.links += 1;
      return made;
    });
    if (found === undefined || !isDirectory(found)) throw refused(entry, "it is below a file that is no directory");
    return found;
  }

  #walk(parts: readonly string[], entry: TarEntry, missing: (at: Directory, name: string) => Directory | undefined): LayerNode | undefined {
    const path: Directory[] = [this.root];
    const todo = [...parts].toReversed();
    for (let hops = 0; todo.length > 0; ) {
      const at = path.at(-1)!;
      const name = todo.pop()!;
      if (name === "" || name === ".") continue;
      if (name === "..") {
        if (path.length > 1) path.pop();
        continue;
      }
      const node = at.children.get(name) ?? missing(at, name);
      if (node === undefined) return undefined;
      if (isDirectory(node)) path.push(node);
      else if (kindOf(node) === kinds.symlink) {
        hops += 1;
        if (hops > symlinkHopsMax) throw refused(entry, "its path leads through too many symbolic links");
        if (node.target.startsWith("/")) path.length = 1;
        todo.push(...node.target.split("/").toReversed());
      } else if (isWhiteout(node)) path.push(replaceWhiteout(at, name, newDirectory(entry.mtime)));
      else return todo.length === 0 ? node : undefined;
    }
    return path.at(-1)!;
  }

  #put(parent: Directory, name: string, entry: TarEntry): void {
    switch (entry.type) {
      case "5":
        return putDirectory(parent, name, entry);
      case "1":
        return this.#link(parent, name, entry);
      case "2":
        return replace(parent, name, {
          ...attributes(entry, kinds.symlink),
          mode: kinds.symlink | 0o777,
          ...nothing,
          target: entry.linkPath,
          size: entry.linkPath.length,
        });
      case "3":
      case "4":
      case "6": {
        const kind = entry.type === "3" ? kinds.char : entry.type === "4" ? kinds.block : kinds.fifo;
        const device = entry.type === "6" ? noDevice : { major: entry.devMajor, minor: entry.devMinor };
        return replace(parent, name, { ...attributes(entry, kind), ...nothing, device });
      }
      case "0":
      case "\0":
      case "7":
      case "S":
        return this.#file(parent, name, entry);
      default:
        throw refused(entry, `unhandled tar header type ${JSON.stringify(entry.type)}`);
    }
  }

  #file(parent: Directory, name: string, entry: TarEntry): void {
    // Before ustar a directory was a file whose name ends in a slash.
    if (entry.type === "\0" && entry.path.endsWith("/")) return putDirectory(parent, name, entry);
    const { dataOffset, storedBytes, sparse } = entry;
    if (sparse !== undefined) this.#unpackReason ??= `${entry.path} is a sparse file`;
    const data = { size: sparse?.size ?? storedBytes, dataOffset, storedBytes, ...(sparse === undefined ? {} : { sparse }) };
    replace(parent, name, { ...attributes(entry, kinds.file), ...nothing, ...data });
  }

  #link(parent: Directory, name: string, entry: TarEntry): void {
    const path = layerPath(entry.linkPath).path;
    const slash = path.lastIndexOf("/");
    const directory = this.#walk(slash < 0 ? [] : path.slice(0, slash).split("/"), entry, () => undefined);
    const target = directory !== undefined && isDirectory(directory) ? directory.children.get(path.slice(slash + 1)) : undefined;
    if (target === undefined || isDirectory(target))
      throw refused(entry, `hard link to ${JSON.stringify(entry.linkPath)}, which is no file of this layer before it`);
    if (parent.children.get(name) === target) return;
    target.links += 1;
    replace(parent, name, target);
  }
}
