import type { Readable } from "node:stream";
import type { ImageConfigFile } from "#api/oci.ts";
import type { Descriptor, Digest } from "../content/content.ts";
import type { LayerEntry } from "../layers/layer-entry.ts";

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

/** A manifest, an index, a configuration or a statement, with its bytes. */
export interface ImageDocument {
  readonly descriptor: Descriptor;
  readonly bytes: Buffer;
}

/** An image of several documents, whose layers are here: its index and all that it leads to. */
export interface BuiltSet {
  /** What the image's names stand for; one of the documents. */
  readonly target: Descriptor;
  readonly documents: readonly ImageDocument[];
  readonly names: readonly string[];
}

/** How the bytes of a layer are stored: `plain` is the tar itself. */
export type LayerCompression = "plain" | "gzip" | "zstd";

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
  /** What a layer has, by its tar's headers alone: its root. */
  layerTree(diffId: Digest, signal: AbortSignal): Promise<LayerEntry>;
  /** The image's id, before or after it is registered: nothing is written. */
  idOf(image: Pick<BuiltImage, "config" | "layers">): Digest;
  /** Durable when it resolves with the id. */
  register(image: BuiltImage): Promise<Digest>;
  /** The same for an image of several documents. */
  registerSet(image: BuiltSet): Promise<Digest>;
  /** The layer as a blob of that kind; one that is compressed already stays as it is. The blob goes with `collectLayers` when no image has it. */
  compressed(layer: BuiltLayer, compression: LayerCompression, signal: AbortSignal): Promise<BuiltLayer>;
  /** Makes a layer, known by its digests, of a blob from elsewhere; nothing is read where it is here. */
  adopt(layer: BuiltLayer, open: () => AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void>;
  /** Bytes of a layer's blob or of a document. */
  open(digest: Digest, start?: number): Readable;
  /** Of a blob that is here. */
  sizeOf(digest: string): number | undefined;
  /** Removes layers that neither an image nor the build cache refers to; returns the bytes that gives back. */
  collectLayers(layers: readonly BuiltLayer[]): Promise<number>;
  /** What `collectLayers` would give back once nothing but images, `staying` and the trash's images refer to layers. */
  weighLayers(layers: readonly BuiltLayer[], staying: Iterable<BuiltLayer>): Promise<number>;
  /** Of every image that is here. */
  layersInImages(): Promise<ReadonlySet<Digest>>;
  /** A plain stream of a file that may be compressed (gzip, bzip2, xz, zstd). */
  plain(from: Readable, signal: AbortSignal): Readable;
}
