import { createHash } from "node:crypto";
import { familiarName, normalizedName, parseReference } from "#api/reference.ts";
import type { ImageConfigFile } from "#api/oci.ts";
import type { Descriptor, Digest } from "#core/content/content.ts";
import type { ImageAddition } from "#core/images/images.ts";
import { mediaTypes, parseManifest } from "#core/images/manifests.ts";
import type { Platform } from "#core/images/platform.ts";
import { gzipped } from "./compression.ts";
import { danglingName } from "./names.ts";
import { announce, type ImageParts, publishIndex, unpackVariant } from "./parts.ts";

/** A layer that is a blob now. */
export interface WrittenLayer {
  readonly blob: Descriptor;
  readonly diffId: Digest;
}

/** Makes an image: config, layer and manifest go into the content store, then it gets its name. Returns its id. */
export async function addImage(parts: ImageParts, addition: ImageAddition): Promise<Digest> {
  await using _hold = parts.collector.hold();
  const base = addition.base === undefined ? undefined : await readBase(parts, addition.base);
  const layer = addition.layer === undefined ? undefined : await writeLayer(parts, addition.layer);
  const config = configOf(parts.host, { addition, base: base?.config, layer });
  const target = await writeImage(parts, config, [...(base?.layers ?? []), ...(layer === undefined ? [] : [layer.blob])]);
  await nameImage(parts, target, addition.name);
  if (addition.parent !== undefined) parts.names.setParent(target.digest, addition.parent);
  await announce(parts, "create", { id: target.digest, name: target.digest, target });
  if (addition.name !== undefined) await announce(parts, "tag", { id: target.digest, name: familiarName(parseReference(addition.name)), target });
  return target.digest;
}

/** Config and manifest of an image whose layers are here. */
export async function writeImage(parts: ImageParts, config: ImageConfigFile, layers: readonly Descriptor[]): Promise<Descriptor> {
  const written = await writeJson(parts, mediaTypes.ociConfig, config);
  return await writeJson(parts, mediaTypes.ociManifest, { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config: written, layers });
}

/** Unpacks an image that was made here, and gives it its name; without one it is dangling. */
export async function nameImage(parts: ImageParts, target: Descriptor, name: string | undefined): Promise<void> {
  // Its own layer is there as a blob; without this step the first container of it would wait for the index.
  await orDiscard(parts, target, async () => {
    const made = (await parts.documents.variants(target))[0];
    if (made !== undefined) await unpackVariant(parts, made, new AbortController().signal);
  });
  parts.names.put(name === undefined ? danglingName(target.digest) : normalizedName(parseReference(name)), target, new Date());
  publishIndex(parts);
}

/** What was written for nothing goes, as soon as nobody else is at work. */
export async function orDiscard<T>(parts: ImageParts, written: Descriptor, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await parts.collector.collect([written]);
    throw error;
  }
}

async function readBase({ content }: ImageParts, base: Descriptor): Promise<{ config: ImageConfigFile; layers: readonly Descriptor[] }> {
  const manifest = parseManifest(await content.read(base.digest), base.digest);
  return { config: JSON.parse((await content.read(manifest.config.digest)).toString("utf8")) as ImageConfigFile, layers: manifest.layers };
}

/** Compressed as registries want it, its diffID worked out on the way. */
export async function writeLayer({ content }: ImageParts, tar: AsyncIterable<Uint8Array>): Promise<WrittenLayer> {
  const hash = createHash("sha256");
  const hashed = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of tar) {
      hash.update(chunk);
      yield chunk;
    }
  };
  await using ingest = await content.ingest();
  for await (const chunk of gzipped(hashed())) await ingest.write(chunk);
  const written = await ingest.commit();
  return { blob: { mediaType: mediaTypes.ociLayerGzip, ...written }, diffId: `sha256:${hash.digest("hex")}` };
}

async function writeJson({ content }: ImageParts, mediaType: string, document: unknown): Promise<Descriptor> {
  await using ingest = await content.ingest();
  await ingest.write(Buffer.from(JSON.stringify(document)));
  return { mediaType, ...(await ingest.commit()) };
}

export function configOf(
  platform: Platform,
  {
    addition,
    base,
    layer,
  }: {
    addition: Pick<ImageAddition, "config" | "author" | "comment" | "createdBy">;
    base?: ImageConfigFile | undefined;
    layer: Pick<WrittenLayer, "diffId"> | undefined;
  },
): ImageConfigFile {
  const created = new Date().toISOString();
  const author = addition.author || base?.author || "";
  const variant = base === undefined ? platform.variant : base.variant;
  const history = {
    created,
    ...(addition.createdBy === "" ? {} : { created_by: addition.createdBy }),
    ...(author === "" ? {} : { author }),
    ...(addition.comment === "" ? {} : { comment: addition.comment }),
    ...(layer === undefined ? { empty_layer: true } : {}),
  };
  return {
    created,
    ...(author === "" ? {} : { author }),
    architecture: base?.architecture || platform.architecture,
    ...(variant === undefined ? {} : { variant }),
    os: base?.os || platform.os,
    config: addition.config,
    rootfs: { type: "layers", diff_ids: [...(base?.rootfs.diff_ids ?? []), ...(layer === undefined ? [] : [layer.diffId])] },
    history: [...(base?.history ?? []), history],
  };
}
