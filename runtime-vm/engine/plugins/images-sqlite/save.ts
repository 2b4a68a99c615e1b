import type { ContentStore, Descriptor, Digest } from "#core/content/content.ts";
import { isLayerType, mediaTypes } from "#core/images/manifests.ts";
import { tarEnd, tarHead, tarPadding } from "#core/layers/tar-writer.ts";
import { familiarName, parseReference } from "#api/reference.ts";
import type { Variant } from "./documents.ts";
import { nameAnnotations } from "./load.ts";

/** An image to save, under the names that were asked for. */
export interface Saved {
  readonly target: Descriptor;
  /** Normalized. */
  readonly names: readonly string[];
  readonly best: Variant | undefined;
  readonly blobs: ReadonlySet<Digest>;
}

/** The archive as an OCI layout, with the `manifest.json` that Docker's other image store reads. */
export async function* saveArchive(images: readonly Saved[], content: ContentStore, signal: AbortSignal): AsyncIterable<Buffer> {
  yield tarHead({ name: "blobs/", type: "5", mode: 0o755 }, 0);
  yield tarHead({ name: "blobs/sha256/", type: "5", mode: 0o755 }, 0);
  const blobs = new Set(images.flatMap((image) => [...image.blobs]));
  for (const digest of [...blobs].toSorted()) {
    const found = content.stat(digest);
    if (found === undefined) continue;
    yield tarHead({ name: `blobs/sha256/${digest.slice("sha256:".length)}`, mode: 0o444 }, found.size);
    for await (const chunk of content.open(digest) as AsyncIterable<Buffer>) {
      signal.throwIfAborted();
      yield chunk;
    }
    yield tarPadding(found.size);
  }
  yield* textFile("index.json", 0o644, indexOf(images));
  yield* textFile("manifest.json", 0o644, manifestsOf(images));
  yield* textFile("oci-layout", 0o444, { imageLayoutVersion: "1.0.0" });
  yield tarEnd();
}

function* textFile(name: string, mode: number, value: unknown): Iterable<Buffer> {
  const body = Buffer.from(JSON.stringify(value));
  yield tarHead({ name, mode }, body.length);
  yield body;
  yield tarPadding(body.length);
}

function indexOf(images: readonly Saved[]): unknown {
  const manifests = images.flatMap(({ target, names }) => {
    const { annotations: _, ...plain } = target;
    return names.length === 0 ? [plain] : names.map((name) => ({ ...plain, annotations: nameAnnotations(name) }));
  });
  return { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests };
}

const blobPath = (digest: string): string => `blobs/sha256/${digest.slice("sha256:".length)}`;

function manifestsOf(images: readonly Saved[]): unknown[] {
  return images.flatMap(({ best, names }) => {
    if (best?.manifest === undefined) return [];
    const layers = best.manifest.layers.filter(({ mediaType }) => isLayerType(mediaType)).map(({ digest }) => blobPath(digest));
    return [{ Config: blobPath(best.manifest.config.digest), RepoTags: names.map((name) => familiarName(parseReference(name))), Layers: layers }];
  });
}
