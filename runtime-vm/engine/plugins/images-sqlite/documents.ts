import type { ImageConfigFile } from "#api/oci.ts";
import type { ContentStore, Descriptor, Digest } from "#core/content/content.ts";
import {
  isAttestation,
  isConfigType,
  isIndexType,
  isManifestType,
  parseIndex,
  parseConfig,
  parseManifest,
  type IndexDocument,
  type ManifestDocument,
} from "#core/images/manifests.ts";
import { normalized, rankPlatform, type Platform } from "#core/images/platform.ts";
import { isClass } from "#base/errors.ts";

/** One manifest of an image, as far as it is here. */
export interface Variant {
  readonly descriptor: Descriptor;
  readonly kind: "image" | "attestation" | "unknown";
  /** Absent where the manifest's own bytes are not here. */
  readonly manifest?: ManifestDocument;
  readonly config?: ImageConfigFile;
  readonly platform?: Platform;
  /** Manifest, config and layers are all here. */
  readonly available: boolean;
}

type Document = { readonly index: IndexDocument } | { readonly manifest: ManifestDocument } | { readonly config: ImageConfigFile };

const cachedMax = 2_000;
const nestingMax = 4;

/** Indexes, manifests and configs by digest: immutable, so once parsed they are kept. */
export class Documents {
  readonly #content: ContentStore;
  readonly #cache = new Map<Digest, Document>();

  constructor(content: ContentStore) {
    this.#content = content;
  }

  /** Undefined where the bytes are not here, or are none of the three. Rejects (invalidArgument) bytes that are not what the media type says. */
  async read(descriptor: Descriptor): Promise<Document | undefined> {
    const known = this.#cache.get(descriptor.digest);
    if (known !== undefined) return known;
    if (!isDocument(descriptor.mediaType) || this.#content.stat(descriptor.digest) === undefined) return undefined;
    const document = parse(descriptor, await this.#content.read(descriptor.digest));
    if (this.#cache.size >= cachedMax) this.#cache.delete(this.#cache.keys().next().value!);
    this.#cache.set(descriptor.digest, document);
    return document;
  }

  /** Every manifest under `target`, in the order of the index. */
  async variants(target: Descriptor, depth = 0): Promise<Variant[]> {
    if (isManifestType(target.mediaType)) return [await this.#variant(target)];
    if (!isIndexType(target.mediaType) || depth > nestingMax) return [];
    const document = await this.#sound(target);
    if (document === undefined || !("index" in document)) return [];
    return (await Promise.all(document.index.manifests.map((child) => this.variants(child, depth + 1)))).flat();
  }

  /** The manifest that suits `platform` best among those that are here. */
  async best(target: Descriptor, platform: Platform): Promise<Variant | undefined> {
    return bestOf(await this.variants(target), platform);
  }

  /** Every digest that can be reached from `target` through documents that are here, and the diffIDs of its images. */
  async reach(target: Descriptor, into: { blobs: Set<Digest>; diffIds: Set<Digest> }): Promise<void> {
    if (into.blobs.has(target.digest)) return;
    into.blobs.add(target.digest);
    const document = await this.#sound(target);
    if (document === undefined) return;
    if ("config" in document) for (const diffId of document.config.rootfs?.diff_ids ?? []) into.diffIds.add(diffId as Digest);
    else for (const child of childrenOf(document)) await this.reach(child, into);
  }

  /** The bytes are gone. */
  forget(digest: Digest): void {
    this.#cache.delete(digest);
  }

  has(digest: Digest): boolean {
    return this.#content.stat(digest) !== undefined;
  }

  /** What is none of the three by its bytes is like one that is not here: an image with one such stays in the lists, and can be removed. */
  async #sound(descriptor: Descriptor): Promise<Document | undefined> {
    try {
      return await this.read(descriptor);
    } catch (error) {
      if (isClass(error, "invalidArgument")) return undefined;
      throw error;
    }
  }

  async #variant(descriptor: Descriptor): Promise<Variant> {
    const read = await this.#sound(descriptor);
    const manifest = read !== undefined && "manifest" in read ? read.manifest : undefined;
    const configured = manifest === undefined || !isConfigType(manifest.config.mediaType) ? undefined : await this.#sound(manifest.config);
    const config = configured !== undefined && "config" in configured ? configured.config : undefined;
    const platform =
      descriptor.platform ??
      (config === undefined ? undefined : { os: config.os, architecture: config.architecture, ...(config.variant ? { variant: config.variant } : {}) });
    const available = manifest !== undefined && [manifest.config, ...manifest.layers].every(({ digest }) => this.has(digest));
    return {
      descriptor,
      kind: isAttestation(descriptor) ? "attestation" : platform === undefined ? "unknown" : "image",
      ...(manifest === undefined ? {} : { manifest }),
      ...(config === undefined ? {} : { config }),
      ...(platform === undefined ? {} : { platform: normalized(platform) }),
      available,
    };
  }
}

/** The image that suits `platform` best and is whole; undefined when none does. */
export function bestOf(variants: readonly Variant[], platform: Platform): Variant | undefined {
  let best: { variant: Variant; rank: number } | undefined;
  for (const variant of variants) {
    if (variant.kind !== "image" || variant.config === undefined || variant.platform === undefined) continue;
    const rank = rankPlatform(platform, variant.platform);
    if (rank !== undefined && (best === undefined || rank < best.rank)) best = { variant, rank };
  }
  return best?.variant;
}

const isDocument = (type: string): boolean => isIndexType(type) || isManifestType(type) || isConfigType(type);

const childrenOf = (document: Document): readonly Descriptor[] =>
  "index" in document ? document.index.manifests : "manifest" in document ? [document.manifest.config, ...document.manifest.layers] : [];

function parse(descriptor: Descriptor, bytes: Buffer): Document {
  if (isIndexType(descriptor.mediaType)) return { index: parseIndex(bytes, descriptor.digest) };
  if (isManifestType(descriptor.mediaType)) return { manifest: parseManifest(bytes, descriptor.digest) };
  return { config: parseConfig(bytes, descriptor.digest) };
}
