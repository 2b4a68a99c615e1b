import type { ImageHistoryItem, ImageInspect, ImageSummary } from "#api/images.ts";
import { familiarName, parseReference, withDefaultTag } from "#api/reference.ts";
import { EngineError } from "#base/errors.ts";
import type { Descriptor, Digest } from "#core/content/content.ts";
import type { ImageListOptions, ImageUsers } from "#core/images/images.ts";
import { formatPlatform, type Platform } from "#core/images/platform.ts";
import { bestOf, type Variant } from "./documents.ts";
import { createdMs, listFilter, namesMatching } from "./filters.ts";
import { lookUp, noSuchImage } from "./lookup.ts";
import type { ImageName } from "./names.ts";
import type { ImageParts } from "./parts.ts";
import { historyOf, inspectOf, repoNames, summaryOf } from "./views.ts";

/** An image with everything a row about it shows. */
export interface Described {
  readonly target: Descriptor;
  readonly names: readonly ImageName[];
  readonly variants: readonly Variant[];
  /** For the host; else the first image that is here. */
  readonly best: Variant | undefined;
}

/** Every image once, with its names. */
export async function describeAll(parts: ImageParts): Promise<Described[]> {
  const byDigest = Map.groupBy(parts.names.all(), ({ target }) => target.digest);
  return await Promise.all(
    [...byDigest.values()].map(async (names) => {
      // Of several names the last one's annotations are shown, as dockerd shows them.
      const target = names.at(-1)!.target;
      const variants = await parts.documents.variants(target);
      return { target, names, variants, best: preferred(variants, parts.host) };
    }),
  );
}

/** `GET /images/json`: newest first. */
export async function listImages(parts: ImageParts, opts: ImageListOptions): Promise<ImageSummary[]> {
  const created = async (digest: Digest): Promise<number | undefined> => {
    const [name] = parts.names.byDigest(digest);
    return createdMs(preferred(await parts.documents.variants(name!.target), parts.host));
  };
  const wanted = await listFilter(opts.filters, parts.names, created);
  const images = (await describeAll(parts)).filter(wanted);
  const shared = opts.sharedSize ? sharedSizes(parts, images) : undefined;
  const rows = images.map((image) => {
    const names = namesMatching(opts.filters["reference"], image.names);
    const sharedSize = shared?.get(image.target.digest) ?? -1;
    return {
      time: createdMs(image.best) ?? 0,
      row: summaryOf(
        { ...image, names, parent: parts.names.parentOf(image.target.digest) },
        { stores: parts, users: opts.users, manifests: opts.manifests, sharedSize },
      ),
    };
  });
  return rows.toSorted((a, b) => b.time - a.time).map(({ row }) => row);
}

export async function inspectImage(
  parts: ImageParts,
  reference: string,
  opts: { manifests?: boolean; platform?: Platform; users: ImageUsers },
): Promise<ImageInspect> {
  const { digest } = lookUp(parts.names, reference);
  const names = parts.names.byDigest(digest);
  const target = names[0]!.target;
  const variants = await parts.documents.variants(target);
  const best = opts.platform === undefined ? preferred(variants, parts.host) : required(variants, opts.platform, reference);
  const shown = opts.platform === undefined || best === undefined ? target : best.descriptor;
  return inspectOf(
    { target, names, best, shown, parent: parts.names.parentOf(target.digest) },
    { stores: parts, users: opts.users, ...(opts.manifests === true ? { manifests: variants } : {}) },
  );
}

export async function imageHistory(parts: ImageParts, reference: string, platform: Platform | undefined): Promise<ImageHistoryItem[]> {
  const { digest, all } = lookUp(parts.names, reference);
  const variants = await parts.documents.variants(all[0]!.target);
  const best = platform === undefined ? preferred(variants, parts.host) : required(variants, platform, reference);
  if (best?.config === undefined) throw noSuchImage(reference);
  const ancestors = ancestorsOf(parts.names, digest).map((id) => ({ id, tags: repoNames(parts.names.byDigest(id)).RepoTags }));
  return historyOf([{ id: digest, tags: repoNames(all).RepoTags }, ...ancestors], best.config, parts.layers);
}

/** Images that one made here stands on, its parent first, as far as they are still here. */
function ancestorsOf(names: ImageParts["names"], digest: Digest): Digest[] {
  const parent = names.parentOf(digest);
  return parent === undefined || names.byDigest(parent).length === 0 ? [] : [parent, ...ancestorsOf(names, parent)];
}

/** The variant for exactly this platform; rejects in dockerd's words. */
export function required(variants: readonly Variant[], platform: Platform, reference: string): Variant {
  const best = bestOf(variants, platform);
  if (best !== undefined) return best;
  const tagged = /^[0-9a-f]+$|@|^sha256:/.test(reference) ? reference : familiarName(withDefaultTag(parseReference(reference)));
  throw new EngineError("notFound", `image with reference ${tagged} was found but does not provide the specified platform (${formatPlatform(platform)})`);
}

export const preferred = (variants: readonly Variant[], host: Platform): Variant | undefined =>
  bestOf(variants, host) ?? variants.find(({ kind, config }) => kind === "image" && config !== undefined);

/** Bytes of an image's layers that other images, or its own for other platforms, have as well. */
function sharedSizes(parts: ImageParts, images: readonly Described[]): Map<Digest, number> {
  const layersOf = (image: Described): Digest[] => image.variants.flatMap(({ config }) => (config?.rootfs.diff_ids ?? []) as Digest[]);
  const uses = new Map<Digest, number>();
  for (const image of images) for (const diffId of layersOf(image)) uses.set(diffId, (uses.get(diffId) ?? 0) + 1);
  return new Map(
    images.map((image) => {
      const shared = layersOf(image).filter((diffId) => uses.get(diffId)! > 1);
      return [image.target.digest, shared.reduce((sum, diffId) => sum + parts.layers.unpackedSize(diffId), 0)];
    }),
  );
}
