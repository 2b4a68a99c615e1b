import { EngineError } from "#base/errors.ts";
import type { TarEntry } from "#core/layers/tar-scanner.ts";
import { isWhiteout, kinds, type LayerEntry, opaqueAttribute } from "#core/layers/layer-entry.ts";

/** A layer's entry while its tar is read. */
export interface LayerNode extends LayerEntry {
  mode: number;
  uid: number;
  gid: number;
  mtime: number;
  mtimeNano: number;
  links: number;
  xattrs: ReadonlyMap<string, Buffer>;
  readonly children?: Map<string, LayerNode>;
  implicit?: boolean;
}

export type Directory = LayerNode & { readonly children: Map<string, LayerNode> };

const xattrNames = /^(user|security|trusted)\..|^system\.posix_acl_(access|default)$/;
export const noDevice = { major: 0, minor: 0 };

export const isDirectory = (node: LayerNode): node is Directory => node.children !== undefined;

export const nothing = { links: 1, size: 0, dataOffset: 0, storedBytes: 0, target: "", device: noDevice } as const;

export const newDirectory = (mtime: number): Directory => ({
  ...nothing,
  mode: kinds.directory | 0o755,
  uid: 0,
  gid: 0,
  mtime,
  mtimeNano: 0,
  links: 2,
  xattrs: new Map(),
  children: new Map(),
  implicit: true,
});

export function attributes(entry: TarEntry, kind: number): Pick<LayerNode, "mode" | "uid" | "gid" | "mtime" | "mtimeNano" | "xattrs" | "implicit"> {
  const allowed = ([key]: [string, Buffer]): boolean => {
    // Administrators' attributes are left out, as containerd does: the overlay driver's own among them would let a layer reach into another.
    if (!xattrNames.test(key) || key.startsWith("trusted.")) return false;
    // Linux has these on files and directories only.
    return !key.startsWith("user.") || kind === kinds.file || kind === kinds.directory;
  };
  return {
    mode: kind | entry.mode,
    uid: entry.uid >>> 0,
    gid: entry.gid >>> 0,
    ...timeOf(entry),
    xattrs: entry.xattrs.size === 0 ? entry.xattrs : new Map([...entry.xattrs].filter(allowed)),
    implicit: false,
  };
}

/** What 64 bits of nanoseconds since 1970 can say; containerd takes any other time for 1970's beginning. */
const secondsMax = 9_223_372_036;

const timeOf = ({ mtime, mtimeNano }: TarEntry): Pick<LayerNode, "mtime" | "mtimeNano"> =>
  mtime < 0 || mtime >= secondsMax ? { mtime: 0, mtimeNano: 0 } : { mtime, mtimeNano };

export function putDirectory(parent: Directory, name: string, entry: TarEntry): void {
  const known = parent.children.get(name);
  if (known !== undefined && isDirectory(known)) {
    const opaque = known.xattrs.get(opaqueAttribute);
    Object.assign(known, attributes(entry, kinds.directory));
    if (opaque !== undefined) setOpaque(known);
    return;
  }
  const made = Object.assign(newDirectory(entry.mtime), attributes(entry, kinds.directory));
  if (known !== undefined && isWhiteout(known)) return void replaceWhiteout(parent, name, made);
  replace(parent, name, made);
}

/** A directory in the place of a removed one must not show what the removed one held. */
export function replaceWhiteout(parent: Directory, name: string, made: Directory): Directory {
  setOpaque(made);
  replace(parent, name, made);
  return made;
}

export function replace(parent: Directory, name: string, node: LayerNode): void {
  const former = parent.children.get(name);
  if (former !== undefined) {
    former.links -= 1;
    if (isDirectory(former)) parent.links -= 1;
  }
  if (isDirectory(node)) parent.links += 1;
  parent.children.set(name, node);
}

/** Whiteouts hide what lower layers have; a file of this layer under the same name stays. */
export function whiteout(parent: Directory, name: string, entry: TarEntry): void {
  if (name === "" || name === "." || name === "..") throw refused(entry, "invalid whiteout name");
  const known = parent.children.get(name);
  if (known === undefined) replace(parent, name, { ...attributes(entry, kinds.char), mode: kinds.char, uid: 0, gid: 0, xattrs: new Map(), ...nothing });
  else if (isDirectory(known)) setOpaque(known);
}

export function setOpaque(directory: Directory): void {
  directory.xattrs = new Map([...directory.xattrs, [opaqueAttribute, Buffer.from("y")]]);
}

export const refused = (entry: TarEntry, why: string): EngineError =>
  new EngineError("invalidArgument", `layer entry ${shortened(entry.path)} cannot be unpacked: ${why}`);

/** Linux's PATH_MAX and NAME_MAX. */
const pathBytesMax = 4095;
const nameBytesMax = 255;

/** What no file system below a container takes is refused here, by name. Characters are bytes. */
export function checkLengths(path: string, entry: TarEntry): void {
  if (path.length > pathBytesMax || entry.linkPath.length > pathBytesMax) throw refused(entry, `it is longer than ${pathBytesMax} bytes`);
  if (path.split("/").some((name) => name.length > nameBytesMax)) throw refused(entry, `a name in it is longer than ${nameBytesMax} bytes`);
}

const shortened = (path: string): string => JSON.stringify(path.length > 300 ? `${path.slice(0, 300)}...` : path);
