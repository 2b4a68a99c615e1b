import type { PullProgress } from "#api/images.ts";
import type { ImageConfigFile } from "#api/oci.ts";
import { EngineError, isClass, messageOf } from "#base/errors.ts";
import { normalizedName, parseReference, withDefaultTag } from "#api/reference.ts";
import type { Digest } from "../content/content.ts";
import type { ResolvedImage } from "../images/images.ts";
import type { CheckWarning } from "../dockerfile/check.ts";
import { formatPlatform, normalized, parsePlatform, type Platform } from "../images/platform.ts";
import { imagePurl } from "./purl.ts";
import { shellOf } from "./run-config.ts";
import type { LayoutImage } from "./request.ts";
import type { StageArgs } from "./scope.ts";
import { StageState } from "./state.ts";
import type { BuildWork } from "./work.ts";

const defaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Nothing at all, for `FROM scratch`. */
export function scratchState({ request }: BuildWork, platform: Platform, args: StageArgs): StageState {
  const state = new StageState(platform, request.flavor, args);
  state.config = request.flavor === "buildkit" ? { Env: [defaultPath], WorkingDir: "/" } : { Env: [defaultPath] };
  return state;
}

/** An image to stand on or to copy from. */
export interface BaseImage {
  readonly reference: string;
  readonly platform: Platform | undefined;
  /** Told how it comes. */
  readonly pulling?: (message: PullProgress) => void;
  /** Told of which other platform it is, where none of the wanted one can be had. */
  readonly isOther?: (platform: Platform) => void;
}

/** An image that is here, or that the registry has. */
export async function imageState(work: BuildWork, base: BaseImage, args: StageArgs): Promise<StageState> {
  const { reference } = base;
  const image = await baseImage(work, base);
  const uri = imagePurl(reference, platformOf(image.config));
  work.materials.set(uri, { uri, digest: { sha256: image.id.slice("sha256:".length) } });
  const state = stateOf(work, { config: image.config, layers: await work.backends.builder.layersOf(image.manifest) }, args);
  state.base = image.id;
  return state;
}

/** What stands on an image that is described so. */
export function stateOf(work: BuildWork, { config, layers }: Pick<LayoutImage, "config" | "layers">, args: StageArgs): StageState {
  const diffIds = config.rootfs.diff_ids as readonly Digest[];
  const state = new StageState(platformOf(config), work.request.flavor, args);
  state.config = structuredClone(config.config ?? {}) as StageState["config"];
  if (work.request.flavor === "buildkit" && !(state.config.Env ?? []).some((entry) => entry.startsWith("PATH="))) {
    state.config.Env = [defaultPath, ...(state.config.Env ?? [])];
  }
  state.layers = diffIds.flatMap((diffId, i) => {
    const blob = layers[i];
    return blob === undefined ? [] : [{ diffId, blob }];
  });
  state.history = config.history ?? [];
  state.author = config.author ?? "";
  state.created = config.created;
  return state;
}

/** What an image was made for. */
export function platformOf({ architecture, os, variant }: ImageConfigFile): Platform {
  return { architecture, os, ...(variant ? { variant } : {}) };
}

async function baseImage(work: BuildWork, { reference, platform, pulling, isOther }: BaseImage): Promise<ResolvedImage> {
  const { images } = work.backends;
  const wanted = platform === undefined ? undefined : formatPlatform(platform);
  if (!work.request.pull) {
    try {
      return await images.resolve(reference, wanted);
    } catch (error) {
      if (!isClass(error, "notFound")) throw error;
    }
  }
  // Refuses what is no reference before anybody is asked.
  const parsed = parseReference(reference);
  // Without a tag every one of them would be pulled.
  const source = normalizedName(parsed.digest === undefined ? withDefaultTag(parsed) : parsed);
  const { auth, signal } = work.request;
  const given = await auth(reference);
  const messages = images.pull({
    reference: source,
    signal,
    ...(wanted === undefined ? {} : { platform: wanted }),
    ...(given === undefined ? {} : { auth: given }),
  });
  try {
    for await (const message of messages) {
      if (message.error !== undefined) throw new EngineError("notFound", message.error);
      pulling?.(message);
    }
  } catch (error) {
    signal.throwIfAborted();
    // BuildKit takes what is here of another platform rather than nothing.
    const other = work.request.flavor === "buildkit" && wanted !== undefined ? await images.resolve(reference).catch(() => undefined) : undefined;
    if (other === undefined) throw work.request.flavor === "buildkit" ? missing(source, error) : error;
    isOther?.(platformOf(other.config));
    return other;
  }
  return await images.resolve(reference, wanted);
}

/** BuildKit's words for an image that cannot be had. */
function missing(name: string, error: unknown): unknown {
  if (!(error instanceof EngineError)) return error;
  const why = error.message.replace(/^failed to resolve reference "[^"]*": /, "");
  return new EngineError(error.class, `failed to resolve source metadata for ${name}: ${why}`, { cause: error });
}

/** What to say of a base image that could be had for another platform only. */
export function otherPlatform(name: string, { actual, expected }: { actual: Platform; expected: Platform }, lines: CheckWarning["lines"]): CheckWarning {
  const [is, wanted] = [actual, expected].map((one) => JSON.stringify(formatPlatform(one)));
  return { rule: "InvalidBaseImagePlatform", detail: `Base image ${name} was pulled with platform ${is}, expected ${wanted} for current build`, lines };
}

/** `--platform` of a FROM. */
export function platformFrom(text: string, host: Platform): Platform {
  try {
    return parsePlatform(text, host);
  } catch (error) {
    throw new EngineError("invalidArgument", `failed to parse platform ${text}: ${messageOf(error)}`, { cause: error });
  }
}

/** TARGETPLATFORM and its kin. */
export function platformArgs(host: Platform, target: Platform, stage: string): Map<string, string> {
  const of = (prefix: string, platform: Platform): [string, string][] => {
    const { os, architecture, variant = "" } = normalized(platform);
    return [
      [`${prefix}PLATFORM`, formatPlatform(normalized(platform))],
      [`${prefix}OS`, os],
      [`${prefix}OSVERSION`, ""],
      [`${prefix}ARCH`, architecture],
      [`${prefix}VARIANT`, variant],
    ];
  };
  return new Map([...of("BUILD", host), ...of("TARGET", target), ["TARGETSTAGE", stage === "" ? "default" : stage]]);
}

/** What a command of the history stands behind. */
export const nopPrefix = (state: StageState): string => `${shellOf(state.config).join(" ")} #(nop) `;
