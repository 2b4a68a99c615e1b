import type { PullProgress } from "#api/images.ts";
import { familiarName, normalizedName, withTag, type ImageReference } from "#api/reference.ts";
import { EngineError, isClass, messageOf } from "#base/errors.ts";
import type { ContentStore, Descriptor, Digest } from "#core/content/content.ts";
import { GrowthLost, type LayerStore } from "#core/layers/layers.ts";
import {
  assertMatching,
  isAttestation,
  isConfigType,
  isIndexType,
  isLayerType,
  parseIndex,
  parseManifest,
  type ManifestDocument,
} from "#core/images/manifests.ts";
import { formatPlatform, rankPlatform, type Platform } from "#core/images/platform.ts";
import { shortDigest, stepBegun, stepDone, stepProgress } from "#core/images/progress.ts";
import type { RegistryReader } from "#core/registry/registry.ts";
import type { Collector } from "./collector.ts";
import type { Documents } from "./documents.ts";
import type { Fetcher } from "./fetcher.ts";
import { atMost, paced } from "./pace.ts";

const emptyType = "application/vnd.oci.empty.v1+json";
/** As deep as an image that is here is looked into. */
const nestingMax = 4;

export interface PullParts {
  readonly content: ContentStore;
  readonly layers: LayerStore;
  readonly documents: Documents;
  readonly fetcher: Fetcher;
  readonly collector: Collector;
}

export interface PullRequest {
  readonly ref: ImageReference;
  readonly platform: Platform;
  readonly reader: RegistryReader;
  /** What the name stands for so far. */
  readonly former: Descriptor | undefined;
  readonly signal: AbortSignal;
  readonly say: (message: PullProgress) => void;
}

/** Brings one image here, unpacked, and returns what its name is to stand for. Nothing has a name yet. */
export async function pullImage(parts: PullParts, request: PullRequest): Promise<Descriptor> {
  const { ref, say } = request;
  const top = await topOf(parts, request).catch((error: unknown) => {
    throw pullFailure(error, ref);
  });
  const chosen = await choose(parts, request, [top]);
  if (chosen === undefined) {
    const sentence = `no matching manifest for ${formatPlatform(request.platform)} in the manifest list entries: no match for platform in manifest: not found`;
    throw new NoMatchingManifest(sentence);
  }
  const [{ bytes, descriptor }] = chosen;
  say({ status: `Pulling from ${ref.path}`, id: ref.tag ?? normalizedName(ref) });
  const manifest = parseManifest(bytes, descriptor.digest);
  if (!isConfigType(manifest.config.mediaType)) throw new EngineError("invalidArgument", noImage(ref, bytes, manifest));
  try {
    for (const document of chosen) await keep(parts.content, document);
    await parts.fetcher.fetch(manifest.config, sourceOf(request), request);
    await pullLayers(parts, request, manifest);
  } catch (error) {
    // One that was given up is continued by the next pull, as dockerd does it.
    // So is one whose registry went away; what is wrong with the image's bytes is as wrong the next time.
    if (!request.signal.aborted && isClass(error, "invalidArgument")) parts.collector.abandon([top.descriptor]);
    throw error;
  }
  return top.descriptor;
}

/** Artifacts are anything that a registry keeps besides images (image-spec manifest.md, "Guidelines for Artifact Usage"). */
function noImage(ref: ImageReference, bytes: Buffer, { config, layers }: ManifestDocument): string {
  const { artifactType } = JSON.parse(bytes.toString("utf8")) as { artifactType?: unknown };
  const kind =
    typeof artifactType === "string" && artifactType !== "" ? artifactType : config.mediaType === emptyType ? layers[0]?.mediaType : config.mediaType;
  return `${familiarName(ref)} is an artifact (${kind ?? "of no type"}), not a container image; fetch it with a tool for artifacts`;
}

/** What dockerd says of a name that cannot be resolved. That nothing is found, or nothing shown, is 404 for clients that then build or log in. */
export function pullFailure(error: unknown, ref: ImageReference): unknown {
  const name = normalizedName(ref);
  const sentence = (why: string): string => `failed to resolve reference ${JSON.stringify(name)}: ${why}`;
  if (isClass(error, "notFound")) return new EngineError("notFound", sentence(`${name}: not found`), { cause: error });
  if (isClass(error, "unauthorized")) {
    const why = `pull access denied, repository does not exist or may require authorization: ${messageOf(error)}`;
    return new EngineError("notFound", sentence(why), { cause: error });
  }
  if (!isClass(error, "unavailable")) return error;
  // What has a cause of its own never reached the registry; dockerd answers 500 for it.
  const why = error.cause === undefined ? messageOf(error) : `failed to do request: ${messageOf(error)}`;
  return new EngineError("internal", sentence(why), { cause: error });
}

interface Fetched {
  readonly descriptor: Descriptor;
  readonly bytes: Buffer;
}

