import { EngineError } from "#base/errors.ts";
import type { ImageConfigFile } from "#api/oci.ts";
import type { Descriptor, Digest } from "../content/content.ts";
import type { Platform } from "./platform.ts";

/** An index of manifests (image-spec image-index.md, and Docker's manifest list). */
export interface IndexDocument {
  readonly manifests: readonly Descriptor[];
}

/** A manifest (image-spec manifest.md, and Docker's schema 2). */
export interface ManifestDocument {
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

export const mediaTypes = {
  ociIndex: "application/vnd.oci.image.index.v1+json",
  ociManifest: "application/vnd.oci.image.manifest.v1+json",
  ociConfig: "application/vnd.oci.image.config.v1+json",
  ociLayer: "application/vnd.oci.image.layer.v1.tar",
  ociLayerGzip: "application/vnd.oci.image.layer.v1.tar+gzip",
  ociLayerZstd: "application/vnd.oci.image.layer.v1.tar+zstd",
  dockerList: "application/vnd.docker.distribution.manifest.list.v2+json",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
  dockerConfig: "application/vnd.docker.container.image.v1+json",
  dockerLayer: "application/vnd.docker.image.rootfs.diff.tar",
  dockerLayerGzip: "application/vnd.docker.image.rootfs.diff.tar.gzip",
  dockerLayerZstd: "application/vnd.docker.image.rootfs.diff.tar.zstd",
} as const;

export const isIndexType = (type: string): boolean => type === mediaTypes.ociIndex || type === mediaTypes.dockerList;
export const isManifestType = (type: string): boolean => type === mediaTypes.ociManifest || type === mediaTypes.dockerManifest;
export const isConfigType = (type: string): boolean => type === mediaTypes.ociConfig || type === mediaTypes.dockerConfig;
export const isLayerType = (type: string): boolean =>
  type.startsWith("application/vnd.oci.image.layer.") || type.startsWith("application/vnd.docker.image.rootfs.");

/** Layers that only their makers may hand out: they are neither pushed nor missed. */
export const isNonDistributable = (type: string): boolean => type.includes(".layer.nondistributable.") || type.includes(".rootfs.foreign.");

/** Rejects (invalidArgument) in dockerd's words what has another number of layers than its config says. */
export function assertMatching({ layers }: ManifestDocument, diffIds: readonly unknown[]): void {
  if (layers.length !== diffIds.length) {
    throw new EngineError("invalidArgument", `number of layers and diffIDs don't match: ${layers.length} != ${diffIds.length}`);
  }
  const strange = layers.find(({ mediaType }) => !isLayerType(mediaType));
  if (strange === undefined) return;
  throw new EngineError("invalidArgument", `mismatched image rootfs and manifest layers: ${strange.digest} is no layer but ${strange.mediaType}`);
}

/** Manifests that speak of another one: provenance, bills of materials. */
export const isAttestation = (descriptor: Descriptor): boolean => descriptor.annotations?.["vnd.docker.reference.type"] === "attestation-manifest";

const digestPattern = /^sha256:[0-9a-f]{64}$/;
const descriptorsMax = 2_000;

/** Reads an index; rejects (invalidArgument) what is none. */
export function parseIndex(bytes: Buffer, digest: Digest): IndexDocument {
  const document = parseJson(bytes, digest);
  return { manifests: descriptors(document["manifests"], digest) };
}

export function parseManifest(bytes: Buffer, digest: Digest): ManifestDocument {
  const document = parseJson(bytes, digest);
  const [config] = descriptors([document["config"]], digest);
  return { config: config!, layers: descriptors(document["layers"], digest) };
}

export function parseJson(bytes: Buffer, digest: Digest): Record<string, unknown> {
  try {
    const document = JSON.parse(bytes.toString("utf8")) as unknown;
    if (typeof document === "object" && document !== null && !Array.isArray(document)) return document as Record<string, unknown>;
  } catch (error) {
    throw new EngineError("invalidArgument", `${digest}: not JSON`, { cause: error });
  }
  throw new EngineError("invalidArgument", `${digest}: not a JSON object`);
}

/** Reads an image's config (image-spec config.md); rejects (invalidArgument) what would lead whoever uses it astray. */
export function parseConfig(bytes: Buffer, digest: Digest): ImageConfigFile {
  const document = parseJson(bytes, digest) as Partial<Record<keyof ImageConfigFile, unknown>>;
  const rootfs = (document.rootfs ?? {}) as { type?: unknown; diff_ids?: unknown };
  const [diffIds, history] = [rootfs.diff_ids ?? [], document.history ?? []];
  const { os = "", architecture = "", variant = "", created, author, config } = document;
  const wrong = Object.entries({
    os: typeof os === "string",
    architecture: typeof architecture === "string",
    variant: typeof variant === "string",
    created: isAbsentOr(created, "string"),
    author: isAbsentOr(author, "string"),
    config: isAbsentOr(config, "object"),
    "rootfs.diff_ids": Array.isArray(diffIds) && diffIds.every((diffId) => typeof diffId === "string" && digestPattern.test(diffId)),
    history: Array.isArray(history) && history.every((step) => typeof step === "object" && step !== null),
  }).find(([, sound]) => !sound);
  if (wrong !== undefined) throw new EngineError("invalidArgument", `image config ${digest}: its ${wrong[0]} is not valid`);
  return { ...document, os, architecture, rootfs: { ...rootfs, type: "layers", diff_ids: diffIds } } as ImageConfigFile;
}

const isAbsentOr = (value: unknown, type: "string" | "object"): boolean => value === undefined || value === null || typeof value === type;
const isMapOfStrings = (value: unknown): boolean =>
  value === undefined || (typeof value === "object" && value !== null && Object.values(value).every((one) => typeof one === "string"));
const isPlatform = (value: Partial<Platform> | undefined): boolean =>
  value === undefined ||
  (typeof value?.os === "string" && typeof value.architecture === "string" && (value.variant === undefined || typeof value.variant === "string"));

function descriptors(value: unknown, digest: Digest): Descriptor[] {
  if (value === null || value === undefined) return [];
  if (!Array.isArray(value) || value.length > descriptorsMax)
    throw new EngineError("invalidArgument", `${digest}: not a list of at most ${descriptorsMax} descriptors`);
  for (const one of value as Partial<Descriptor>[]) {
    const sound =
      typeof one?.mediaType === "string" &&
      typeof one.digest === "string" &&
      digestPattern.test(one.digest) &&
      Number.isSafeInteger(one.size) &&
      one.size! >= 0 &&
      (one.urls === undefined || (Array.isArray(one.urls) && one.urls.every((url) => typeof url === "string"))) &&
      isPlatform(one.platform) &&
      isMapOfStrings(one.annotations);
    if (!sound) throw new EngineError("invalidArgument", `${digest}: a descriptor in it is not valid`);
  }
  return value as Descriptor[];
}
