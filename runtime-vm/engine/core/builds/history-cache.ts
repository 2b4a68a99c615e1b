import { isClass } from "#base/errors.ts";
import type { BuiltLayer } from "../images/building.ts";
import { formatPlatform } from "../images/platform.ts";
import { imageState } from "./base.ts";
import { StageArgs } from "./scope.ts";
import type { StageState } from "./state.ts";
import type { BuildWork } from "./work.ts";

/** A step as the history would tell of it, and what it is done on. */
export interface ToldStep {
  readonly state: StageState;
  readonly line: string;
}

/**
 * `--cache-from` of the classic builder: images that are here count as a cache by their histories. A step is done where one of them tells the
 * same up to it and has the same layers. Those that are not here are passed over, as dockerd does.
 */
export class HistoryCache {
  readonly #work: BuildWork;
  readonly #images: Promise<readonly StageState[]>;

  constructor(work: BuildWork, references: readonly string[]) {
    this.#work = work;
    this.#images = Promise.all(references.map((reference) => this.#image(reference))).then((all) => all.filter((one) => one !== undefined));
    this.#images.catch(() => undefined);
  }

  async find({ state, line }: ToldStep): Promise<{ readonly created: string; readonly layer?: BuiltLayer } | undefined> {
    for (const image of await this.#images) {
      const { created, created_by, empty_layer } = image.history[state.history.length] ?? {};
      if (created_by !== line || !standsOn(image, state)) continue;
      const layer = empty_layer === true ? undefined : image.layers[state.layers.length];
      if (layer !== undefined && !this.#work.backends.builder.hasLayer(layer)) continue;
      return { created: created ?? this.#work.stamp(), ...(layer === undefined ? {} : { layer }) };
    }
    return undefined;
  }

  async #image(reference: string): Promise<StageState | undefined> {
    const { request, backends } = this.#work;
    const { platform } = request;
    try {
      await backends.images.resolve(reference, platform === undefined ? undefined : formatPlatform(platform));
    } catch (error) {
      if (isClass(error, "notFound") || isClass(error, "invalidArgument")) return undefined;
      throw error;
    }
    return await imageState(this.#work, { reference, platform }, new StageArgs(new Map(), new Map()));
  }
}

function standsOn(image: StageState, { history, diffIds }: StageState): boolean {
  const same = history.every(({ created_by = "", empty_layer }, i) => {
    const other = image.history[i];
    return created_by === (other?.created_by ?? "") && empty_layer === other?.empty_layer;
  });
  return same && diffIds.every((diffId, i) => image.diffIds[i] === diffId);
}
