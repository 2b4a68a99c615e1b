import type { PullProgress } from "#api/images.ts";
import { familiarName, familiarRepository, normalizedName, parseReference, repositoryName, type ImageReference } from "#api/reference.ts";
import { EngineError, isClass, messageOf } from "#base/errors.ts";
import type { Platform } from "#core/images/platform.ts";
import type { RegistryAuth } from "#core/registry/registry.ts";
import { referenceOf } from "./lookup.ts";
import { isDangling } from "./names.ts";
import { announce, type ImageParts } from "./parts.ts";
import { runSession } from "./progress-queue.ts";
import { chosen, pushImage } from "./push.ts";

export interface PushOptions {
  readonly reference: string;
  readonly platform: Platform | undefined;
  readonly auth?: RegistryAuth;
  readonly uploads: number;
  readonly signal: AbortSignal;
}

type Session = PushOptions & { readonly say: (message: PullProgress) => void };

/** `docker push`: one image, or every tag of a repository where none is given. */
export async function* push(parts: ImageParts, opts: PushOptions): AsyncIterable<PullProgress> {
  const ref = parseReference(opts.reference);
  yield { status: `The push refers to repository [${repositoryName(ref)}]` };
  yield* runSession("push", opts.signal, (session) => pushAll(parts, ref, { ...opts, ...session }));
}

async function pushAll(parts: ImageParts, ref: ImageReference, opts: Session): Promise<void> {
  await using _hold = parts.collector.hold();
  if (ref.tag !== undefined || ref.digest !== undefined) return await pushOne(parts, ref, opts);
  const tags = parts.names.all().filter((image) => !isDangling(image) && repositoryName(referenceOf(image)) === repositoryName(ref));
  if (tags.length === 0) throw new EngineError("notFound", `An image does not exist locally with the tag: ${familiarRepository(ref)}`);
  for (const image of tags) await pushOne(parts, referenceOf(image), opts);
}

async function pushOne(parts: ImageParts, ref: ImageReference, opts: Session): Promise<void> {
  const shown = familiarName(ref);
  const image = parts.names.get(normalizedName(ref));
  if (image === undefined) throw new EngineError("notFound", `tag does not exist: ${shown}`);
  const target = await chosen(parts, image.target, { platform: opts.platform, reference: shown });
  if (target.digest !== image.target.digest && opts.platform === undefined) {
    opts.say({ progressDetail: {}, aux: { manifestPushedInsteadOfIndex: true, originalIndex: image.target, selectedManifest: target } });
  }
  const writer = parts.registries.openWriter(ref.domain, opts.auth);
  await pushImage(parts, { ref, target, writer, uploads: opts.uploads, signal: opts.signal, say: opts.say }).catch((error: unknown) => {
    throw pushFailure(error);
  });
  await announce(parts, "push", { id: shown, name: familiarRepository(ref), target: image.target });
  if (ref.tag !== undefined) opts.say({ status: `${ref.tag}: digest: ${target.digest} size: ${target.size}` });
}

/** The sentence that dockerd has for a failed push. */
function pushFailure(error: unknown): unknown {
  if (isClass(error, "unauthorized")) {
    const sentence = `push access denied, repository does not exist or may require authorization: ${messageOf(error)}`;
    return new EngineError("unauthorized", sentence, { cause: error });
  }
  // What has a cause of its own never reached the registry.
  if (isClass(error, "unavailable") && error.cause !== undefined)
    return new EngineError("unavailable", `failed to do request: ${messageOf(error)}`, { cause: error });
  return error;
}
