import type { ImageConfigFile } from "#api/oci.ts";
import { normalizedName, parseReference, withDefaultTag } from "#api/reference.ts";
import { EngineError } from "#base/errors.ts";
import type { BuildResult } from "#core/builds/builds.ts";
import { imagePurl } from "#core/builds/purl.ts";
import type { BuiltLayer, ImageBuilder, LayerCompression } from "#core/images/building.ts";
import { mediaTypes } from "#core/images/manifests.ts";
import { inlineKey, writeCacheConfig } from "./cache-config.ts";
import { Annotations, assemble, type Assembled, type PlatformImage, type Statement } from "./documents.ts";
import { withLayers } from "./sbom.ts";

/** One platform of what was built, and what is to be said of it. */
export interface Built {
  readonly result: BuildResult;
  /** Undefined where none were asked for. */
  readonly statements: readonly Statement[] | undefined;
}

/** Without the statements that only go into a store. */
export function handedOut({ result, statements = [] }: Built): Built {
  const left = statements.filter(({ inlineOnly }) => inlineOnly !== true);
  return { result, statements: left.length === 0 && result.scanned === undefined ? undefined : left };
}

/** References with tags, from an exporter's `name`. */
export function namesOf(attributes: ReadonlyMap<string, string>): string[] {
  return (attributes.get("name") ?? "")
    .split(",")
    .filter((name) => name !== "")
    .map((name) => normalizedName(withDefaultTag(parseReference(name))));
}

const kinds: Readonly<Record<string, LayerCompression>> = { gzip: "gzip", zstd: "zstd", uncompressed: "plain" };

/** How an exporter is told to store layers; undefined where it is not told. */
export function compressionOf(attributes: ReadonlyMap<string, string>): LayerCompression | undefined {
  const text = attributes.get("compression") ?? "";
  if (text === "") return undefined;
  const kind = kinds[text];
  if (kind === undefined) throw new EngineError("invalidArgument", `unsupported layer compression type: ${text}`);
  return kind;
}

export interface Packing {
  readonly names: readonly string[];
  readonly attributes: ReadonlyMap<string, string>;
  readonly compression: LayerCompression;
  readonly epoch: number | undefined;
  readonly inlineCache: boolean;
  readonly signal: AbortSignal;
  readonly tool: string;
  /** Told of every blob that was made for this. */
  readonly made: (layer: BuiltLayer) => void;
}

/** Makes one image of all platforms that were built. */
export async function packed(builder: ImageBuilder, built: readonly Built[], packing: Packing): Promise<Assembled> {
  const images: PlatformImage[] = [];
  for (const { result, statements } of built) {
    const { platform, layers } = result.state;
    const stored: BuiltLayer[] = [];
    for (const layer of layers) {
      const one = await builder.compressed(layer, packing.compression, packing.signal);
      if (one !== layer) packing.made(one);
      stored.push(one);
    }
    const subjects = packing.names.map((name) => imagePurl(name, platform));
    const config = atEpoch(result.state.image().config, packing.epoch);
    const cache = packing.inlineCache ? inlineCache(result.records, stored) : {};
    const telling = statements?.map((one) => withLayers(one, { layersOf: result.layersOf, stored, tool: packing.tool }));
    const told = telling === undefined ? undefined : await Promise.all(telling);
    images.push({ platform, config: { ...config, ...cache }, layers: stored, statements: told, subjects });
  }
  return assemble(images, new Annotations(packing.attributes));
}

function inlineCache(records: BuildResult["records"], stored: readonly BuiltLayer[]): Record<string, string> {
  const config = writeCacheConfig(records, ({ diffId }) => stored.find((one) => one.diffId === diffId));
  return { [inlineKey]: Buffer.from(JSON.stringify(config)).toString("base64") };
}

/** Nothing in it is younger than SOURCE_DATE_EPOCH. */
export function atEpoch(config: ImageConfigFile, epoch: number | undefined): ImageConfigFile {
  if (epoch === undefined) return config;
  const latest = new Date(epoch * 1000).toISOString().replace(".000Z", "Z");
  const clamped = (time: string | undefined): string => (time === undefined || Date.parse(time) > epoch * 1000 ? latest : time);
  return {
    ...config,
    created: clamped(config.created),
    ...(config.history === undefined ? {} : { history: config.history.map((one) => ({ ...one, created: clamped(one.created) })) }),
  };
}

/** What a client is told of an image that it got. */
export function toldOf({ target, images }: Assembled, names: readonly string[]): Record<string, string> {
  const [only] = target.mediaType === mediaTypes.ociManifest ? images : [];
  return {
    ...(only === undefined ? {} : { "containerimage.config.digest": only.config.digest }),
    "containerimage.descriptor": Buffer.from(JSON.stringify({ ...target, ...(only === undefined ? {} : { platform: only.platform }) })).toString("base64"),
    "containerimage.digest": target.digest,
    ...(names.length === 0 ? {} : { "image.name": names.join(",") }),
  };
}
