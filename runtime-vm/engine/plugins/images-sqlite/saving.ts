import { isDigest, normalizedName, parseReference } from "#api/reference.ts";
import { EngineError, isClass } from "#base/errors.ts";
import type { Descriptor, Digest } from "#core/content/content.ts";
import type { Platform } from "#core/images/platform.ts";
import type { Variant } from "./documents.ts";
import { preferred, required } from "./listing.ts";
import { isIdPrefix, lookUp, referenceOf } from "./lookup.ts";
import { type ImageNames, isDangling } from "./names.ts";
import { announce, type ImageParts } from "./parts.ts";
import { saveArchive, type Saved } from "./save.ts";

/** `docker save`. Everything that can be missing is found missing before the first byte. */
export async function save(
  parts: ImageParts,
  references: readonly string[],
  { platform, signal }: { platform: Platform | undefined; signal: AbortSignal },
): Promise<AsyncIterable<Buffer>> {
  const wanted = references.flatMap((reference) => namesToSave(parts.names, reference).map((image) => ({ ...image, reference })));
  const images = await Promise.all(wanted.map((image) => saved(parts, image, platform)));
  for (const { target } of images) await announce(parts, "save", { id: target.digest, name: target.digest, target });
  return (async function* () {
    await using _hold = parts.collector.hold();
    yield* saveArchive(images, parts.content, signal);
  })();
}

/** By id: without a name. By name without a tag: every tag of the repository. */
function namesToSave(names: ImageNames, reference: string): { target: Descriptor; names: string[] }[] {
  if (!isDigest(reference) && !/^[0-9a-f]{64}$/.test(reference)) {
    const ref = parseReference(reference);
    const all = names.all().filter((image) => !isDangling(image) && referenceOf(image).tag !== undefined);
    const tags = all.filter((image) => normalizedName({ ...referenceOf(image), tag: "x" }) === normalizedName({ ...ref, tag: "x" }));
    if (ref.tag === undefined && ref.digest === undefined && tags.length > 0) return tags.map(({ name, target }) => ({ target, names: [name] }));
  }
  const { digest, named, all } = lookUp(names, reference);
  const byId = isIdPrefix(digest, reference) || named === undefined || isDangling(named);
  return [{ target: all[0]!.target, names: byId ? [] : [named.name] }];
}

interface Wanted {
  readonly target: Descriptor;
  readonly names: readonly string[];
  readonly reference: string;
}

async function saved({ documents, host }: ImageParts, { target, names, reference }: Wanted, platform: Platform | undefined): Promise<Saved> {
  const variants = await documents.variants(target);
  const best = platform === undefined ? preferred(variants, host) : exported(variants, platform, reference);
  const root = platform === undefined || best === undefined ? target : best.descriptor;
  const blobs = new Set<Digest>();
  await documents.reach(root, { blobs, diffIds: new Set() });
  return { target: root, names, blobs, best };
}

function exported(variants: readonly Variant[], platform: Platform, reference: string): Variant {
  const here = variants.filter(({ available }) => available);
  try {
    return required(here, platform, reference);
  } catch (error) {
    throw isClass(error, "notFound") ? new EngineError("notFound", `no suitable export target found: ${error.message}`, { cause: error }) : error;
  }
}
