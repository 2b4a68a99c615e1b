import type { Readable } from "node:stream";
import type { PullProgress } from "#api/images.ts";
import { familiarName, parseReference } from "#api/reference.ts";
import { EngineError, isClass, messageOf } from "#base/errors.ts";
import type { Descriptor, Digest } from "#core/content/content.ts";
import { formatPlatform, type Platform } from "#core/images/platform.ts";
import { readArchive } from "./archive-reader.ts";
import type { Variant } from "./documents.ts";
import { imagesOf } from "./load.ts";
import { danglingName } from "./names.ts";
import { announce, publishIndex, unpackVariant, type ImageParts } from "./parts.ts";

/** `docker load`: every image of an archive, each under its name when everything of the archive is here. */
export async function* load(
  parts: ImageParts,
  tar: Readable,
  { platform, signal }: { platform: Platform | undefined; signal: AbortSignal },
): AsyncIterable<PullProgress> {
  await using _hold = parts.collector.hold();
  // Not every file of an archive is of an image, and not every archive is one.
  const brought: Descriptor[] = [];
  await using undo = new AsyncDisposableStack();
  undo.defer(async () => void (await parts.collector.collect(brought)));
  const onBlob = (blob: { digest: Digest; size: number }): void => void brought.push({ mediaType: "application/octet-stream", ...blob });
  const archive = await readArchive(tar, parts.content, { signal, onBlob });
  for (const { name, target } of await imagesOf(archive, parts.content)) {
    parts.names.put(name ?? keepName(parts, target), target, new Date());
    publishIndex(parts);
    const shown = name === undefined ? target.digest : familiarName(parseReference(name));
    const best = await parts.documents.best(target, platform ?? parts.host);
    if (platform !== undefined && best?.available !== true) {
      throw new EngineError("notFound", `image ${shown} was loaded, but doesn't provide the requested platform (${formatPlatform(platform)})`);
    }
    yield { stream: `Loaded image${name === undefined ? " ID" : ""}: ${shown}\n` };
    await announce(parts, "load", { id: target.digest, name: target.digest, target });
    const failure = await unpackLoaded(parts, best, signal);
    if (failure !== undefined) yield { stream: `Error unpacking image ${shown}: ${failure}\n` };
  }
}

/** An archive's nameless image that has a name here keeps it, and is not dangling. */
const keepName = ({ names }: ImageParts, target: Descriptor): string => names.byDigest(target.digest)[0]?.name ?? danglingName(target.digest);

async function unpackLoaded(parts: ImageParts, best: Variant | undefined, signal: AbortSignal): Promise<string | undefined> {
  if (best === undefined || !best.available) return undefined;
  try {
    await unpackVariant(parts, best, signal);
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    if (isClass(error, "exhausted")) throw error;
    return messageOf(error);
  }
}
