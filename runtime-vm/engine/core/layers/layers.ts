import type { Readable } from "node:stream";
import type { Digest, Piece } from "../content/content.ts";
import type { LayerEntry } from "./layer-entry.ts";

/** What there is of a growing blob by now: bytes that can be read from its file, and at times a piece that is the taker's to release. */
export interface Grown {
  readonly readable: number;
  readonly piece?: Piece;
}

/** A growing blob cannot be read on, because its bytes turned out to be wrong or by no fault of its own: what is whole can be. */
export class GrowthLost extends Error {}

/** A blob's file. With `growth` it is still being written: that ends when the file is whole, and throws when it never will be. */
export interface BlobFile {
  readonly path: string;
  /** Its digest, where the file is known to have it: a plain tar that is the layer itself need not be read to be hashed again. */
  readonly digest?: Digest;
  readonly growth?: AsyncIterable<Grown>;
  /** Told the digest of the file's bytes by a reader that has read them all, undefined by one that is done without; the first word counts. */
  readonly hashed?: (digest: Digest | undefined) => void;
}

/** Something in the store that does not go with the rest. */
export interface LayerFault {
  readonly object: string;
  readonly problem: string;
}

/** Unpacked image layers, each kept once under its diffID, and the writable roots of containers on top of them. */
export interface LayerStore {
  has(diffId: Digest): boolean;
  /** Reads an uncompressed layer tar, checks every header, indexes it; durable under the returned diffId. `expected` differing is invalidArgument. */
  ingest(tar: Readable, opts: { expected?: Digest; signal: AbortSignal }): Promise<{ diffId: Digest; size: number }>;
  /**
   * The same from a blob's file, plain or compressed (gzip, zstd), off the engine's thread; `onProgress` hears bytes read of it.
   * A plain tar is not copied: the layer shares the blob's file. One call a diffId at a time does the work, others wait for it.
   */
  unpack(blob: BlobFile, opts: { expected: Digest; signal: AbortSignal; onProgress?: (bytes: number) => void }): Promise<{ diffId: Digest; size: number }>;
  /** The layer's uncompressed tar, byte-exact. */
  openTar(diffId: Digest): Readable;
  /** The files that its tar describes, read from the headers alone; exhausted where they are too many to be held. */
  tree(diffId: Digest, opts: { signal: AbortSignal }): Promise<{ readonly root: LayerEntry; readonly entries: number }>;
  /** The bytes of a file of its tree. */
  openFile(diffId: Digest, entry: LayerEntry): Readable;
  /** Bytes of the uncompressed tar. */
  size(diffId: Digest): number;
  /** Space its files would take unpacked into a directory (what Docker calls an image's size); 0 when absent. */
  unpackedSize(diffId: Digest): number;
  list(): readonly Digest[];
  /** Where layers, roots and mounts do not go together; the bytes of layers are not read. */
  faults(): readonly LayerFault[];
  /** Moves the layer into the trash. Conflict while a root stands on it, mounted or not. */
  remove(diffId: Digest): void;
  /** How layers are mounted on this kernel, for `/info` ("erofs file", "erofs loop", "directories"). */
  readonly method: string;
}

/** Writable roots. `id` is the container's. State survives an engine restart: a mounted root is found again. */
export interface Snapshotter {
  /**
   * Makes the writable root over `layers` (lowest first), recorded durably, not yet mounted. `mapped`: it shows the owners that containers'
   * users are. `transient`: it is mounted once and goes with this engine at the latest, so the disk is waited for neither now nor by what writes into it.
   */
  prepare(id: string, layers: readonly Digest[], opts?: { readonly mapped?: boolean; readonly transient?: boolean }): Promise<void>;
  /** What is written into a fresh root may take so much of the disk. Class `invalidArgument` where the file system cannot do that. */
  limit(id: string, bytes: number): void;
  /** Mounts it (idempotent) and returns the root directory. */
  mount(id: string): Promise<string>;
  unmount(id: string): Promise<void>;
  /** Unmounts, and moves the writable directory into the trash. A missing one is fine. */
  remove(id: string): Promise<void>;
  /** Bytes in the writable directory. */
  usage(id: string): Promise<number>;
  /** Writable directory (overlay upper), for diff and commit. */
  upperDir(id: string): string;
  list(): readonly string[];
}
