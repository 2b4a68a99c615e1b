import { familiarName, normalizedName, parseAnyReference, parseReference, repositoryName, withDefaultTag, type ImageReference } from "#api/reference.ts";
import { EngineError } from "#base/errors.ts";
import type { Digest } from "#core/content/content.ts";
import { isDangling, type ImageName, type ImageNames } from "./names.ts";

const truncatedId = /^(?:sha256:)?([0-9a-f]{4,64})$/;

/** What a person's reference leads to. */
export interface Found {
  readonly digest: Digest;
  /** The image under exactly this name. */
  readonly named?: ImageName;
  /** Every name of the same image. */
  readonly all: readonly ImageName[];
}

/** By id, id prefix, `name[:tag]` or `name@digest`; rejects (notFound, invalidArgument) in Docker's words. */
export function lookUp(names: ImageNames, text: string): Found {
  const parsed = parseAnyReference(text);
  if (!("path" in parsed)) return found(names.byDigest(parsed.digest), text);
  if (parsed.digest !== undefined) return byRepoDigest(names, parsed, text);
  const named = names.get(normalizedName(withDefaultTag(parsed)));
  if (named !== undefined) return { digest: named.target.digest, named, all: names.byDigest(named.target.digest) };
  const hex = truncatedId.exec(text)?.[1];
  if (hex === undefined) throw noSuchImage(text);
  const matching = names.byPrefix(hex);
  if (new Set(matching.map(({ target }) => target.digest)).size > 1) throw new EngineError("notFound", "ambiguous reference");
  return found(matching, text);
}

/** `No such image: busybox:latest`. */
export function noSuchImage(text: string): EngineError {
  const parsed = parseAnyReference(text);
  return new EngineError("notFound", `No such image: ${"path" in parsed ? familiarName(withDefaultTag(parsed)) : parsed.digest}`);
}

/** Whether `text` is the image's id, or the start of it. */
export const isIdPrefix = (digest: Digest, text: string): boolean => digest.startsWith(text) || digest.slice("sha256:".length).startsWith(text);

export function referenceOf(image: ImageName): ImageReference {
  return parseReference(image.name);
}

/** The name as people read it; the id for an image without one. */
export const shownName = (image: ImageName): string => (isDangling(image) ? image.target.digest : familiarName(referenceOf(image)));

/** A digest is only found under the repository that was asked for. */
function byRepoDigest(names: ImageNames, ref: ImageReference, text: string): Found {
  const all = names.byDigest(ref.digest!);
  if (!all.some((image) => !isDangling(image) && repositoryName(referenceOf(image)) === repositoryName(ref))) throw noSuchImage(text);
  const named = names.get(normalizedName(ref));
  return { ...found(all, text), ...(named === undefined ? {} : { named }) };
}

function found(all: readonly ImageName[], text: string): Found {
  const [first] = all;
  if (first === undefined) throw noSuchImage(text);
  return { digest: first.target.digest, all };
}
