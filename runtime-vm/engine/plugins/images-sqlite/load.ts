import { normalizedName, parseReference, withDefaultTag } from "#api/reference.ts";
import { EngineError } from "#base/errors.ts";
import type { ContentStore, Descriptor } from "#core/content/content.ts";
import { mediaTypes, parseIndex, parseJson } from "#core/images/manifests.ts";
import type { Archive } from "./archive-reader.ts";

/** An image of an archive, under the name it is to have. */
export interface Loaded {
  /** Normalized; absent: it has no name. */
  readonly name?: string;
  readonly target: Descriptor;
}

/** The images of an archive: those of its `index.json` (OCI layout), else of its `manifest.json` (Docker). */
export async function imagesOf(archive: Archive, content: ContentStore): Promise<Loaded[]> {
  const index = archive.texts.get("index.json");
  if (index !== undefined && archive.texts.has("oci-layout")) {
    return parseIndex(index, "sha256:index.json" as Descriptor["digest"]).manifests.map(fromIndex);
  }
  const manifest = archive.texts.get("manifest.json");
  if (manifest === undefined) throw new EngineError("invalidArgument", "unrecognized image format");
  return (await Promise.all(dockerImages(manifest).map((image) => fromDocker(image, archive, content)))).flat();
}

function fromIndex(descriptor: Descriptor): Loaded {
  const { annotations } = descriptor;
  const full = annotations?.["io.containerd.image.name"];
  const short = annotations?.["org.opencontainers.image.ref.name"];
  // By the specification the short one is a tag, which alone names nothing; skopeo writes whole names there.
  const text = full ?? (short !== undefined && /[/:]/.test(short) ? short : undefined);
  const name = text === undefined ? undefined : nameOf(text);
  return { target: descriptor, ...(name === undefined ? {} : { name }) };
}

interface DockerImage {
  readonly Config: string;
  readonly RepoTags?: readonly string[] | null;
  readonly Layers?: readonly string[] | null;
}

function dockerImages(bytes: Buffer): DockerImage[] {
  const parsed = JSON.parse(bytes.toString("utf8")) as unknown;
  const sound = Array.isArray(parsed) && (parsed as Partial<DockerImage>[]).every((image) => typeof image?.Config === "string");
  if (!sound) throw new EngineError("invalidArgument", "manifest.json: not a list of images");
  return parsed as DockerImage[];
}

/** Docker's own archive has no manifest: one is written for it, byte for byte as dockerd does, so that the image's id is the same. */
async function fromDocker(image: DockerImage, archive: Archive, content: ContentStore): Promise<Loaded[]> {
  const config = archive.files.get(image.Config);
  if (config === undefined) throw new EngineError("invalidArgument", `image config ${JSON.stringify(image.Config)} not found`);
  parseJson(await content.read(config.digest), config.digest);
  const layers = await Promise.all((image.Layers ?? []).map((name) => layerOf(name, archive, content)));
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.dockerManifest,
    config: { mediaType: mediaTypes.dockerConfig, ...config },
    layers,
  };
  await using ingest = await content.ingest();
  await ingest.write(Buffer.from(JSON.stringify(manifest)));
  const target: Descriptor = { mediaType: mediaTypes.dockerManifest, ...(await ingest.commit()) };
  const names = (image.RepoTags ?? []).map(nameOf).filter((name) => name !== undefined);
  return names.length === 0 ? [{ target }] : names.map((name) => ({ name, target: { ...target, annotations: nameAnnotations(name) } }));
}

async function layerOf(name: string, archive: Archive, content: ContentStore): Promise<Descriptor> {
  const file = archive.files.get(name);
  if (file === undefined) throw new EngineError("invalidArgument", `layer ${JSON.stringify(name)} not found`);
  const [head] = (await content.open(file.digest).take(1).toArray()) as Buffer[];
  const gzip = head !== undefined && head[0] === 0x1f && head[1] === 0x8b;
  const zstd = head !== undefined && head.length >= 4 && head.readUInt32LE(0) === 0xfd2fb528;
  const mediaType = gzip ? mediaTypes.dockerLayerGzip : zstd ? mediaTypes.dockerLayerZstd : mediaTypes.dockerLayer;
  return { mediaType, digest: file.digest, size: file.size };
}

/** Undefined for what is no reference: the image is loaded all the same, without a name. */
function nameOf(text: string): string | undefined {
  try {
    return normalizedName(withDefaultTag(parseReference(text)));
  } catch {
    return undefined;
  }
}

export function nameAnnotations(name: string): Record<string, string> {
  const ref = parseReference(name);
  return { "io.containerd.image.name": name, "org.opencontainers.image.ref.name": ref.tag ?? ref.digest ?? "" };
}
