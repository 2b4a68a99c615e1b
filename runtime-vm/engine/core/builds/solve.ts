import { parseReference } from "#api/reference.ts";
import { EngineError, isClass } from "#base/errors.ts";
import type { Instruction, Stage } from "../dockerfile/instructions.ts";
import type { Platform } from "../images/platform.ts";
import { type BaseImage, imageState, otherPlatform, platformArgs, platformFrom, scratchState } from "./base.ts";
import { BaseFinder, type Found } from "./find.ts";
import { checkStageNumbers, targetIndex } from "./stage-numbers.ts";
import { expanded, globalArgs, StageArgs, type Variables } from "./scope.ts";
import { asksFor, type ScanTargets } from "./scan.ts";
import type { Source } from "./sources.ts";
import { StageSources } from "./stage-sources.ts";
import type { StageState } from "./state.ts";
import { runStage, StepError, type StageInstruction, triggersOf, kindOf } from "./stage.ts";
import { contextNamed, contextState, type ContextUse } from "./named-contexts.ts";
import type { NamedContext, StepInfo, StepWatch } from "./request.ts";
import type { BuildWork } from "./work.ts";

/** Builds what the target needs; stages that do not need each other at the same time, unless the flavour is the classic one, which goes by the file. */
export async function solve(work: BuildWork): Promise<Solved> {
  const solver = new Solver(work);
  return { state: await solver.target(), scanTargets: () => solver.scanTargets() };
}

/** The target, built. */
export interface Solved {
  readonly state: StageState;
  /** What a scanner of it is to be shown. */
  readonly scanTargets: () => Promise<ScanTargets>;
}

class Solver {
  readonly #work: BuildWork;
  readonly #stages: readonly Stage[];
  readonly #globals: Variables;
  readonly #target: number;
  readonly #platform: Platform;
  readonly #running = new Map<number, Promise<StageState>>();
  readonly #sources: StageSources;
  readonly #numbers = new Map<Instruction, number>();
  readonly #finder: BaseFinder;
  #total = 0;

  constructor(work: BuildWork) {
    const { request, backends } = work;
    this.#work = work;
    this.#finder = new BaseFinder(work);
    this.#stages = request.dockerfile.stages;
    this.#platform = request.platform ?? backends.host;
    this.#sources = new StageSources({ work, stages: this.#stages, finder: this.#finder, platform: this.#platform, built: (index) => this.#stage(index) });
    this.#target = targetIndex(this.#stages, request.target);
    this.#globals = globalArgs(
      request.dockerfile.globals,
      request.args,
      platformArgs(backends.host, this.#platform, this.#stages[this.#target]?.from.name ?? ""),
      request.source.escape,
    );
    for (const { from, instructions } of this.#stages.slice(0, request.flavor === "classic" ? this.#target + 1 : undefined)) {
      for (const one of [from, ...instructions]) this.#numbers.set(one, request.dockerfile.globals.length + this.#numbers.size + 1);
    }
    this.#total = request.dockerfile.globals.length + this.#numbers.size;
  }

