import { familiarName, parseReference } from "#api/reference.ts";
import { isLayerType, mediaTypes } from "#core/images/manifests.ts";
import type { ImageBuilder } from "#core/images/building.ts";
import { tarEnd, tarHead, tarPadding } from "#core/layers/tar-writer.ts";
import type { Assembled } from "./documents.ts";

/** What an archive's index says of the image under each of its names. */
export function layoutIndex({ target, images }: Assembled, names: readonly string[], created: Date): unknown {
  const [only] = images;
  const platform = target.mediaType === mediaTypes.ociIndex || only === undefined ? {} : { platform: only.platform };
  const at = { "org.opencontainers.image.created": created.toISOString().replace(/\.\d+Z$/, "Z") };
  const named = names.map((name) => ({ "io.containerd.image.name": name, ...at, "org.opencontainers.image.ref.name": parseReference(name).tag ?? "latest" }));
  const manifests = (named.length === 0 ? [at] : named).map((annotations) => ({ ...target, annotations, ...platform }));
  return { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests };
}

/** An OCI layout as a tar; with `docker`, the `manifest.json` that every Docker loads. */
export async function* imageArchive(
  builder: ImageBuilder,
  image: Assembled,
  { names, docker, created, signal }: { names: readonly string[]; docker: boolean; created: Date; signal: AbortSignal },
): AsyncGenerator<Buffer> {
  const documents = new Map(image.documents.map(({ descriptor, bytes }) => [descriptor.digest, bytes]));
  const all = new Map([...image.documents.map(({ descriptor }) => descriptor), ...image.layers].map((one) => [one.digest, one]));
  const blobs = [...all.values()].toSorted((a, b) => (a.digest < b.digest ? -1 : 1));
  yield tarHead({ name: "blobs/", type: "5", mode: 0o755 }, 0);
  yield tarHead({ name: "blobs/sha256/", type: "5", mode: 0o755 }, 0);
  for (const { digest, size } of blobs) {
    yield tarHead({ name: blobPath(digest), mode: 0o444 }, size);
    const bytes = documents.get(digest);
    if (bytes !== undefined) yield bytes;
    else {
      for await (const chunk of builder.open(digest) as AsyncIterable<Buffer>) {
        signal.throwIfAborted();
        yield chunk;
      }
    }
    yield tarPadding(size);
  }
  yield* file("index.json", 0o644, layoutIndex(image, names, created));
  if (docker) yield* file("manifest.json", 0o644, dockerManifest(image, names));
  yield* file("oci-layout", 0o444, { imageLayoutVersion: "1.0.0" });
  yield tarEnd();
}

const blobPath = (digest: string): string => `blobs/sha256/${digest.slice("sha256:".length)}`;

function dockerManifest({ images }: Assembled, names: readonly string[]): unknown {
  const RepoTags = names.length === 0 ? null : names.map((name) => familiarName(parseReference(name)));
  return images.map(({ config, layers }) => ({
    Config: blobPath(config.digest),
    RepoTags,
    Layers: layers.filter(({ mediaType }) => isLayerType(mediaType)).map(({ digest }) => blobPath(digest)),
  }));
}

function* file(name: string, mode: number, value: unknown): Iterable<Buffer> {
  const body = Buffer.from(JSON.stringify(value));
  yield tarHead({ name, mode }, body.length);
  yield body;
  yield tarPadding(body.length);
}
