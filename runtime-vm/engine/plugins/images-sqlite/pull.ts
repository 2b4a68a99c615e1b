import type { PullProgress } from "#api/images.ts";
import { familiarName, familiarRepository, normalizedName, withTag, type ImageReference } from "#api/reference.ts";
import { EngineError, isClass, messageOf } from "#base/errors.ts";
import type { ContentStore, Descriptor, Digest } from "#core/content/content.ts";
import type { LayerStore } from "#core/layers/layers.ts";
import { isConfigType, isIndexType, isLayerType, parseIndex, parseManifest, type ManifestDocument } from "#core/images/manifests.ts";
import { formatPlatform, rankPlatform, type Platform } from "#core/images/platform.ts";
import { shortDigest, stepBegun, stepDone, stepProgress } from "#core/images/progress.ts";
import type { RegistryReader } from "#core/registry/registry.ts";
import type { Documents } from "./documents.ts";
import { type Fetcher, GrowthLost } from "./fetcher.ts";

/** Bars are sent this often at most, for each layer. */
const barMsMin = 100;

export interface PullParts {
  readonly content: ContentStore;
  readonly layers: LayerStore;
  readonly documents: Documents;
  readonly fetcher: Fetcher;
}

export interface PullRequest {
  readonly ref: ImageReference;
  readonly platform: Platform;
  readonly reader: RegistryReader;
  readonly signal: AbortSignal;
  readonly say: (message: PullProgress) => void;
}

/** Brings one image here, unpacked, and returns what its name is to stand for. Nothing has a name yet. */
export async function pullImage(parts: PullParts, request: PullRequest): Promise<Descriptor> {
  const { ref, say } = request;
  const top = await manifestOf(request, ref.digest ?? ref.tag!);
  const chosen = isIndexType(top.descriptor.mediaType) ? await choose(request, top) : top;
  say({ status: `Pulling from ${ref.path}`, id: ref.tag ?? normalizedName(ref) });
  const manifest = parseManifest(chosen.bytes, chosen.descriptor.digest);
  if (!isConfigType(manifest.config.mediaType)) {
    throw new EngineError("invalidArgument", `${familiarName(ref)} is no image: its config has media type ${manifest.config.mediaType}`);
  }
  for (const document of new Set([chosen, top])) await keep(parts.content, document);
  await parts.fetcher.fetch(manifest.config, sourceOf(request), request);
  await pullLayers(parts, request, manifest);
  return top.descriptor;
}

/** The class and sentence that dockerd has for a failed pull. */
export function pullFailure(error: unknown, ref: ImageReference): unknown {
  if (isClass(error, "notFound")) return new EngineError("notFound", `manifest for ${familiarName(ref)} not found: ${messageOf(error)}`, { cause: error });
  if (isClass(error, "unauthorized")) {
    const sentence = `pull access denied for ${familiarRepository(ref)}, repository does not exist or may require 'docker login': ${messageOf(error)}`;
    return new EngineError("notFound", sentence, { cause: error });
  }
  // dockerd answers 500 for a registry that it cannot reach.
  if (isClass(error, "unavailable")) return new EngineError("internal", messageOf(error), { cause: error });
  return error;
}

interface Fetched {
  readonly descriptor: Descriptor;
  readonly bytes: Buffer;
}

const sourceOf = (request: PullRequest) => ({ reader: request.reader, repository: request.ref.path });

async function manifestOf({ reader, ref, signal }: PullRequest, reference: string): Promise<Fetched> {
  return await reader.manifest(ref.path, reference, { signal });
}

async function choose(request: PullRequest, index: Fetched): Promise<Fetched> {
  const { manifests } = parseIndex(index.bytes, index.descriptor.digest);
  const suitable = manifests
    .map((descriptor) => ({ descriptor, rank: descriptor.platform === undefined ? undefined : rankPlatform(request.platform, descriptor.platform) }))
    .filter((one): one is { descriptor: Descriptor; rank: number } => one.rank !== undefined)
    .toSorted((a, b) => a.rank - b.rank);
  const [best] = suitable;
  if (best === undefined) {
    const sentence = `no matching manifest for ${formatPlatform(request.platform)} in the manifest list entries: no match for platform in manifest: not found`;
    throw new NoMatchingManifest(sentence);
  }
  return { ...(await manifestOf(request, best.descriptor.digest)), descriptor: best.descriptor };
}

/** Not to be taken for a manifest that the registry does not have. */
export class NoMatchingManifest extends Error {}

