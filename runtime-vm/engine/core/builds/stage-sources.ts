import { EngineError } from "#base/errors.ts";
import type { Stage } from "../dockerfile/instructions.ts";
import type { Platform } from "../images/platform.ts";
import { imageState, resultOf, scratchState } from "./base.ts";
import { contextSource } from "./context-source.ts";
import type { BaseFinder } from "./find.ts";
import { StageArgs } from "./scope.ts";
import { layeredSource, type Source } from "./sources.ts";
import { isLater, refuseLater } from "./stage-numbers.ts";
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
    const found = this.#parts.stages.slice(0, index).findLastIndex(({ from }) => from.name !== "" && from.name === name.toLowerCase());
    return found < 0 ? undefined : found;
  }

  /** "": the build's own context. `mountedAt`: where a step mounts it. */
  source(from: string, index: number, mountedAt?: string): Promise<Source> {
    // The same name may mean another stage further down.
    const key = `${from}\0${this.#stageOf(from, index) ?? ""}`;
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
    for (const name of namesIn(stages[index])) {
      const stage = this.#stageOf(name, index);
      if (stage !== undefined) void built(stage);
      else if (!name.includes("$") && !isLater(stages, name, index)) void this.source(name, index);
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

  #stageOf(from: string, index: number): number | undefined {
    const named = this.named(from, index);
    if (named !== undefined || !/^\d+$/.test(from)) return named;
    return Number(from) < index ? Number(from) : undefined;
  }

  async #opened(from: string, index: number, mountedAt: string | undefined): Promise<Source> {
    const { work, stages, platform, built } = this.#parts;
    const { request } = work;
    if (from === "") return contextSource(work, request.context);
    const stage = this.#stageOf(from, index);
    if (stage !== undefined) return this.layered(await built(stage));
    if (request.flavor === "buildkit") refuseLater(stages, { from, index, mountedAt });
    const context = request.named.get(from);
    if (context?.kind === "files") return contextSource(work, context.tree);
    if (context?.kind === "result") return this.layered(resultOf(context.states, request.platform ?? platform));
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
function namesIn(stage: Stage | undefined): string[] {
  const names = (stage?.instructions ?? []).flatMap((one) => {
    if (one.kind === "copy" || one.kind === "add") return [one.from];
    return one.kind === "run" ? one.mounts.map(({ text }) => /(?:^|,)from=([^,]+)/.exec(text)?.[1] ?? "") : [];
  });
  return names.filter((name) => name !== "");
}
