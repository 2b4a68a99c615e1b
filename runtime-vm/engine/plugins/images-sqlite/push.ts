import { repositoryName } from "#api/reference.ts";
import { EngineError } from "#base/errors.ts";
import type { Descriptor, Digest } from "#core/content/content.ts";
import { isConfigType, isIndexType, isManifestType, isNonDistributable } from "#core/images/manifests.ts";
import type { Platform } from "#core/images/platform.ts";
import { shortDigest, stepBegun, stepProgress } from "#core/images/progress.ts";
import type { RegistryWriter } from "#core/registry/registry.ts";
import type { PullProgress } from "#api/images.ts";
import type { ImageReference } from "#api/reference.ts";
import { bestOf } from "./documents.ts";
import { required } from "./listing.ts";
import { referenceOf } from "./lookup.ts";
import { isDangling } from "./names.ts";
import type { ImageParts } from "./parts.ts";
import { atMost, paced } from "./pace.ts";

export interface PushRequest {
  readonly ref: ImageReference;
  /** What to push, as `chosen` names it. */
  readonly target: Descriptor;
  readonly writer: RegistryWriter;
  /** Layers sent side by side. */
  readonly uploads: number;
  readonly signal: AbortSignal;
  readonly say: (message: PullProgress) => void;
}

/**
 * What of an image is pushed: one platform's manifest where it was asked for, all of it where all is here, else the manifest
 * that suits this host best.
 */
export async function chosen(parts: ImageParts, target: Descriptor, opts: { platform: Platform | undefined; reference: string }): Promise<Descriptor> {
  const variants = (await parts.documents.variants(target)).filter(({ available }) => available);
  if (opts.platform !== undefined) return required(variants, opts.platform, opts.reference).descriptor;
  if (await isWhole(parts, target)) return target;
  const best = bestOf(variants, parts.host) ?? variants.find(({ kind }) => kind === "image");
  if (best !== undefined && isIndexType(target.mediaType)) return best.descriptor;
  throw new EngineError("notFound", `missing content: of ${opts.reference} not everything is here; pull it again, then push it`);
}

/** Sends what the registry lacks: layers and configs first, then manifests, last the one that gets the tag. */
export async function pushImage(parts: ImageParts, request: PushRequest): Promise<void> {
  const { ref, target, signal, say, writer } = request;
  const found: Tree = { blobs: new Map(), manifests: new Map() };
  await gather(parts, target, found);
  const layers = [...found.blobs.values()].filter(({ mediaType }) => !isConfigType(mediaType));
  for (const { digest } of layers) say(stepBegun(shortDigest(digest), "Waiting"));
  const sources = await mountSources(parts, ref);
  await atMost(request.uploads, [...found.blobs.values()], signal, (blob, stop) =>
    pushBlob(parts, { ...request, signal: stop }, { blob, shown: layers.includes(blob), mountFrom: sources.get(blob.digest) }),
  );
  for (const descriptor of [...found.manifests.values(), target]) {
    const bytes = await parts.content.read(descriptor.digest);
    const reference = descriptor === target ? (ref.tag ?? target.digest) : descriptor.digest;
    await writer.pushManifest(ref.path, reference, { descriptor, bytes }, { signal });
  }
}

interface Tree {
  readonly blobs: Map<Digest, Descriptor>;
  /** Below the target, children before their parents. */
  readonly manifests: Map<Digest, Descriptor>;
}

async function gather(parts: ImageParts, target: Descriptor, into: Tree): Promise<void> {
  const document = await parts.documents.read(target);
  if (document === undefined) throw new EngineError("notFound", `missing content: ${target.digest} is not here`);
  if ("manifest" in document) {
    for (const blob of [document.manifest.config, ...document.manifest.layers]) if (!isNonDistributable(blob.mediaType)) into.blobs.set(blob.digest, blob);
  } else if ("index" in document) {
    for (const child of document.index.manifests) {
      if (!isManifestType(child.mediaType) && !isIndexType(child.mediaType)) into.blobs.set(child.digest, child);
      else if (!into.manifests.has(child.digest)) {
        await gather(parts, child, into);
        into.manifests.set(child.digest, child);
      }
    }
  }
}

async function isWhole(parts: ImageParts, target: Descriptor): Promise<boolean> {
  const found: Tree = { blobs: new Map(), manifests: new Map() };
  try {
    await gather(parts, target, found);
  } catch {
    return false;
  }
  return [...found.blobs.keys()].every((digest) => parts.documents.has(digest));
}

/** Other repositories of the same registry that images here, which have the blob, come from. */
async function mountSources(parts: ImageParts, ref: ImageReference): Promise<Map<Digest, string>> {
  const sources = new Map<Digest, string>();
  for (const image of parts.names.all()) {
    if (isDangling(image)) continue;
    const other = referenceOf(image);
    if (other.domain !== ref.domain || repositoryName(other) === repositoryName(ref)) continue;
    const blobs = new Set<Digest>();
    await parts.documents.reach(image.target, { blobs, diffIds: new Set() });
    for (const digest of blobs) if (!sources.has(digest)) sources.set(digest, other.path);
  }
  return sources;
}

interface BlobToPush {
  readonly blob: Descriptor;
  /** Configs go without a line of their own. */
  readonly shown: boolean;
  readonly mountFrom: string | undefined;
}

async function pushBlob({ content }: ImageParts, { ref, writer, signal, say }: PushRequest, { blob, shown, mountFrom }: BlobToPush): Promise<void> {
  const { digest, size } = blob;
  const id = shortDigest(digest);
  const tell = (status: string): void => (shown ? say(stepBegun(id, status)) : undefined);
  if (await writer.hasBlob(ref.path, digest, { signal })) return tell("Layer already exists");
  const bar = paced((bytes) => shown && say(stepProgress(id, "Pushing", bytes, size)));
  const upload = { digest, size, open: (start: number) => content.chunks(digest, { start }), onProgress: bar };
  const result = await writer.pushBlob(ref.path, mountFrom === undefined ? upload : { ...upload, mountFrom }, { signal });
  tell(result === "mounted" ? `Mounted from ${mountFrom}` : "Pushed");
}
