import { familiarName, parseReference, repositoryName, type ImageReference } from "#api/reference.ts";
import { EngineError } from "#base/errors.ts";
import type { Digest } from "#core/content/content.ts";
import type { ImageUsers } from "#core/images/images.ts";
import { shortDigest } from "#core/images/progress.ts";
import { isIdPrefix, lookUp, noSuchImage, referenceOf } from "./lookup.ts";
import { isDangling, type ImageName, type ImageNames } from "./names.ts";

/** What a removal will do, decided before anything is done. */
export interface Removal {
  readonly digest: Digest;
  /** Names to take away. */
  readonly untag: readonly ImageName[];
  /** The image goes too. */
  readonly deletes: boolean;
  /** A container still needs the image: it loses its names, and stays dangling. */
  readonly keeps: boolean;
}

/** Docker's rules for `docker rmi` with the containerd image store. Rejects with its conflicts. */
export function planRemoval(names: ImageNames, text: string, opts: { force: boolean; users: ImageUsers }): Removal {
  const { digest, named, all } = lookUp(names, text);
  const byId = isIdPrefix(digest, text) || (named !== undefined && isDangling(named));
  if (named !== undefined && !byId) return planByName(named, all, opts);
  const ref = byId ? undefined : parseReference(text);
  const same = sameReferences(ref, all);
  if (same.length === 0 && ref !== undefined) throw noSuchImage(text);
  if (ref !== undefined && same.length < all.length) return { digest, untag: same, deletes: false, keeps: false };
  return planDelete(digest, all, { ...opts, oneTag: same.length === all.length });
}

/** An image whose names are all of one tag goes with it; otherwise only the name goes. */
function planByName(named: ImageName, all: readonly ImageName[], opts: { force: boolean; users: ImageUsers }): Removal {
  const digest = named.target.digest;
  const ref = referenceOf(named);
  const same = sameReferences(ref, all);
  if (same.length < all.length) return { digest, untag: same, deletes: false, keeps: false };
  const [user] = opts.users(digest);
  if (user !== undefined) {
    if (!opts.force) throw conflict(familiarName(ref), false, `container ${shortDigest(user.id)} is using its referenced image ${shortDigest(digest)}`);
    return { digest, untag: all, deletes: false, keeps: true };
  }
  return planDelete(digest, all, { ...opts, oneTag: true });
}

function planDelete(digest: Digest, all: readonly ImageName[], opts: { force: boolean; users: ImageUsers; oneTag: boolean }): Removal {
  const users = opts.users(digest);
  const short = shortDigest(digest);
  const running = users.find((user) => user.running);
  if (running !== undefined) throw conflict(short, true, `image is being used by running container ${shortDigest(running.id)}`);
  if (!opts.force) {
    const [stopped] = users;
    if (stopped !== undefined) throw conflict(short, false, `image is being used by stopped container ${shortDigest(stopped.id)}`);
    if (!opts.oneTag && all.length > 1) throw conflict(short, false, "image is referenced in multiple repositories");
  }
  // A stopped container can be started again all the same: its layers stay while it stands on them.
  return { digest, untag: all, deletes: true, keeps: false };
}

/** Names that mean the same as `ref` (or as the first name): same repository and tag, digests of it where no other tag is there, dangling ones. */
function sameReferences(given: ImageReference | undefined, all: readonly ImageName[]): ImageName[] {
  const allTags = given !== undefined && given.tag === undefined && given.digest !== undefined;
  const same: ImageName[] = [];
  let ref = given;
  let tag = given?.tag;
  let digests: ImageName[] | undefined = [];
  for (const image of all) {
    if (isDangling(image)) {
      same.push(image);
      continue;
    }
    const other = referenceOf(image);
    if (ref === undefined) {
      ref = other;
      tag = other.tag;
    } else if (repositoryName(ref) !== repositoryName(other)) continue;
    else if (!allTags && other.tag === undefined) {
      digests?.push(image);
      continue;
    } else if (!allTags) {
      tag ??= other.tag;
      if (tag !== other.tag) {
        digests = undefined;
        continue;
      }
    }
    same.push(image);
  }
  return [...same, ...(digests ?? [])];
}

const conflict = (object: string, hard: boolean, reason: string): EngineError =>
  new EngineError("conflict", `conflict: unable to delete ${object} (${hard ? "cannot be forced" : "must be forced"}) - ${reason}`);
