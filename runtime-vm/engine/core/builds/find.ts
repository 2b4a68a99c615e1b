import { EngineError, isClass } from "#base/errors.ts";
import { normalizedName, parseReference, withDefaultTag } from "#api/reference.ts";
import { formatPlatform } from "../images/platform.ts";
import type { BaseImage } from "./base.ts";
import type { StageState } from "./state.ts";
import type { BuildWork } from "./work.ts";

/** How a FROM is shown, and its image if that is here by then. */
export interface Found {
  readonly text: string;
  readonly state?: StageState;
}

/** Says what the base images of a build stand for, as BuildKit does before the first step; of each image once. */
export class BaseFinder {
  readonly #work: BuildWork;
  readonly #told = new Set<string>();

  constructor(work: BuildWork) {
    this.#work = work;
  }

  /** Undefined for what is no reference, which fails where it is used. `fetch`: where the registry does not tell, the image is fetched for it. */
  async find(image: BaseImage, fetch: () => Promise<StageState>): Promise<Found | undefined> {
    const whole = wholeName(image.reference);
    if (whole === undefined) return undefined;
    const key = `${whole} ${image.platform === undefined ? "" : formatPlatform(image.platform)}`;
    const watch = this.#told.has(key) ? undefined : this.#work.request.observer.finding(whole);
    this.#told.add(key);
    try {
      const digest = await imageDigest(this.#work, image);
      const state = digest === undefined ? await fetch() : undefined;
      watch?.finished(() => undefined);
      return { text: `FROM ${whole.split("@", 1)[0]}@${digest ?? state?.base}`, ...(state === undefined ? {} : { state }) };
    } catch (error) {
      watch?.failed(error);
      throw error;
    }
  }
}

/** The digest that a reference stands for, here or at its registry; undefined where that does not tell. Makes no image come. Rejects where the registry does not answer at all: it would not answer whoever fetches the image either. */
export async function imageDigest(work: BuildWork, { reference, platform }: BaseImage): Promise<string | undefined> {
  const { images, registries } = work.backends;
  const { pull, auth, signal } = work.request;
  const wanted = platform === undefined ? undefined : formatPlatform(platform);
  const here = pull ? undefined : await images.resolve(reference, wanted).catch(() => undefined);
  if (here !== undefined) return here.id;
  const parsed = parseReference(reference);
  const { domain, path, tag, digest } = parsed.digest === undefined ? withDefaultTag(parsed) : parsed;
  if (digest !== undefined) return digest;
  const found = await registries
    .open(domain, await auth(reference))
    .head(path, tag ?? "", { signal })
    .catch(async (error: unknown) => {
      signal.throwIfAborted();
      if (isSilence(error) && !(await isOfOtherPlatform(work, reference, wanted))) throw missing(wholeName(reference) ?? reference, error);
      return undefined;
    });
  return found?.digest;
}

/** No answer, as opposed to a refusal, has something of this machine as its cause: a name that is not found, a connection that is not made. */
const isSilence = (error: unknown): error is EngineError => isClass(error, "unavailable") && error.cause !== undefined;

/** Whether there is an image here that BuildKit takes when no other can be had. */
async function isOfOtherPlatform({ backends }: BuildWork, reference: string, wanted: string | undefined): Promise<boolean> {
  if (wanted === undefined) return false;
  const other = await backends.images.resolve(reference).catch(() => undefined);
  return other !== undefined;
}

const missing = (name: string, error: EngineError): EngineError =>
  new EngineError("internal", `failed to resolve source metadata for ${name}: failed to do request: ${error.message}`, { cause: error });

/** With registry and tag; undefined for what is no reference. */
export function wholeName(reference: string): string | undefined {
  try {
    const parsed = parseReference(reference);
    return normalizedName(parsed.digest === undefined ? withDefaultTag(parsed) : parsed);
  } catch {
    return undefined;
  }
}
