import type { CacheRecord } from "#core/builds/cache.ts";
import type { Digest } from "#core/content/content.ts";
import type { BuiltLayer } from "#core/images/building.ts";

export const cacheConfigType = "application/vnd.buildkit.cacheconfig.v0";
/** Where an image's own configuration carries its cache. */
export const inlineKey = "moby.buildkit.cache.v0";

/**
 * A cache as others read it: BuildKit's form (buildkit's cache/remotecache/v1/spec), in which every layer stands alone. Steps that
 * wrote nothing have no place there; they follow under a name of ours.
 */
interface CacheConfig {
  readonly layers?: readonly { readonly blob: string; readonly parent?: number; readonly annotations?: LayerFacts }[];
  readonly records?: readonly { readonly digest: string; readonly results?: readonly { readonly layer: number; readonly createdAt?: string }[] }[];
  readonly empty?: readonly { readonly digest: string; readonly kind: "layer" | "config"; readonly createdAt: string }[];
}

interface LayerFacts {
  readonly mediaType?: string;
  readonly diffID?: string;
  readonly size?: number;
}

/** `layerOf`: the blob that a record's layer has where the cache goes; undefined where it does not go along. */
export function writeCacheConfig(records: readonly CacheRecord[], layerOf: (layer: BuiltLayer) => BuiltLayer | undefined): CacheConfig {
  const layers: BuiltLayer[] = [];
  const told: { digest: string; results: { layer: number; createdAt: string }[] }[] = [];
  for (const { key, layer, created } of records) {
    const there = layer === undefined ? undefined : layerOf(layer);
    if (there === undefined) continue;
    const known = layers.findIndex(({ blob }) => blob.digest === there.blob.digest);
    if (known < 0) layers.push(there);
    told.push({ digest: `sha256:${key}`, results: [{ layer: known < 0 ? layers.length - 1 : known, createdAt: created }] });
  }
  return {
    layers: layers.map(({ diffId, blob }) => ({ blob: blob.digest, parent: -1, annotations: { mediaType: blob.mediaType, diffID: diffId, size: blob.size } })),
    records: told,
    empty: records.flatMap(({ key, kind, layer, created }) =>
      layer !== undefined || kind === "mount" ? [] : [{ digest: `sha256:${key}`, kind, createdAt: created }],
    ),
  };
}

/** The records in it that are like ours; what another builder wrote has keys that no step of ours asks for. */
export function readCacheConfig(text: string): Map<string, CacheRecord> {
  const { layers = [], records = [], empty = [] } = JSON.parse(text) as CacheConfig;
  const found = new Map<string, CacheRecord>();
  const put = (digest: string, record: Pick<CacheRecord, "kind" | "layer" | "created">): void => {
    const key = digest.replace(/^sha256:/, "");
    found.set(key, { ...record, key, description: "imported", lastUsed: record.created, usageCount: 1 });
  };
  for (const { digest, results = [] } of records) {
    const [result] = results;
    const layer = result === undefined ? undefined : layers[result.layer];
    const { mediaType, diffID, size } = layer?.annotations ?? {};
    if (layer === undefined || mediaType === undefined || diffID === undefined || size === undefined) continue;
    const built = { diffId: diffID as Digest, blob: { mediaType, digest: layer.blob as Digest, size } };
    put(digest, { kind: "layer", layer: built, created: result?.createdAt ?? new Date().toISOString() });
  }
  for (const { digest, kind, createdAt } of empty) put(digest, { kind, created: createdAt });
  return found;
}
