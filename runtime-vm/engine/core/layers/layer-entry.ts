import type { SparseMap } from "./tar-sparse.ts";

/** File types, as `st_mode` has them. */
export const kinds = { fifo: 0o010000, char: 0o020000, directory: 0o040000, block: 0o060000, file: 0o100000, symlink: 0o120000 } as const;
const kindMask = 0o170000;

/** What a layer's tar says of a name; hard links share one. Names and targets are `latin1`: one character a byte. */
export interface LayerEntry {
  /** File type and permissions, as `st_mode`. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: number;
  readonly mtimeNano: number;
  readonly xattrs: ReadonlyMap<string, Buffer>;
  /** Directories only. */
  readonly children?: ReadonlyMap<string, LayerEntry>;
  /** A directory that has no entry of its own in the tar. */
  readonly implicit?: boolean;
  readonly size: number;
  /** Where a file's bytes start in the tar, and how many are stored there; others than its size for sparse files. */
  readonly dataOffset: number;
  readonly storedBytes: number;
  readonly sparse?: SparseMap;
  readonly target: string;
  readonly device: { readonly major: number; readonly minor: number };
}

export const opaqueAttribute = "trusted.overlay.opaque";

export const kindOf = ({ mode }: Pick<LayerEntry, "mode">): number => mode & kindMask;

/** For Node's `utimes`, which takes a number below zero for no time and sets now; it reads text as it is. */
export const fileTime = ({ mtime, mtimeNano }: Pick<LayerEntry, "mtime" | "mtimeNano">): string => String(mtime + mtimeNano / 1e9);

/** The name is gone, whatever lower layers have under it: a character device 0:0, as overlay has it. */
export const isWhiteout = (entry: Pick<LayerEntry, "mode" | "device">): boolean =>
  kindOf(entry) === kinds.char && entry.device.major === 0 && entry.device.minor === 0;

/** A directory that shows nothing of what lower layers have in it. */
export const isOpaque = ({ xattrs }: Pick<LayerEntry, "xattrs">): boolean => xattrs.has(opaqueAttribute);