async function keep(content: ContentStore, { descriptor, bytes }: Fetched): Promise<void> {
  if (content.stat(descriptor.digest) !== undefined) return;
  await using ingest = await content.ingest();
  await ingest.write(bytes);
  await ingest.commit({ digest: descriptor.digest, size: bytes.length });
}

async function pullLayers(parts: PullParts, request: PullRequest, manifest: ManifestDocument): Promise<void> {
  const document = await parts.documents.read(manifest.config);
  const diffIds = document !== undefined && "config" in document ? (document.config.rootfs.diff_ids as Digest[]) : [];
  const layers = manifest.layers.filter(({ mediaType }) => isLayerType(mediaType));
  if (layers.length !== diffIds.length) {
    throw new EngineError("invalidArgument", `${familiarName(request.ref)}: its manifest has ${layers.length} layers and its config ${diffIds.length}`);
  }
  const wanted = layers.map((blob, i) => ({ blob, diffId: diffIds[i]! }));
  const missing = wanted.filter(({ blob, diffId }) => parts.content.stat(blob.digest) === undefined || !parts.layers.has(diffId));
  if (missing.length === 0) return;
  for (const { blob } of wanted) request.say(stepBegun(shortDigest(blob.digest), "Pulling fs layer"));
  // The first failure stops the others, and is reported only when all have stopped.
  const failed = new AbortController();
  const signal = AbortSignal.any([request.signal, failed.signal]);
  const unique = [...new Map(wanted.map((layer) => [layer.blob.digest, layer])).values()];
  const results = await Promise.allSettled(
    unique.map(async (layer) => {
      try {
        await pullLayer(parts, { ...request, signal }, layer);
      } catch (error) {
        failed.abort(error);
        throw error;
      }
    }),
  );
  if (results.some(({ status }) => status === "rejected")) throw failed.signal.reason;
}

async function pullLayer(parts: PullParts, request: PullRequest, { blob, diffId }: { blob: Descriptor; diffId: Digest }): Promise<void> {
  const id = shortDigest(blob.digest);
  const { say, signal } = request;
  if (parts.content.stat(blob.digest) !== undefined && parts.layers.has(diffId)) return say(stepDone(id, "Already exists"));
  let complete = false;
  const begun = Promise.withResolvers<void>();
  const downloading = bar((bytes) => say(stepProgress(id, "Downloading", bytes, blob.size)));
  const onProgress = (bytes: number): void => {
    downloading(bytes);
    begun.resolve();
  };
  const fetched = parts.fetcher.fetch(blob, sourceOf(request), { signal, onProgress }).then(() => {
    complete = true;
    say(stepDone(id, "Download complete"));
  });
  await Promise.race([begun.promise, fetched]);
  const extracting = bar((bytes) => complete && say(stepProgress(id, "Extracting", bytes, blob.size)));
  const unpacked = unpackFetched(parts, { blob, diffId, fetched, signal, onProgress: extracting });
  // Both have ended before the pull goes on, or fails; what the download says is nearer to the cause.
  for (const result of await Promise.allSettled([fetched, unpacked])) if (result.status === "rejected") throw result.reason;
  say(stepDone(id, "Pull complete"));
}

interface Unpacking {
  readonly blob: Descriptor;
  readonly diffId: Digest;
  readonly fetched: Promise<void>;
  readonly signal: AbortSignal;
  readonly onProgress: (bytes: number) => void;
}

/** Unpacks a blob while it arrives; where that fails, once more from its whole and verified file: the first bytes may not have been the right ones. */
async function unpackFetched({ content, fetcher, layers }: PullParts, { blob, diffId, fetched, signal, onProgress }: Unpacking): Promise<void> {
  const growing = fetcher.growing(blob.digest);
  const opts = { expected: diffId, signal, onProgress };
  try {
    if (growing !== undefined) return void (await layers.unpack(growing, opts));
  } catch (error) {
    if (!(error instanceof GrowthLost) && !isClass(error, "invalidArgument")) throw error;
  }
  await fetched;
  await layers.unpack({ path: content.path(blob.digest) }, opts);
}

/** At most one call each `barMsMin`. */
function bar(show: (bytes: number) => void): (bytes: number) => void {
  let last = 0;
  return (bytes) => {
    const now = performance.now();
    if (now - last < barMsMin) return;
    last = now;
    show(bytes);
  };
}

/** The same repository with each of the tags. */
export const withTags = (ref: ImageReference, tags: readonly string[]): ImageReference[] => tags.map((tag) => withTag(ref, tag));
