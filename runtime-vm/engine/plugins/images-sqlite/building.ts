import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import { createZstdCompress } from "node:zlib";
import { familiarName, isDigest, normalizedName, parseReference } from "#api/reference.ts";
import type { Descriptor, Digest } from "#core/content/content.ts";
import type { BuiltImage, BuiltLayer, BuiltSet, ImageBuilder, LayerCompression } from "#core/images/building.ts";
import { mediaTypes, parseManifest } from "#core/images/manifests.ts";
import type { LayerEntry } from "#core/layers/layer-entry.ts";
import { nameImage, writeImage } from "./add.ts";
import { decompressed, gzipped } from "./compression.ts";
import { announce, type ImageParts } from "./parts.ts";

/** Layers and images of builds, in the image store. */
export class StoreBuilder implements ImageBuilder {
  readonly #parts: ImageParts;

  constructor(parts: ImageParts) {
    this.#parts = parts;
  }

  hold(): AsyncDisposable {
    return this.#parts.collector.hold();
  }

  async layersOf(manifest: Descriptor): Promise<readonly Descriptor[]> {
    return parseManifest(await this.#parts.content.read(manifest.digest), manifest.digest).layers;
  }

  async writeLayer(tar: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<BuiltLayer> {
    const { content, layers } = this.#parts;
    await using ingest = await content.ingest();
    for await (const chunk of tar) {
      signal.throwIfAborted();
      await ingest.write(chunk);
    }
    const { digest, size } = await ingest.commit();
    await layers.unpack({ path: content.path(digest), digest }, { expected: digest, signal });
    return { diffId: digest, blob: { mediaType: mediaTypes.ociLayer, digest, size } };
  }

  hasLayer({ diffId, blob }: BuiltLayer): boolean {
    return this.#parts.layers.has(diffId) && this.#parts.content.stat(blob.digest) !== undefined;
  }

  async layerTree(diffId: Digest, signal: AbortSignal): Promise<LayerEntry> {
    return (await this.#parts.layers.tree(diffId, { signal })).root;
  }

  idOf({ config, layers }: Pick<BuiltImage, "config" | "layers">): Digest {
    const bytes = Buffer.from(JSON.stringify(config));
    const written = { mediaType: mediaTypes.ociConfig, digest: digestOf(bytes), size: bytes.length };
    return digestOf(Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config: written, layers })));
  }

  async register({ config, layers, names }: BuiltImage): Promise<Digest> {
    await using _hold = this.hold();
    return await this.#named(await writeImage(this.#parts, config, layers), names);
  }

  async registerSet({ target, documents, names }: BuiltSet): Promise<Digest> {
    await using _hold = this.hold();
    // Together: a disk with a journal takes what several wait for at once.
    const written = documents.map(async ({ descriptor, bytes }) => {
      await using ingest = await this.#parts.content.ingest();
      await ingest.write(bytes);
      await ingest.commit({ digest: descriptor.digest, size: descriptor.size });
    });
    // All have ended before the hold does, also where one fails.
    await Promise.allSettled(written);
    await Promise.all(written);
    return await this.#named(target, names);
  }

  async #named(target: Descriptor, names: readonly string[]): Promise<Digest> {
    const [first, ...rest] = names;
    await nameImage(this.#parts, target, first);
    await announce(this.#parts, "create", { id: target.digest, name: target.digest, target });
    for (const name of rest) await nameImage(this.#parts, target, name);
    for (const name of names)
      await announce(this.#parts, "tag", { id: target.digest, name: familiarName(parseReference(normalizedName(parseReference(name)))), target });
    return target.digest;
  }

  async compressed(layer: BuiltLayer, compression: LayerCompression, signal: AbortSignal): Promise<BuiltLayer> {
    const { content } = this.#parts;
    if (compression === "plain" || !plainTypes.has(layer.blob.mediaType)) return layer;
    const plain = content.open(layer.blob.digest);
    const packed: AsyncIterable<Uint8Array> = compression === "gzip" ? gzipped(plain) : plain.pipe(createZstdCompress());
    await using ingest = await content.ingest();
    for await (const chunk of packed) {
      signal.throwIfAborted();
      await ingest.write(chunk);
    }
    return {
      diffId: layer.diffId,
      blob: { mediaType: compression === "gzip" ? mediaTypes.ociLayerGzip : mediaTypes.ociLayerZstd, ...(await ingest.commit()) },
    };
  }

  async adopt({ diffId, blob }: BuiltLayer, open: () => AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
    const { content, layers } = this.#parts;
    if (content.stat(blob.digest) === undefined) {
      await using ingest = await content.ingest();
      for await (const chunk of open()) {
        signal.throwIfAborted();
        await ingest.write(chunk);
      }
      await ingest.commit({ digest: blob.digest, size: blob.size });
    }
    if (!layers.has(diffId)) await layers.unpack({ path: content.path(blob.digest), digest: blob.digest }, { expected: diffId, signal });
  }

  open(digest: Digest, start = 0): Readable {
    return this.#parts.content.open(digest, { start });
  }

  sizeOf(digest: string): number | undefined {
    return isDigest(digest) ? this.#parts.content.stat(digest as Digest)?.size : undefined;
  }

  collectLayers(layers: readonly BuiltLayer[]): Promise<number> {
    return this.#parts.collector.collectLayers(layers);
  }

  weighLayers(layers: readonly BuiltLayer[], staying: Iterable<BuiltLayer>): Promise<number> {
    return this.#parts.collector.weighLayers(layers, staying);
  }

  layersInImages(): Promise<ReadonlySet<Digest>> {
    return this.#parts.collector.layersInImages();
  }

  plain(from: Readable, signal: AbortSignal): Readable {
    return decompressed(from, signal);
  }
}

const plainTypes: ReadonlySet<string> = new Set([mediaTypes.ociLayer, mediaTypes.dockerLayer]);
const digestOf = (bytes: Buffer): Digest => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
