import { createHash } from "node:crypto";
import { messageOf } from "#base/errors.ts";
import type { Descriptor, Digest } from "#core/content/content.ts";
import type { StoreCheck, StoreProblem } from "#api/images.ts";
import { isNonDistributable } from "#core/images/manifests.ts";
import { shownName } from "./lookup.ts";
import { namedDescriptors, type ImageParts } from "./parts.ts";
import type { Readable } from "node:stream";

/**
 * Reads everything again that images are made of: every name leads to documents that are whole, every blob and layer has the bytes
 * its digest says, roots and mounts stand on layers that are here, the layout lists what the database knows. What is found is told, nothing is changed.
 */
export async function checkStore(parts: ImageParts, signal: AbortSignal): Promise<StoreCheck> {
  await using _hold = parts.collector.hold();
  const problems: StoreProblem[] = [];
  const told = (object: string, problem: string): void => void problems.push({ Object: object, Problem: problem });
  const names = parts.names.all();
  for (const image of names) await checkImage(parts, image.target, (problem) => told(shownName(image), problem));
  const [blobs, layers] = [[...parts.content.list()], parts.layers.list()];
  let bytes = 0;
  for (const { digest, size } of blobs) {
    bytes += size;
    await checkBytes(parts.content.open(digest), { digest, size }, signal).catch((error: unknown) => told(`blob ${digest}`, messageOf(error)));
    signal.throwIfAborted();
  }
  for (const digest of layers) {
    const size = parts.layers.size(digest);
    bytes += size;
    await checkBytes(parts.layers.openTar(digest), { digest, size }, signal).catch((error: unknown) => told(`layer ${digest}`, messageOf(error)));
    signal.throwIfAborted();
  }
  for (const { object, problem } of parts.layers.faults()) told(object, problem);
  const [listed, known] = [parts.content.published(), namedDescriptors(parts)].map((all) => all.map(({ name, descriptor }) => `${name} ${descriptor.digest}`));
  if (listed!.toSorted().join() !== known!.toSorted().join()) told("index.json", "does not list the images that the database knows");
  return { Checked: { Images: names.length, Blobs: blobs.length, Layers: layers.length, Bytes: bytes }, Problems: problems };
}

/** An index may have manifests that are not here; what is here must be whole, and one of them must be. */
async function checkImage(parts: ImageParts, target: Descriptor, told: (problem: string) => void): Promise<void> {
  try {
    if ((await parts.documents.read(target)) === undefined) return told(`${target.digest}, which it stands for, is not here`);
    const variants = await parts.documents.variants(target);
    for (const { descriptor, manifest } of variants) {
      const missing = [...(manifest === undefined ? [] : [manifest.config, ...manifest.layers])].find((part) => isMissing(parts, part));
      if (missing !== undefined) told(`manifest ${descriptor.digest} is here, and ${missing.digest} of it is not`);
    }
  } catch (error) {
    told(messageOf(error));
  }
}

const isMissing = ({ documents }: ImageParts, { digest, mediaType }: Descriptor): boolean => !isNonDistributable(mediaType) && !documents.has(digest);

async function checkBytes(stream: Readable, expected: { digest: Digest; size: number }, signal: AbortSignal): Promise<void> {
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    signal.throwIfAborted();
    hash.update(chunk);
    size += chunk.length;
  }
  if (size !== expected.size) throw new Error(`has ${size} bytes, not ${expected.size}`);
  const digest = `sha256:${hash.digest("hex")}`;
  if (digest !== expected.digest) throw new Error(`its bytes have digest ${digest}`);
}
