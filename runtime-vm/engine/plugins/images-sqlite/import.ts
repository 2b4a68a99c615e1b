import type { ImageRunConfig } from "#api/oci.ts";
import { familiarName, parseReference } from "#api/reference.ts";
import { compressionOf, peek } from "#core/compression/compression.ts";
import type { Descriptor, Digest } from "#core/content/content.ts";
import type { Readable } from "node:stream";
import { mediaTypes } from "#core/images/manifests.ts";
import type { Platform } from "#core/images/platform.ts";
import { configOf, nameImage, orDiscard, writeImage, writeLayer, type WrittenLayer } from "./add.ts";
import { decompressed } from "./compression.ts";
import { announce, type ImageParts } from "./parts.ts";

export interface ImageImport {
  readonly tar: Readable;
  readonly config: ImageRunConfig;
  readonly message: string;
  readonly platform: Platform;
  readonly name?: string;
  readonly signal: AbortSignal;
}

/** `docker import`: a root file system becomes an image of one layer. Gzip and zstd are kept as they come, anything else becomes gzip. */
export async function importImage(parts: ImageParts, { tar, config, message, platform, name, signal }: ImageImport): Promise<Digest> {
  await using _hold = parts.collector.hold();
  const layer = await layerOf(parts, tar, signal);
  const addition = { config, author: "", comment: message, createdBy: "" };
  const target = await writeImage(parts, configOf(platform, { addition, layer }), [layer.blob]);
  await nameImage(parts, target, name);
  if (name !== undefined) await announce(parts, "tag", { id: target.digest, name: familiarName(parseReference(name)), target });
  await announce(parts, "import", { id: target.digest, name: target.digest, target });
  return target.digest;
}

async function layerOf(parts: ImageParts, tar: Readable, signal: AbortSignal): Promise<WrittenLayer> {
  const head = await peek(tar);
  // Nothing at all is an empty root file system, as for dockerd.
  if (head.length === 0) return await writeLayer(parts, tar);
  const compression = compressionOf(head);
  const kept = compression === "gzip" || compression === "zstd";
  return kept ? await keepLayer(parts, tar, compression, signal) : await writeLayer(parts, decompressed(tar, signal));
}

async function keepLayer(parts: ImageParts, tar: Readable, compression: "gzip" | "zstd", signal: AbortSignal): Promise<WrittenLayer> {
  const { content, layers } = parts;
  await using ingest = await content.ingest();
  for await (const chunk of tar as AsyncIterable<Buffer>) {
    signal.throwIfAborted();
    await ingest.write(chunk);
  }
  const written = await ingest.commit();
  const blob: Descriptor = { mediaType: compression === "gzip" ? mediaTypes.ociLayerGzip : mediaTypes.ociLayerZstd, ...written };
  const { diffId } = await orDiscard(parts, blob, () => layers.ingest(content.open(written.digest), { signal }));
  return { blob, diffId };
}
