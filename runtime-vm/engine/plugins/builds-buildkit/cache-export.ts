import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { parseReference, withDefaultTag } from "#api/reference.ts";
import { EngineError, messageOf } from "#base/errors.ts";
import type { CacheRecord } from "#core/builds/cache.ts";
import type { Descriptor, Digest } from "#core/content/content.ts";
import type { BuiltLayer } from "#core/images/building.ts";
import { mediaTypes } from "#core/images/manifests.ts";
import { cacheConfigType, writeCacheConfig } from "./cache-config.ts";
import { type CacheOption, type CacheParts, refusedCache } from "./cache-import.ts";
import { credentials } from "./client.ts";
import { writeContent } from "./client-content.ts";
import { compressionOf } from "./export-image.ts";

/** What a build has done, as a cache for others. */
export interface CacheContent {
  readonly records: readonly CacheRecord[];
  /** Of the images that came out: with `mode=min` nothing else goes along. */
  readonly final: ReadonlySet<Digest>;
  readonly made: BuiltLayer[];
}

/** Types that are known; the rest is refused before anything is built. */
export function checkCaches(options: readonly CacheOption[]): void {
  for (const { type } of options) if (!["registry", "local", "inline"].includes(type)) throw refusedCache(type);
}

/** Writes the cache to one place; what the client must be told. */
export async function exportCache(parts: CacheParts, option: CacheOption, content: CacheContent): Promise<Record<string, string>> {
  const { type, attributes } = option;
  if (type === "inline") return {};
  const vertex = parts.progress.vertex(`exporting cache to ${type === "local" ? "client directory" : type}`);
  try {
    const told = await write(parts, option, content);
    vertex.done();
    return told;
  } catch (error) {
    vertex.failed(messageOf(error));
    parts.signal.throwIfAborted();
    if (attributes.get("ignore-error") === "true") return {};
    throw error;
  }
}

interface Blob {
  readonly descriptor: Descriptor;
  readonly bytes: Buffer;
}

async function write(parts: CacheParts, { type, attributes }: CacheOption, { records, final, made }: CacheContent): Promise<Record<string, string>> {
  const { builds, signal } = parts;
  const all = attributes.get("mode") === "max";
  const layers = new Map<Digest, BuiltLayer>();
  for (const { layer } of records) {
    if (layer === undefined || layers.has(layer.diffId) || (!all && !final.has(layer.diffId))) continue;
    const stored = await builds.backends.builder.compressed(layer, compressionOf(attributes) ?? "gzip", signal);
    if (stored !== layer) made.push(stored);
    layers.set(layer.diffId, stored);
  }
  const config = blobOf(
    cacheConfigType,
    writeCacheConfig(records, ({ diffId }) => layers.get(diffId)),
  );
  const blobs = [...layers.values()].map(({ blob }) => blob);
  const manifest = blobOf(mediaTypes.ociManifest, { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config: config.descriptor, layers: blobs });
  if (type === "registry") return await toRegistry(parts, attributes.get("ref") ?? "", { blobs, config, manifest });
  const store = `local:${attributes.get("dest") ?? ""}`;
  const { session } = parts;
  for (const blob of blobs) await writeContent(session, store, blob, builds.backends.builder.open(blob.digest) as AsyncIterable<Buffer>, signal);
  for (const { descriptor, bytes } of [config, manifest]) await writeContent(session, store, descriptor, [bytes], signal);
  return { "cache.manifest": JSON.stringify(manifest.descriptor) };
}

async function toRegistry(
  { builds, session, signal }: CacheParts,
  name: string,
  { blobs, config, manifest }: { blobs: readonly Descriptor[]; config: Blob; manifest: Blob },
): Promise<Record<string, string>> {
  if (name === "") throw new EngineError("invalidArgument", "registry cache exporter requires ref");
  const ref = withDefaultTag(parseReference(name));
  const writer = builds.backends.registries.openWriter(ref.domain, await credentials(session, name, signal));
  const { builder } = builds.backends;
  for (const { digest, size } of blobs) {
    if (!(await writer.hasBlob(ref.path, digest, { signal })))
      await writer.pushBlob(ref.path, { digest, size, open: (start) => builder.open(digest, start) }, { signal });
  }
  const { digest, size } = config.descriptor;
  await writer.pushBlob(ref.path, { digest, size, open: (start) => Readable.from([config.bytes.subarray(start)]) }, { signal });
  await writer.pushManifest(ref.path, ref.tag ?? manifest.descriptor.digest, manifest, { signal });
  return {};
}

function blobOf(mediaType: string, value: unknown): Blob {
  const bytes = Buffer.from(JSON.stringify(value));
  return { descriptor: { mediaType, digest: `sha256:${createHash("sha256").update(bytes).digest("hex")}`, size: bytes.length }, bytes };
}
