import { repositoryName, parseReference, withDefaultTag } from "#api/reference.ts";
import { EngineError, messageOf } from "#base/errors.ts";
import type { Builds } from "#core/builds/builds.ts";
import type { CacheRecord } from "#core/builds/cache.ts";
import type { Digest } from "#core/content/content.ts";
import { isIndexType, isManifestType, parseIndex, parseManifest } from "#core/images/manifests.ts";
import { cacheConfigType, inlineKey, readCacheConfig } from "./cache-config.ts";
import { credentials } from "./client.ts";
import { gathered, readContent, readDocument } from "./client-content.ts";
import type { Progress } from "./progress.ts";
import type { Session } from "./session.ts";

/** `--cache-from` or `--cache-to`. */
export interface CacheOption {
  readonly type: string;
  readonly attributes: ReadonlyMap<string, string>;
}

/** What caches are reached with. */
export interface CacheParts {
  readonly builds: Builds;
  readonly session: Session;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** Where blobs of a cache lie. */
interface Place {
  readonly name: string;
  manifest(): Promise<{ readonly mediaType: string; readonly digest: Digest; readonly bytes: Buffer }>;
  blob(digest: Digest): AsyncIterable<Buffer>;
}

export function refusedCache(type: string): EngineError {
  const why = ["gha", "s3", "azblob"].includes(type) ? "is kept by a service that this engine does not speak to" : "is not known";
  return new EngineError("invalidArgument", `cache type=${type} ${why}; use type=registry, local or inline`);
}

/** The records of all these caches; a cache that cannot be read is told of, and built without. */
export async function importCaches(
  parts: CacheParts,
  options: readonly CacheOption[],
): Promise<((key: string) => Promise<CacheRecord | undefined>) | undefined> {
  if (options.length === 0) return undefined;
  const caches = (await Promise.all(options.map((option) => opened(parts, option)))).filter((one) => one !== undefined);
  return async (key) => {
    for (const { place, records } of caches) {
      const record = records.get(key);
      if (record === undefined) continue;
      if (record.layer === undefined) return record;
      const { layer } = record;
      try {
        await parts.builds.backends.builder.adopt(layer, () => place.blob(layer.blob.digest), parts.signal);
        return record;
      } catch (error) {
        parts.signal.throwIfAborted();
        parts.builds.backends.journal.warn(`${place.name}: a cached layer could not be taken, the step runs`, error);
      }
    }
    return undefined;
  };
}

async function opened(parts: CacheParts, option: CacheOption): Promise<{ place: Place; records: Map<string, CacheRecord> } | undefined> {
  const place = await placeOf(parts, option);
  const vertex = parts.progress.vertex(`importing cache manifest from ${place.name}`);
  try {
    const records = await recordsOf(parts, place);
    vertex.done();
    return { place, records };
  } catch (error) {
    parts.signal.throwIfAborted();
    vertex.failed(messageOf(error));
    return undefined;
  }
}

async function placeOf(parts: CacheParts, { type, attributes }: CacheOption): Promise<Place> {
  const { session, signal } = parts;
  if (type === "local") {
    const [source, digest] = [attributes.get("src") ?? "", attributes.get("digest") as Digest | undefined];
    const store = `local:${source}`;
    if (source === "" || digest === undefined) throw new EngineError("invalidArgument", "local cache importer requires src and a digest");
    return {
      name: source,
      manifest: async () => {
        const bytes = await readDocument(session, store, digest, signal);
        return { mediaType: (JSON.parse(bytes.toString("utf8")) as { mediaType?: string }).mediaType ?? "", digest, bytes };
      },
      blob: (one) => readContent(session, store, one, signal),
    };
  }
  if (type !== "registry") throw refusedCache(type);
  const name = attributes.get("ref") ?? "";
  if (name === "") throw new EngineError("invalidArgument", "registry cache importer requires ref");
  const ref = withDefaultTag(parseReference(name));
  const reader = parts.builds.backends.registries.open(ref.domain, await credentials(session, name, signal));
  return {
    name: `${repositoryName(ref)}:${ref.tag ?? ref.digest ?? ""}`,
    manifest: async () => {
      const { descriptor, bytes } = await reader.manifest(ref.path, ref.digest ?? ref.tag ?? "latest", { signal });
      return { ...descriptor, bytes };
    },
    blob: async function* (digest) {
      yield* (await reader.blob(ref.path, digest, { offset: 0, signal })).body as AsyncIterable<Buffer>;
    },
  };
}

async function recordsOf(parts: CacheParts, place: Place): Promise<Map<string, CacheRecord>> {
  const { mediaType, digest, bytes } = await place.manifest();
  if (isManifestType(mediaType)) return await recordsOfManifest(place, bytes, digest);
  if (!isIndexType(mediaType)) throw new EngineError("invalidArgument", `${place.name}: ${mediaType} is no cache`);
  const { manifests } = parseIndex(bytes, digest);
  const config = manifests.find((one) => one.mediaType === cacheConfigType);
  if (config !== undefined) return readCacheConfig((await gathered(place.blob(config.digest))).toString("utf8"));
  const found = new Map<string, CacheRecord>();
  for (const child of manifests.filter((one) => isManifestType(one.mediaType) && one.platform?.os !== "unknown")) {
    const below = await gathered(place.blob(child.digest)).catch(() => undefined);
    const read = below ?? (await childManifest(parts, place, child.digest));
    for (const [key, record] of await recordsOfManifest(place, read, child.digest)) found.set(key, record);
  }
  return found;
}

/** Registries give manifests only as such. */
async function childManifest({ builds, session, signal }: CacheParts, { name }: Place, digest: Digest): Promise<Buffer> {
  const ref = parseReference(name);
  const reader = builds.backends.registries.open(ref.domain, await credentials(session, name, signal));
  return (await reader.manifest(ref.path, digest, { signal })).bytes;
}

async function recordsOfManifest(place: Place, bytes: Buffer, digest: Digest): Promise<Map<string, CacheRecord>> {
  const { config } = parseManifest(bytes, digest);
  const text = (await gathered(place.blob(config.digest))).toString("utf8");
  if (config.mediaType === cacheConfigType) return readCacheConfig(text);
  const inline = (JSON.parse(text) as Record<string, unknown>)[inlineKey];
  return typeof inline === "string" ? readCacheConfig(Buffer.from(inline, "base64").toString("utf8")) : new Map();
}