const sourceOf = (request: PullRequest) => ({ reader: request.reader, repository: request.ref.path });

/** What the name stands for in the registry. Where that is what it stands for here, nothing but the question crosses the wire. */
async function topOf({ content }: PullParts, { reader, ref, former, signal }: PullRequest): Promise<Fetched> {
  const reference = ref.digest ?? ref.tag!;
  if (former !== undefined && content.stat(former.digest) !== undefined) {
    const now = await reader.head(ref.path, reference, { signal });
    if (now?.digest === former.digest) return { descriptor: now, bytes: await content.read(now.digest) };
  }
  return await reader.manifest(ref.path, reference, { signal });
}

/** A manifest, and the indexes that led to it, the innermost first. */
type Chosen = readonly [Fetched, ...Fetched[]];

/** Follows an index to the manifest that suits the platform best; those that name none are asked last, by their configs. */
async function choose(parts: PullParts, request: PullRequest, path: Chosen): Promise<Chosen | undefined> {
  const [{ descriptor, bytes }] = path;
  if (!isIndexType(descriptor.mediaType)) return path;
  if (path.length > nestingMax) throw new EngineError("invalidArgument", `index ${descriptor.digest}: more than ${nestingMax} indexes lead to it`);
  const unnamed = Number.MAX_SAFE_INTEGER;
  const rankOf = ({ platform }: Descriptor): number | undefined => (platform === undefined ? unnamed : rankPlatform(request.platform, platform));
  const suitable = parseIndex(bytes, descriptor.digest)
    .manifests.filter((child) => !isAttestation(child))
    .map((child) => ({ child, rank: rankOf(child) }))
    .filter((one): one is { child: Descriptor; rank: number } => one.rank !== undefined)
    .toSorted((a, b) => a.rank - b.rank);
  for (const { child } of suitable) {
    const fetched = await document(parts, request, child);
    const found = await choose(parts, request, [fetched, ...path]);
    if (found !== undefined && (child.platform !== undefined || isIndexType(child.mediaType) || (await suits(parts, request, fetched)))) return found;
  }
  return undefined;
}

async function document({ content }: PullParts, request: PullRequest, descriptor: Descriptor): Promise<Fetched> {
  const { digest } = descriptor;
  if (content.stat(digest) !== undefined) return { descriptor, bytes: await content.read(digest) };
  const { bytes } = await request.reader.manifest(request.ref.path, digest, request);
  return { descriptor, bytes };
}

/** By the platform that the config tells. What has no config of an image's suits: why it is none is told later. */
async function suits(parts: PullParts, request: PullRequest, { bytes, descriptor }: Fetched): Promise<boolean> {
  const { config } = parseManifest(bytes, descriptor.digest);
  if (!isConfigType(config.mediaType)) return true;
  await parts.fetcher.fetch(config, sourceOf(request), request);
  const read = await parts.documents.read(config);
  if (read !== undefined && "config" in read && rankPlatform(request.platform, read.config) !== undefined) return true;
  parts.collector.abandon([config]);
  return false;
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
  assertMatching(manifest, diffIds);
  const wanted = layers.map((blob, i) => ({ blob, diffId: diffIds[i]! }));
  const missing = wanted.filter(({ blob, diffId }) => parts.content.stat(blob.digest) === undefined || !parts.layers.has(diffId));
  if (missing.length === 0) return;
  for (const { blob } of wanted) request.say(stepBegun(shortDigest(blob.digest), "Pulling fs layer"));
  const unique = [...new Map(wanted.map((layer) => [layer.blob.digest, layer])).values()];
  // Downloads take turns by themselves; what is here already needs none.
  await atMost(unique.length, unique, request.signal, (layer, signal) => pullLayer(parts, { ...request, signal }, layer));
}

async function pullLayer(parts: PullParts, request: PullRequest, { blob, diffId }: { blob: Descriptor; diffId: Digest }): Promise<void> {
  const id = shortDigest(blob.digest);
  const { say, signal } = request;
  if (parts.content.stat(blob.digest) !== undefined && parts.layers.has(diffId)) return say(stepDone(id, "Already exists"));
  let complete = false;
  const begun = Promise.withResolvers<void>();
  const downloading = paced((bytes) => say(stepProgress(id, "Downloading", bytes, blob.size)));
  const onProgress = (bytes: number): void => {
    downloading(bytes);
    begun.resolve();
  };
  const fetched = parts.fetcher.fetch(blob, sourceOf(request), { signal, onProgress }).then(() => {
    complete = true;
    say(stepDone(id, "Download complete"));
  });
  await Promise.race([begun.promise, fetched]);
  const extracting = paced((bytes) => complete && say(stepProgress(id, "Extracting", bytes, blob.size)));
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

/** The same repository with each of the tags. */
export const withTags = (ref: ImageReference, tags: readonly string[]): ImageReference[] => tags.map((tag) => withTag(ref, tag));
