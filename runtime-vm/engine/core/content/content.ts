import type { Readable } from "node:stream";

/** `sha256:` and 64 hex digits. */
export type Digest = `sha256:${string}`;

/** OCI content descriptor (image-spec descriptor.md). */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly platform?: { readonly os: string; readonly architecture: string; readonly variant?: string; readonly "os.version"?: string };
  readonly annotations?: Readonly<Record<string, string>>;
  readonly urls?: readonly string[];
  readonly artifactType?: string;
}

export interface Provider {
  /** Bytes of a committed blob; notFound otherwise. */
  open(digest: Digest, range?: { start: number }): Readable;
  read(digest: Digest): Promise<Buffer>;
  stat(digest: Digest): { readonly size: number } | undefined;
}

/** A blob being written. Invisible until `commit` verified its digest. Disposing without commit removes it (or keeps it for resume when `ref` was given). */
export interface Ingest extends AsyncDisposable {
  readonly offset: number;
  /** The file it grows in, and how much of it can be read there by now: for readers that do not wait for the whole. */
  readonly path: string;
  readonly readable: number;
  /** Nothing is returned by one that was taken at once: that is most of them. */
  write(chunk: Uint8Array): Promise<void> | undefined;
  /** Makes everything written readable at `path`. */
  flush(): Promise<void>;
  /**
   * Makes the blob durable under `expected`; rejects (invalidArgument) when digest or size differ. `hashed`: the digest of the
   * file's bytes from somebody who has read them all meanwhile, or undefined where nobody has; the disk is not kept waiting for it.
   */
  commit(expected?: { digest: Digest; size?: number }, hashed?: Promise<Digest | undefined>): Promise<{ digest: Digest; size: number }>;
}

/** Bytes of a growing blob, from `at` on, in memory that other threads can read: it is used again after `release`. */
export interface Piece {
  readonly at: number;
  readonly bytes: Uint8Array;
  release(): void;
}

/** Offers a piece that is about to be written to whoever reads the blob meanwhile; false where nobody does. Who takes it must release it soon: the download waits. */
export type Lend = (piece: Piece) => boolean;

export interface Ingester {
  /**
   * `ref` names a resumable download; the same ref later continues at `offset`. Its bytes are not hashed while they are written
   * but at the commit, unless that is told their digest; what is written is given away, its memory freed. They go past the page
   * cache where that is possible, since nobody reads them soon again: a reader that goes along is lent them instead.
   */
  ingest(ref?: string, lend?: Lend): Promise<Ingest>;
}

/** A descriptor under the name an image has, as `index.json` lists it. */
export interface NamedDescriptor {
  /** Familiar name (`busybox:latest`); absent for an image without one. */
  readonly name?: string;
  readonly descriptor: Descriptor;
}

/** An OCI image layout on disk (image-spec image-layout.md). */
export interface ContentStore extends Provider, Ingester {
  list(): Iterable<{ digest: Digest; size: number }>;
  /** The committed blob's file, for a worker thread to read; notFound otherwise. */
  path(digest: Digest): string;
  /** The same bytes in memory that is used again: a chunk is good until the next one is asked for. For what only hands them on. */
  chunks(digest: Digest, range?: { start: number }): AsyncIterable<Buffer>;
  /** Replaces `index.json`, durably: other tools see exactly these images (`skopeo inspect oci:DIR:NAME`). */
  publish(images: readonly NamedDescriptor[]): void;
  /** What `index.json` lists. */
  published(): NamedDescriptor[];
  /** Moves the blob into the trash, reclaimed in the background. */
  remove(digest: Digest): void;
  /** Removes what interrupted downloads left to be continued. Returns its bytes. */
  sweep(): number;
}
