import { familiarName, normalizedName, parseReference } from "#api/reference.ts";
import type { ImageConfigFile } from "#api/oci.ts";
import type { Descriptor, Digest } from "#core/content/content.ts";
import type { ImageAddition } from "#core/images/images.ts";
import { mediaTypes, parseManifest } from "#core/images/manifests.ts";
import { danglingName } from "./names.ts";
import { announce, type ImageParts, publishIndex, unpackVariant } from "./parts.ts";

/** Makes an image: config, layer and manifest go into the content store, then it gets its name. Returns its id. */
export async function addImage(parts: ImageParts, addition: ImageAddition): Promise<Digest> {
  await using _hold = parts.collector.hold();
  const { names } = parts;
  const base = addition.base === undefined ? undefined : await readBase(parts, addition.base);
  const layer = addition.layer === undefined ? undefined : await writeLayer(parts, addition.layer);
  const config = await writeJson(parts, mediaTypes.ociConfig, configOf(parts, { addition, base: base?.config, layer }));
  const target = await writeJson(parts, mediaTypes.ociManifest, {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config,
    layers: [...(base?.layers ?? []), ...(layer === undefined ? [] : [layer])],
  });
  const made = (await parts.documents.variants(target))[0];
  // Its own layer is there already as a blob; without this step the first container of it would wait for the index.
  if (made !== undefined) await unpackVariant(parts, made, new AbortController().signal);
  const now = new Date();
  names.put(addition.name === undefined ? danglingName(target.digest) : normalizedName(parseReference(addition.name)), target, now);
  publishIndex(parts);
  await announce(parts, "create", { id: target.digest, name: target.digest, target });
  if (addition.name !== undefined) await announce(parts, "tag", { id: target.digest, name: familiarName(parseReference(addition.name)), target });
  return target.digest;
}

async function readBase({ content }: ImageParts, base: Descriptor): Promise<{ config: ImageConfigFile; layers: readonly Descriptor[] }> {
  const manifest = parseManifest(await content.read(base.digest), base.digest);
  return { config: JSON.parse((await content.read(manifest.config.digest)).toString("utf8")) as ImageConfigFile, layers: manifest.layers };
}

/** Uncompressed: the layer's index shares the blob's file, and its digest is its diffID. */
async function writeLayer({ content }: ImageParts, tar: AsyncIterable<Uint8Array>): Promise<Descriptor> {
  await using ingest = await content.ingest();
  for await (const chunk of tar) await ingest.write(chunk);
  return { mediaType: mediaTypes.ociLayer, ...(await ingest.commit()) };
}

async function writeJson({ content }: ImageParts, mediaType: string, document: unknown): Promise<Descriptor> {
  await using ingest = await content.ingest();
  await ingest.write(Buffer.from(JSON.stringify(document)));
  return { mediaType, ...(await ingest.commit()) };
}

function configOf(
  { host }: ImageParts,
  { addition, base, layer }: { addition: ImageAddition; base: ImageConfigFile | undefined; layer: Descriptor | undefined },
): ImageConfigFile {
  const created = new Date().toISOString();
  const author = addition.author || base?.author || "";
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
    architecture: base?.architecture || host.architecture,
    ...(base?.variant === undefined ? {} : { variant: base.variant }),
    os: base?.os || host.os,
    config: addition.config,
    rootfs: { type: "layers", diff_ids: [...(base?.rootfs.diff_ids ?? []), ...(layer === undefined ? [] : [layer.digest])] },
    history: [...(base?.history ?? []), history],
  };
}
