import type { ImageConfigFile } from "#api/oci.ts";
import type { Descriptor, Digest } from "../content/content.ts";
import type { BuiltLayer } from "../images/building.ts";
import type { Platform } from "../images/platform.ts";
import type { Flavor, RunConfig } from "./run-config.ts";
import type { StageArgs } from "./scope.ts";

export interface HistoryEntry {
  readonly created?: string;
  readonly created_by: string;
  readonly comment?: string;
  readonly author?: string;
  readonly empty_layer?: true;
}

/** What a stage has come to: an image that is not registered yet. */
export class StageState {
  readonly platform: Platform;
  readonly flavor: Flavor;
  config: RunConfig = {};
  layers: readonly BuiltLayer[] = [];
  history: readonly (HistoryEntry | NonNullable<ImageConfigFile["history"]>[number])[] = [];
  author = "";
  /** When the newest of its own steps ran. */
  created: string | undefined;
  args: StageArgs;
  commandSet = false;
  /** The image it stands on, as it is; undefined once anything was added. */
  base: Digest | undefined;

  constructor(platform: Platform, flavor: Flavor, args: StageArgs) {
    this.platform = platform;
    this.flavor = flavor;
    this.args = args;
  }

  get diffIds(): readonly Digest[] {
    return this.layers.map(({ diffId }) => diffId);
  }

  /** A stage that begins where this one has ended. */
  next(args: StageArgs): StageState {
    const state = new StageState(this.platform, this.flavor, args);
    state.config = structuredClone(this.config);
    state.layers = this.layers;
    state.history = this.history;
    state.author = this.author;
    state.created = this.created;
    state.base = this.base;
    return state;
  }

  /** One more line of history, with a layer or without. */
  add(text: string, created: string, layer?: BuiltLayer): void {
    const comment = this.flavor === "buildkit" ? { comment: "buildkit.dockerfile.v0" } : {};
    const author = this.author === "" ? {} : { author: this.author };
    this.history = [...this.history, { created, created_by: text, ...comment, ...author, ...(layer === undefined ? { empty_layer: true as const } : {}) }];
    if (layer !== undefined) this.layers = [...this.layers, layer];
    this.created = created;
    this.base = undefined;
  }

  image(): { config: ImageConfigFile; layers: readonly Descriptor[] } {
    const { architecture, os, variant } = this.platform;
    const config: ImageConfigFile = {
      ...(this.created === undefined ? {} : { created: this.created }),
      ...(this.author === "" ? {} : { author: this.author }),
      architecture,
      ...(variant === undefined ? {} : { variant }),
      os,
      config: this.config,
      rootfs: { type: "layers", diff_ids: this.diffIds },
      history: this.history,
    };
    return { config, layers: this.layers.map(({ blob }) => blob) };
  }
}
