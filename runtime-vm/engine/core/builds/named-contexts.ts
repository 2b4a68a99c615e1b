import { familiarName, parseReference } from "#api/reference.ts";
import { EngineError } from "#base/errors.ts";
import { formatPlatform, type Platform } from "../images/platform.ts";
import { imageState, scratchState, stateOf } from "./base.ts";
import { cacheKey } from "./cache.ts";
import { contextLayer, contextSource } from "./context-source.ts";
import type { BuildRequest, LayoutImage, NamedContext, StageLabel, StepWatch } from "./request.ts";
import type { StageArgs } from "./scope.ts";
import type { StageState } from "./state.ts";
import type { BuildWork } from "./work.ts";

/** The context that a Dockerfile means by `name`, an image's name in whichever of its forms. */
export function contextNamed({ named }: BuildRequest, name: string): NamedContext | undefined {
  return name === "" || named.size === 0 ? undefined : (named.get(name) ?? named.get(familiar(name)));
}

/** As the stock clients write it: without what goes without saying. */
function familiar(name: string): string {
  try {
    return familiarName(parseReference(name)).replace(/:latest$/, "");
  } catch {
    return name;
  }
}

/** How a build uses a context for a stage, or for what a stage stands on. */
export interface ContextUse {
  readonly name: string;
  /** As FROM asks for it. */
  readonly asked: Platform | undefined;
  readonly platform: Platform;
  readonly stage: StageLabel;
  readonly args: StageArgs;
  /** Undefined: nobody watches, and it is shown by a line of its own. */
  readonly watch: StepWatch | undefined;
}

/** A stage that begins with a context. */
export async function contextState(work: BuildWork, context: NamedContext, use: ContextUse): Promise<StageState> {
  if (use.watch !== undefined) return await begun(work, context, { ...use, watch: use.watch });
  const watch = work.request.observer.beside(`FROM ${use.name}`);
  try {
    const state = await begun(work, context, { ...use, watch });
    watch.finished(() => state.base);
    return state;
  } catch (error) {
    watch.failed(error);
    throw error;
  }
}

type Watched = ContextUse & { readonly watch: StepWatch };

async function begun(work: BuildWork, context: NamedContext, use: Watched): Promise<StageState> {
  switch (context.kind) {
    case "image":
      return await imageState(work, { reference: context.reference, platform: use.asked, pulling: (message) => use.watch.pulling(message) }, use.args);
    case "result":
      return resultOf(context.states, use.platform).next(use.args);
    case "layout":
      return await layoutState(work, await context.image(use.platform), use.args);
    case "files":
      return await filesState(work, context.tree, use);
  }
}

/** An image of a layout, its layers brought here. */
export async function layoutState(work: BuildWork, image: LayoutImage, args: StageArgs): Promise<StageState> {
  const state = stateOf(work, image, args);
  work.materials.set(image.material.uri, image.material);
  for (const layer of state.layers) await work.backends.builder.adopt(layer, () => image.open(layer.blob.digest), work.request.signal);
  return state;
}

/** The files of a context as an image that has nothing else. */
async function filesState(work: BuildWork, tree: Parameters<typeof contextSource>[1], { name, stage, platform, args, watch }: Watched): Promise<StageState> {
  const state = scratchState(work, platform, args);
  const line = `local source for ${name}`;
  const source = contextSource(work, tree);
  const key = cacheKey("files", await source.key("."), work.request.epoch ?? "");
  const made = await work.once({ key, stage: stage.name, description: line, watch, told: { state, line } }, () => contextLayer(work, source));
  state.add(line, made.created, made.layer);
  return state;
}

/** Of another build's results the one for this platform; where there is only one, that one. */
export function resultOf(states: readonly StageState[], platform: Platform): StageState {
  const found = states.length === 1 ? states[0] : states.find((state) => formatPlatform(state.platform) === formatPlatform(platform));
  if (found === undefined) throw new EngineError("notFound", `no result of the other build for platform ${formatPlatform(platform)}`);
  return found;
}