  async target(): Promise<StageState> {
    if (this.#work.request.flavor === "buildkit") checkStageNumbers(this.#stages, this.#work.request.named);
    this.#announceGlobals();
    if (this.#work.request.flavor === "classic") {
      // A name that is used twice is met on the way.
      for (let index = 0; index < this.#target; index += 1) await this.#stage(index);
    }
    const state = await this.#stage(this.#target);
    const { labels } = this.#work.request;
    if (Object.keys(labels).length > 0) state.config.Labels = { ...state.config.Labels, ...labels };
    return state;
  }

  #announceGlobals(): void {
    const { dockerfile, observer } = this.#work.request;
    for (const [i, { node }] of dockerfile.globals.entries()) {
      const stage = { name: "", shown: "" };
      observer.step({ kind: "config", stage, number: i + 1, total: this.#total, place: 0, places: 0, text: node.original }).finished(() => undefined);
    }
  }

  #stage(index: number): Promise<StageState> {
    const known = this.#running.get(index);
    if (known !== undefined) return known;
    const running = this.#build(index);
    this.#running.set(index, running);
    // Whoever needs it hears of its failure; nobody may need it any more.
    running.catch(() => undefined);
    return running;
  }

  async #build(index: number): Promise<StageState> {
    const stage = this.#stages[index];
    if (stage === undefined) throw new EngineError("internal", `there is no stage ${index}`);
    const { from } = stage;
    const { observer, source, flavor } = this.#work.request;
    const instead = contextNamed(this.#work.request, from.name);
    if (instead !== undefined) {
      const args = new StageArgs(this.#work.request.args, this.#globals);
      return await this.#context(instead, index, { name: from.name, asked: this.#work.request.platform, args, watch: undefined });
    }
    if (flavor === "buildkit") this.#sources.begin(index);
    const label = { name: from.name, shown: this.#shown(index) };
    const first = this.#standsOnImage(index, stage) ? 1 : 0;
    const made = stage.instructions.filter((one) => kindOf(one) === "layer");
    const numbers = (one: Instruction): { number: number; total: number } => ({ number: this.#numbers.get(one) ?? 0, total: this.#total });
    const found: Found = flavor === "buildkit" && first === 1 ? await this.#find(index, stage) : { text: from.node.original };
    const watch = observer.step({ kind: "from", stage: label, ...numbers(from), place: first, places: first + made.length, text: found.text });
    let state: StageState;
    try {
      state = found.state ?? (await this.#base(index, stage, watch));
      watch.finished(
        () => state.base ?? (state.layers.length === 0 && state.history.length === 0 ? undefined : this.#work.backends.builder.idOf(state.image())),
      );
    } catch (error) {
      watch.failed(error);
      // A stage that this one stands on has said itself where it failed.
      throw error instanceof StepError ? error : new StepError(from, error);
    }
    const triggers = triggersOf(state, source.escape);
    if (triggers.length > 0) observer.say(`# Executing ${triggers.length} build trigger${triggers.length === 1 ? "" : "s"}`);
    const shown = [...triggers.filter((one) => kindOf(one) === "layer"), ...made];
    const placeOf = (one: StageInstruction): Omit<StepInfo, "stage" | "kind"> => ({
      ...numbers(one),
      place: first + 1 + shown.indexOf(one),
      // Every trigger counts, those too that are not shown.
      places: first + triggers.length + made.length,
      text: `${flavor === "buildkit" && triggers.includes(one) ? "ONBUILD " : ""}${one.node.original}`,
    });
    const sourceOf = (name: string, mountedAt?: string): Promise<Source> => this.#sources.source(name, index, mountedAt);
    const sources = { sourceOf, ready: (one: StageInstruction) => this.#sources.ready(one, index) };
    await runStage({ work: this.#work, state, stage: label, escape: source.escape, ...sources, placeOf }, [...triggers, ...stage.instructions]);
    return state;
  }

  async #find(index: number, stage: Stage): Promise<Found> {
    const { request, backends } = this.#work;
    const { from } = stage;
    const name = this.#word(from, from.base);
    const context = contextNamed(request, name);
    const reference = context === undefined ? name : context.kind === "image" ? context.reference : "";
    const platform = from.platform === "" ? request.platform : platformFrom(this.#word(from, from.platform), backends.host);
    try {
      return (await this.#finder.find({ reference, platform }, () => this.#base(index, stage))) ?? { text: from.node.original };
    } catch (error) {
      throw error instanceof StepError ? error : new StepError(from, unresolved(name, error));
    }
  }

  /** And not on nothing, nor on an earlier stage. */
  #standsOnImage(index: number, { from }: Stage): boolean {
    const name = this.#word(from, from.base);
    return this.#sources.named(name, index) === undefined && name !== "scratch";
  }

  #word(from: Stage["from"], text: string): string {
    try {
      return expanded(text, this.#globals, this.#work.request.source.escape);
    } catch (error) {
      throw new StepError(from, error);
    }
  }

  /** What a stage is called where its steps are shown. */
  #shown(index: number): string {
    return this.#sources.single ? "" : this.#stages[index]?.from.name || `stage-${index}`;
  }

  /** `watch` is told how an image comes. */
  async #base(index: number, { from }: Stage, watch?: StepWatch): Promise<StageState> {
    const { request, backends } = this.#work;
    const name = this.#word(from, from.base);
    if (name === "") throw new EngineError("invalidArgument", `base name (${from.base}) should not be blank`);
    const platform = from.platform === "" ? request.platform : platformFrom(this.#word(from, from.platform), backends.host);
    if (request.flavor === "classic" && from.name !== "" && this.#stages.slice(0, index).some((other) => other.from.name === from.name)) {
      throw new EngineError("invalidArgument", `${from.name} stage name already used`);
    }
    const earlier = this.#sources.named(name, index);
    if (earlier !== undefined) {
      // BuildKit reads it as an image's name all the same.
      if (request.flavor === "buildkit") stageReference(name);
      const base = await this.#stage(earlier);
      return base.next(new StageArgs(request.args, this.#globals, request.flavor === "buildkit" ? base.args : undefined));
    }
    const args = new StageArgs(request.args, this.#globals);
    const context = contextNamed(request, name);
    if (context !== undefined) return await this.#context(context, index, { name, asked: platform, args, watch });
    const expected = platform ?? this.#platform;
    if (name === "scratch") return scratchState(this.#work, expected, args);
    const isOther = (actual: Platform): void => request.warn?.(otherPlatform(name, { actual, expected }, from.node.lines));
    const image = { platform, isOther, ...(watch === undefined ? {} : { pulling: watch.pulling.bind(watch) }) };
    return await this.#image(name, { ...image, reference: name }, args);
  }

  /** What stands for a base image, or for a whole stage. */
  #context(context: NamedContext, index: number, { asked, ...more }: Pick<ContextUse, "name" | "asked" | "args" | "watch">): Promise<StageState> {
    const stage = { name: this.#stages[index]?.from.name ?? "", shown: this.#shown(index) };
    return contextState(this.#work, context, { ...more, asked, platform: asked ?? this.#platform, stage });
  }

  async #image(name: string, image: BaseImage, args: StageArgs): Promise<StageState> {
    try {
      return await imageState(this.#work, image, args);
    } catch (error) {
      if (this.#work.request.flavor === "classic" || !(error instanceof EngineError)) throw error;
      const named = unresolved(name, error);
      if (named !== error) throw named;
      if (isClass(error, "invalidArgument") && error.message.includes("reference")) throw noReference(name, error);
      throw error;
    }
  }

  /** The target, with the context and other stages where an ARG of theirs, or a global one, asks for that (BuildKit's BUILDKIT_SBOM_SCAN_*). */
  async scanTargets(): Promise<ScanTargets> {
    const extras = new Map<string, Source>();
    let ignoresCache = false;
    for (const [index, running] of [...this.#running].toSorted(([a], [b]) => a - b)) {
      const state = await running;
      const asked = (name: string): boolean => asksFor(state.args.value(name) ?? this.#globals.get(name), this.#shown(index));
      const isTarget = index === this.#target;
      if (isTarget && asked("BUILDKIT_SBOM_SCAN_CONTEXT")) extras.set("context", await this.#sources.source("", index));
      const isExtra = !isTarget && asked("BUILDKIT_SBOM_SCAN_STAGE");
      if (isExtra) extras.set(this.#shown(index), this.#sources.layered(state));
      if (isTarget || isExtra) ignoresCache ||= this.#work.request.ignoresCache(this.#stages[index]?.from.name ?? "");
    }
    const core = await this.#stage(this.#target);
    return { platform: core.platform, core: this.#sources.layered(core), extras, ignoresCache };
  }
}

/** Of an image that cannot be had it is said first what the file calls it. */
function unresolved(name: string, error: unknown): unknown {
  if (!(error instanceof EngineError) || !error.message.startsWith("failed to resolve source metadata")) return error;
  return new EngineError(error.class, `${name}: ${error.message}`, { cause: error });
}

const noReference = (name: string, error: Error): EngineError =>
  new EngineError("invalidArgument", `failed to parse stage name ${JSON.stringify(name)}: ${error.message}`, { cause: error });
function stageReference(name: string): void {
  try {
    parseReference(name);
  } catch (error) {
    throw error instanceof EngineError ? noReference(name, error) : error;
  }
}
