import { EngineError } from "#base/errors.ts";
import type { Instruction, Stage } from "../dockerfile/instructions.ts";
import type { Platform } from "../images/platform.ts";
import { imageState, scratchState } from "./base.ts";
import { contextSource } from "./context-source.ts";
import type { BaseFinder } from "./find.ts";
import { contextNamed, layoutState, resultOf } from "./named-contexts.ts";
import { StageArgs } from "./scope.ts";
import { layeredSource, type Source } from "./sources.ts";
import { isLater, refuseLater, stageNamed, stageOf } from "./stage-numbers.ts";
import type { StageState } from "./state.ts";
import type { BuildWork } from "./work.ts";

interface SourceParts {
  readonly work: BuildWork;
  readonly stages: readonly Stage[];
  readonly finder: BaseFinder;
  readonly platform: Platform;
  /** Builds a stage, once. */
  readonly built: (index: number) => Promise<StageState>;
}

const noArgs = (): StageArgs => new StageArgs(new Map(), new Map());

/** What `--from` of a build's instructions stands for, each opened once: another stage, a context or an image. */
export class StageSources {
  readonly #parts: SourceParts;
  readonly #open = new Map<string, Promise<Source>>();

  constructor(parts: SourceParts) {
    this.#parts = parts;
  }

  /** The last stage of that name before `index`. */
  named(name: string, index: number): number | undefined {
    return stageNamed(this.#parts.stages, name, index);
  }

  /** "": the build's own context. `mountedAt`: where a step mounts it. */
  source(from: string, index: number, mountedAt?: string): Promise<Source> {
    // The same name may mean another stage further down.
    const key = `${from}\0${this.#stageOf(from, index, mountedAt !== undefined) ?? ""}`;
    const known = this.#open.get(key);
    if (known !== undefined) return known;
    const source = this.#opened(from, index, mountedAt);
    this.#open.set(key, source);
    source.catch(() => undefined);
    return source;
  }

  /** Stages and images that a stage copies from or mounts: they begin with it, not when their turn comes. */
  begin(index: number): void {
    const { stages, built } = this.#parts;
    for (const { name, mountedAt } of namesIn(stages[index])) {
      const stage = this.#stageOf(name, index, mountedAt !== undefined);
      if (stage !== undefined) void built(stage);
      else if (!name.includes("$") && !isLater(stages, name, index)) void this.source(name, index, mountedAt);
    }
  }

  /** Resolves once the stages are built that an instruction of this one copies from or mounts; rejects as they do. */
  async ready(instruction: Instruction, index: number): Promise<void> {
    for (const { name, mountedAt } of namesOf(instruction)) {
      const stage = this.#stageOf(name, index, mountedAt !== undefined);
      if (stage !== undefined) await this.#parts.built(stage);
    }
  }

  /** Whether there is anything but the file's only stage, which needs no name then. */
  get single(): boolean {
    const { stages } = this.#parts;
    return stages.length === 1 && namesIn(stages[0]).length === 0;
  }

  layered(state: StageState): Source {
    return layeredSource(state.diffIds, (layers) => this.#parts.work.roots.tree(layers));
  }

  #stageOf(from: string, index: number, isMount: boolean): number | undefined {
    return stageOf(this.#parts.stages, { from, index, isMount });
  }

  async #opened(from: string, index: number, mountedAt: string | undefined): Promise<Source> {
    const { work, stages, platform, built } = this.#parts;
    const { request } = work;
    if (from === "") return contextSource(work, request.context);
    const stage = this.#stageOf(from, index, mountedAt !== undefined);
    if (stage !== undefined) return this.layered(await built(stage));
    if (request.flavor === "buildkit") refuseLater(stages, { from, index, mountedAt });
    const context = contextNamed(request, from);
    if (context?.kind === "files") return contextSource(work, context.tree);
    if (context?.kind === "result") return this.layered(resultOf(context.states, request.platform ?? platform));
    if (context?.kind === "layout") return this.layered(await layoutState(work, await context.image(request.platform ?? platform), noArgs()));
    if (from === "scratch") return this.layered(scratchState(work, platform, noArgs()));
    return this.layered(await this.#image(from, context?.reference ?? from));
  }

  async #image(from: string, reference: string): Promise<StageState> {
    const { work, finder } = this.#parts;
    const { flavor, platform, observer } = work.request;
    const image = { reference, platform };
    try {
      const found = flavor === "buildkit" ? await finder.find(image, () => imageState(work, image, noArgs())) : undefined;
      const watch = observer.beside(found?.text ?? `FROM ${reference}`);
      const state = found?.state ?? (await imageState(work, { ...image, pulling: (message) => watch.pulling(message) }, noArgs()));
      watch.finished(() => state.base);
      return state;
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      const said = flavor === "buildkit" ? `${from}: ${error.message}` : `invalid from flag value ${from}: ${error.message}`;
      throw new EngineError(flavor === "buildkit" ? error.class : "invalidArgument", said, { cause: error });
    }
  }
}

/** What a stage's COPY, ADD and mounts name. */
const namesIn = (stage: Stage | undefined): { name: string; mountedAt?: string }[] => (stage?.instructions ?? []).flatMap(namesOf);

/** What an instruction takes files from, by the names that it gives. */
export function namesOf(one: Instruction): { name: string; mountedAt?: string }[] {
  const mounted = one.kind === "run" ? one.mounts.map(({ text }) => ({ name: field("from", text), mountedAt: field("target", text) })) : [];
  const named = one.kind === "copy" || one.kind === "add" ? [{ name: one.from }] : mounted;
  return named.filter(({ name }) => name !== "");
}

const field = (name: string, text: string): string => new RegExp(`(?:^|,)${name}=([^,]+)`).exec(text)?.[1] ?? "";
