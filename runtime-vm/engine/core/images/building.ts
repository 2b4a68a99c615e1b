import type { Readable } from "node:stream";
import type { ImageConfigFile } from "#api/oci.ts";
import type { Descriptor, Digest } from "../content/content.ts";

/** A layer as an image's manifest and configuration name it. */
export interface BuiltLayer {
  readonly diffId: Digest;
  readonly blob: Descriptor;
}

/** An image made of layers that are here. */
export interface BuiltImage {
  readonly config: ImageConfigFile;
  readonly layers: readonly Descriptor[];
  /** References with a tag; without any the image is dangling. */
  readonly names: readonly string[];
}

/** What builds need of the image store. */
export interface ImageBuilder {
  /** Until it is disposed, nothing without a name is collected. */
  hold(): AsyncDisposable;
  /** The layers of an image whose manifest is here, lowest first. */
  layersOf(manifest: Descriptor): Promise<readonly Descriptor[]>;
  /** Makes a layer of an uncompressed tar. Its blob and the unpacked layer share the bytes: nothing is compressed. */
  writeLayer(tar: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<BuiltLayer>;
  /** Whether it can be built on. */
  hasLayer(layer: BuiltLayer): boolean;
  /** The image's id, before or after it is registered: nothing is written. */
  idOf(image: Pick<BuiltImage, "config" | "layers">): Digest;
  /** Durable when it resolves with the id. */
  register(image: BuiltImage): Promise<Digest>;
  /** Removes layers that neither an image nor the build cache refers to; returns the bytes that gives back. */
  collectLayers(layers: readonly BuiltLayer[]): Promise<number>;
  /** Of every image that is here. */
  layersInImages(): Promise<ReadonlySet<Digest>>;
  /** A plain stream of a file that may be compressed (gzip, bzip2, xz, zstd). */
  plain(from: Readable, signal: AbortSignal): Readable;
}
