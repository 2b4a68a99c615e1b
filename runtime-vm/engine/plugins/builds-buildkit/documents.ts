import { createHash } from "node:crypto";
import type { ImageConfigFile } from "#api/oci.ts";
import type { Descriptor, Digest } from "#core/content/content.ts";
import type { BuiltLayer, ImageDocument } from "#core/images/building.ts";
import { mediaTypes } from "#core/images/manifests.ts";
import { formatPlatform, type Platform } from "#core/images/platform.ts";

/** What is said of an image in in-toto's form. */
export interface Statement {
  /** Of the file that it is in a directory. */
  readonly name: string;
  /** Goes only with images into a store. */
  readonly inlineOnly?: boolean;
  readonly predicateType: string;
  readonly predicate: unknown;
}

/** The image of one platform, with what is said of it. */
export interface PlatformImage {
  readonly platform: Platform;
  readonly config: ImageConfigFile;
  readonly layers: readonly BuiltLayer[];
  /** Undefined where none were asked for. */
  readonly statements: readonly Statement[] | undefined;
  /** Names of the statements' subject, as package URLs. */
  readonly subjects: readonly string[];
}

/** An image's documents, children before what leads to them. */
export interface Assembled {
  readonly target: Descriptor;
  readonly documents: readonly ImageDocument[];
  readonly layers: readonly Descriptor[];
  readonly images: readonly AssembledImage[];
}

interface AssembledImage {
  readonly platform: Platform;
  readonly manifest: Descriptor;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  /** What leads to the statements about it. */
  readonly attestation?: Descriptor;
  readonly attestations: readonly Descriptor[];
}

const statementMediaType = "application/vnd.in-toto+json";
export const statementType = "https://in-toto.io/Statement/v0.1";

/** One platform without statements is its manifest; everything else an index. */
export function assemble(images: readonly PlatformImage[], annotations: Annotations): Assembled {
  const documents: ImageDocument[] = [];
  const add = (mediaType: string, value: unknown): Descriptor => {
    const bytes = Buffer.from(JSON.stringify(value));
    const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length };
    documents.push({ descriptor, bytes });
    return descriptor;
  };
  const made = images.map((image) => {
    const config = add(mediaTypes.ociConfig, image.config);
    const own = annotations.of("manifest", image.platform);
    const layers = image.layers.map(({ blob }) => blob);
    const manifest = add(mediaTypes.ociManifest, { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers, ...own });
    const descriptor = { ...manifest, ...annotations.of("manifest-descriptor", image.platform), platform: image.platform };
    return { image, config, manifest, descriptor };
  });
  const attested = made.map(({ image: { statements, subjects }, manifest }) =>
    statements === undefined ? undefined : attestation(statements, { subjects, digest: manifest.digest, add }),
  );
  const layers = [...new Map(images.flatMap((image) => image.layers).map(({ blob }) => [blob.digest, blob])).values()];
  const told = made.map(({ image, config, manifest }, i) => ({
    platform: image.platform,
    manifest,
    config,
    layers: image.layers.map(({ blob }) => blob),
    ...(attested[i] === undefined ? {} : { attestation: attested[i].manifest }),
    attestations: attested[i]?.statements ?? [],
  }));
  const [first] = made;
  if (made.length === 1 && first !== undefined && attested[0] === undefined) {
    return { target: first.manifest, documents, layers, images: told };
  }
  const manifests = [...made.map(({ descriptor }) => descriptor), ...attested.flatMap((one) => one?.manifest ?? [])];
  const target = add(mediaTypes.ociIndex, { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests, ...annotations.of("index") });
  return { target, documents, layers, images: told };
}

interface Subject {
  readonly subjects: readonly string[];
  readonly digest: Digest;
  readonly add: (mediaType: string, value: unknown) => Descriptor;
}

function attestation(statements: readonly Statement[], { subjects, digest, add }: Subject): { manifest: Descriptor; statements: readonly Descriptor[] } {
  const subject = (subjects.length === 0 ? ["_"] : subjects).map((name) => ({ name, digest: { sha256: digest.slice("sha256:".length) } }));
  const layers = statements.map(({ predicateType, predicate }) => ({
    ...add(statementMediaType, { _type: statementType, predicateType, subject, predicate }),
    annotations: { "in-toto.io/predicate-type": predicateType },
  }));
  const unknown = { architecture: "unknown", os: "unknown" };
  const config = add(mediaTypes.ociConfig, { ...unknown, config: {}, rootfs: { type: "layers", diff_ids: layers.map((layer) => layer.digest) } });
  const manifest = add(mediaTypes.ociManifest, { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers });
  const annotations = { "vnd.docker.reference.digest": digest, "vnd.docker.reference.type": "attestation-manifest" };
  return { manifest: { ...manifest, annotations, platform: unknown }, statements: layers };
}

const digestOf = (bytes: Buffer): Digest => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

type Level = "manifest" | "manifest-descriptor" | "index" | "index-descriptor";

/** `--annotation`, as exporters are told: `annotation[-LEVEL][\[PLATFORM\]].KEY`. */
export class Annotations {
  readonly #given: readonly { readonly level: string; readonly platform: string; readonly key: string; readonly value: string }[];

  constructor(attributes: ReadonlyMap<string, string>) {
    this.#given = [...attributes].flatMap(([name, value]) => {
      const match = /^annotation(?:-(manifest|manifest-descriptor|index|index-descriptor))?(?:\[([^\]]+)\])?\.(.+)$/.exec(name);
      return match === null ? [] : [{ level: match[1] ?? "manifest", platform: match[2] ?? "", key: match[3] ?? "", value }];
    });
  }

  /** To be put into a document. */
  of(level: Level, platform?: Platform): { annotations?: Record<string, string> } {
    const here = platform === undefined ? "" : formatPlatform(platform);
    const own = this.#given.filter((one) => one.level === level && (one.platform === "" || one.platform === here));
    return own.length === 0 ? {} : { annotations: Object.fromEntries(own.map(({ key, value }) => [key, value])) };
  }
}
