import type { Readable } from "node:stream";
import { EngineError, isClass } from "#base/errors.ts";
import type { ImageReference } from "#api/reference.ts";
import type { Descriptor } from "../content/content.ts";
import { isConfigType, isIndexType, parseIndex, parseJson, parseManifest } from "../images/manifests.ts";
import type { RegistryReader } from "./registry.ts";

/** `GET /distribution/{name}/json`. */
export interface DistributionInspect {
  readonly Descriptor: Pick<Descriptor, "mediaType" | "digest" | "size">;
  readonly Platforms: readonly object[] | null;
}

const configBytesMax = 8 * 1024 * 1024;

/** What a registry has under a name, and for which platforms, without pulling it. */
export async function inspectDistribution(reader: RegistryReader, ref: ImageReference, opts: { signal: AbortSignal }): Promise<DistributionInspect> {
  const { descriptor, bytes } = await reader.manifest(ref.path, ref.digest ?? ref.tag!, opts);
  if (isIndexType(descriptor.mediaType)) {
    const platforms = parseIndex(bytes, descriptor.digest).manifests.map(({ platform }) => platform);
    return { Descriptor: descriptor, Platforms: platforms.filter((platform) => platform !== undefined) };
  }
  const { config } = parseManifest(bytes, descriptor.digest);
  const platform = isConfigType(config.mediaType) && config.size <= configBytesMax ? await platformOf(reader, ref, config, opts) : undefined;
  return { Descriptor: descriptor, Platforms: platform === undefined ? null : [platform] };
}

async function platformOf(reader: RegistryReader, ref: ImageReference, config: Descriptor, opts: { signal: AbortSignal }): Promise<object | undefined> {
  try {
    const { body } = await reader.blob(ref.path, config.digest, { offset: 0, ...opts });
    const document = parseJson(await bytesOf(body, config), config.digest);
    const platform = Object.fromEntries(
      ["architecture", "os", "os.version", "os.features", "variant"].flatMap((key) => (document[key] ? [[key, document[key]]] : [])),
    );
    return platform["os"] === undefined && platform["architecture"] === undefined ? undefined : platform;
  } catch (error) {
    opts.signal.throwIfAborted();
    if (isClass(error, "notFound") || isClass(error, "invalidArgument")) return undefined;
    throw error;
  }
}

async function bytesOf(body: Readable, { digest, size }: Descriptor): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let left = size;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    left -= chunk.length;
    if (left < 0) throw new EngineError("invalidArgument", `the registry sent more than the ${size} bytes of ${digest}`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
