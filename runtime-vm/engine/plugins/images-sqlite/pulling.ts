import type { PullProgress } from "#api/images.ts";
import { familiarName, familiarRepository, normalizedName, parseReference, type ImageReference } from "#api/reference.ts";
import { EngineError, isClass, messageOf } from "#base/errors.ts";
import type { Platform } from "#core/images/platform.ts";
import type { RegistryAuth } from "#core/registry/registry.ts";
import { announce, publishIndex, type ImageParts } from "./parts.ts";
import { runSession } from "./progress-queue.ts";
import { NoMatchingManifest, pullFailure, pullImage, withTags } from "./pull.ts";

export interface PullOptions {
  readonly reference: string;
  readonly platform: Platform;
  readonly auth?: RegistryAuth;
  readonly signal: AbortSignal;
}

/** `docker pull`: one image, or every tag of a repository where neither tag nor digest is given. */
export async function* pull(parts: ImageParts, opts: PullOptions): AsyncIterable<PullProgress> {
  const ref = parseReference(opts.reference);
  yield* runSession("pull", opts.signal, (session) => pullAll(parts, ref, { ...opts, ...session }));
}

type Session = PullOptions & { readonly say: (message: PullProgress) => void };

async function pullAll(parts: ImageParts, ref: ImageReference, opts: Session): Promise<void> {
  await using _hold = parts.collector.hold();
  if (ref.tag !== undefined || ref.digest !== undefined) return await pullOne(parts, ref, opts);
  const reader = parts.registries.open(ref.domain, opts.auth);
  const tags = await reader.tags(ref.path, opts).catch((error: unknown) => {
    if (!isClass(error, "notFound")) throw pullFailure(error, ref);
    throw new EngineError("notFound", `repository ${familiarRepository(ref)} not found: ${messageOf(error)}`, { cause: error });
  });
  for (const one of withTags(ref, tags)) await pullOne(parts, one, opts);
}

async function pullOne(parts: ImageParts, ref: ImageReference, opts: Session): Promise<void> {
  const reader = parts.registries.open(ref.domain, opts.auth);
  // A name with both holds the digest only, as dockerd records it.
  const name = normalizedName(ref.digest === undefined ? ref : { domain: ref.domain, path: ref.path, digest: ref.digest });
  const { platform, signal, say } = opts;
  const target = await pullImage(parts, { ref, reader, platform, signal, say, former: parts.names.get(name)?.target }).catch((error: unknown) => {
    if (error instanceof NoMatchingManifest) throw new EngineError("notFound", error.message);
    // dockerd answers 500 for a registry that it cannot reach.
    throw isClass(error, "unavailable") ? new EngineError("internal", messageOf(error), { cause: error }) : error;
  });
  const former = parts.names.put(name, target, new Date());
  publishIndex(parts);
  await announce(parts, "pull", { id: familiarName(ref), name: familiarRepository(ref), target });
  opts.say({ status: `Digest: ${target.digest}` });
  const upToDate = former?.digest === target.digest;
  opts.say({ status: upToDate ? `Status: Image is up to date for ${familiarName(ref)}` : `Status: Downloaded newer image for ${familiarName(ref)}` });
}
