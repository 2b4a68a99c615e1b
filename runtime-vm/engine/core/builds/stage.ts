import { EngineError } from "#base/errors.ts";
import { DockerfileError } from "../dockerfile/errors.ts";
import type { CopyInstruction, Instruction, InstructionOf, Stage } from "../dockerfile/instructions.ts";
import { parseInstruction } from "../dockerfile/parse.ts";
import { readSource } from "../dockerfile/source.ts";
import { nopPrefix } from "./base.ts";
import { cacheKey, epochKey } from "./cache.ts";
import { copyStep } from "./copy-step.ts";
import { layerTar } from "./layer-tar.ts";
import type { StageLabel, StepInfo, StepWatch } from "./request.ts";
import { changeConfig, type ConfigInstruction, workdirOf } from "./run-config.ts";
import { runInstruction } from "./run-step.ts";
import { ownerOf } from "./owner.ts";
import { expanded } from "./scope.ts";
import type { Source } from "./sources.ts";
import type { StageState } from "./state.ts";
import { type LayerItem } from "./layer-tar.ts";
import { resolved, treePath } from "./tree.ts";
import type { BuildWork } from "./work.ts";
import type { BuiltLayer } from "../images/building.ts";

export type StageInstruction = Stage["instructions"][number];

export interface StageRun {
  readonly work: BuildWork;
  readonly state: StageState;
  readonly stage: StageLabel;
  readonly escape: string;
  /** Other stages, images and contexts, by what `--from` says; "" is the build's own context. `mountedAt`: where a step mounts it. */
  readonly sourceOf: (from: string, mountedAt?: string) => Promise<Source>;
  /** Resolves once the stages are built whose files the instruction takes; rejects as they do. */
  readonly ready: (instruction: StageInstruction) => Promise<void>;
  readonly placeOf: (instruction: StageInstruction) => Omit<StepInfo, "stage" | "kind">;
}

/** The error of a step, and where in the Dockerfile it stands. */
export class StepError extends Error {
  readonly instruction: Instruction;
  constructor(instruction: Instruction, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.instruction = instruction;
  }
}

/** Does a stage's instructions, one after another, on its state. */
export async function runStage(run: StageRun, instructions: readonly StageInstruction[]): Promise<void> {
  for (const instruction of instructions) {
    run.work.request.signal.throwIfAborted();
    // A step begins when what it is made from is there: its time is its own.
    await run.ready(instruction);
    const watch = run.work.request.observer.step({ ...run.placeOf(instruction), kind: kindOf(instruction), stage: run.stage });
    try {
      await runOne(run, instruction, watch);
      watch.finished(() => idOf(run));
    } catch (error) {
      watch.failed(error);
      throw error instanceof StepError ? error : new StepError(instruction, error);
    }
  }
}

export const kindOf = ({ kind }: StageInstruction): StepInfo["kind"] => (["run", "copy", "add", "workdir"].includes(kind) ? "layer" : "config");

function idOf({ state, work }: StageRun): ReturnType<typeof work.backends.builder.idOf> {
  return state.base ?? work.backends.builder.idOf(state.image());
}

async function runOne(run: StageRun, instruction: StageInstruction, watch: StepWatch): Promise<void> {
  switch (instruction.kind) {
    case "run":
      return await doRun(run, instruction, watch);
    case "copy":
    case "add":
      return await doCopy(run, instruction, watch);
    case "workdir":
      return await doWorkdir(run, instruction, watch);
    case "arg":
      return await doArg(run, instruction, watch);
    case "env":
    case "label":
    case "user":
    case "maintainer":
    case "stopsignal":
    case "cmd":
    case "entrypoint":
    case "shell":
    case "expose":
    case "volume":
    case "healthcheck":
    case "onbuild":
      return await doConfig(run, instruction, watch);
  }
}

async function doRun({ work, state, stage, escape, sourceOf }: StageRun, instruction: InstructionOf<"run">, watch: StepWatch): Promise<void> {
  const { layer, created, line } = await runInstruction(work, { instruction, state, stage: stage.name, escape, watch, sourceOf });
  state.add(line, created, layer);
}

async function doCopy({ work, state, stage, escape, sourceOf }: StageRun, instruction: CopyInstruction, watch: StepWatch): Promise<void> {
  const from = expanded(instruction.from, state.args.variables(state.config.Env ?? []), escape);
  const source = instruction.sources.length === 0 ? undefined : await sourceOf(from);
  const lineOf = (summary: string): string => copyText(state, instruction, { summary, escape });
  const { line, created, layer } = await copyStep(work, { instruction, state, stage: stage.name, source, escape, watch, lineOf });
  state.add(line, created, layer);
}

function copyText(state: StageState, instruction: CopyInstruction, { summary, escape }: { summary: string; escape: string }): string {
  const { node, chown, chmod } = instruction;
  const word = (text: string): string => expanded(text, state.args.variables(state.config.Env ?? []), escape);
  const flags = [...(chown === "" ? [] : [`--chown=${word(chown)}`]), ...(chmod === "" ? [] : [`--chmod=${word(chmod)}`])];
  if (state.flavor === "classic") return `${nopPrefix(state)}${[node.name, ...flags, summary, "in", word(instruction.destination)].join(" ")} `;
  const sources = [...instruction.sources.map(word), ...instruction.files.map(({ name }) => `<<${name}`)];
  return `${[node.name, ...flags, ...sources, word(instruction.destination)].join(" ")} # buildkit`;
}

async function doWorkdir({ work, state, stage, escape }: StageRun, instruction: InstructionOf<"workdir">, watch: StepWatch): Promise<void> {
  const asked = expanded(instruction.value, state.args.variables(state.config.Env ?? []), escape);
  const path = workdirOf(state.config.WorkingDir, asked);
  const line = `${state.flavor === "classic" ? nopPrefix(state) : ""}WORKDIR ${path}`;
  const step = {
    key: cacheKey("workdir", state.diffIds, path, state.flavor === "buildkit" ? state.config.User : "", ...epochKey(work)),
    stage: stage.name,
    description: instruction.node.original,
    watch,
    told: { state, line },
  };
  const { layer, created } = await work.once(step, () => workdirLayer(work, state, path));
  state.config.WorkingDir = path;
  state.add(line, created, layer);
}

/** The directory and those above it that are not there. */
async function workdirLayer(work: BuildWork, state: StageState, path: string): Promise<BuiltLayer | undefined> {
  const root = await work.roots.tree(state.diffIds);
  const target = resolved(root, treePath(path));
  const above = target.split("/").map((_, i, parts) => parts.slice(0, i + 1).join("/"));
  const blocked = above.find((one) => one !== "" && (root.lstat(one)?.type ?? "directory") !== "directory");
  if (blocked !== undefined) {
    throw new EngineError("invalidArgument", state.flavor === "classic" ? `Cannot mkdir: ${path} is not a directory` : `mkdir ${path}: not a directory`);
  }
  if (target === "" || root.lstat(target) !== undefined) return undefined;
  const user = state.flavor === "buildkit" ? (state.config.User ?? "") : "";
  const owner = user === "" ? { uid: 0, gid: 0 } : await ownerOf(root, user);
  const items = above.map((one): LayerItem => {
    const there = root.lstat(one);
    return { entry: there ?? { path: one, type: "directory", mode: 0o755, uid: owner.uid ?? 0, gid: owner.gid ?? 0, size: 0, mtime: work.now } };
  });
  return await work.backends.builder.writeLayer(layerTar(items), work.request.signal);
}

async function doArg(run: StageRun, instruction: InstructionOf<"arg">, watch: StepWatch): Promise<void> {
  const { state, escape } = run;
  const before = state.args.variables(state.config.Env ?? []);
  const shown = instruction.args.map((arg) => {
    // The classic builder takes all of a line at once, and keeps the default that was written.
    const variables = state.flavor === "classic" ? before : state.args.variables(state.config.Env ?? []);
    const value = state.args.declare(arg, variables, escape);
    const told = state.flavor === "classic" ? (arg.value === undefined ? undefined : expanded(arg.value, before, escape)) : value;
    return told === undefined ? arg.key : `${arg.key}=${told}`;
  });
  await addConfig(run, `ARG ${shown.join(" ")}`, instruction, watch);
}

async function doConfig(run: StageRun, instruction: ConfigInstruction, watch: StepWatch): Promise<void> {
  const { state, escape } = run;
  const change = { config: state.config, commandSet: state.commandSet, variables: state.args.variables(state.config.Env ?? []), escape, flavor: state.flavor };
  if (instruction.kind === "maintainer") state.author = instruction.value;
  const text = changeConfig(change, instruction);
  state.commandSet = change.commandSet;
  // BuildKit's histories do not tell of what is for later.
  if (instruction.kind === "onbuild" && state.flavor === "buildkit") state.base = undefined;
  else await addConfig(run, text, instruction, watch);
}

/** Cached for its time alone: the same steps give the same image. */
async function addConfig({ work, state, stage }: StageRun, text: string, { node }: StageInstruction, watch: StepWatch): Promise<void> {
  const line = state.flavor === "classic" ? `${nopPrefix(state)} ${text}` : text;
  const key = cacheKey("config", state.flavor, state.diffIds, state.history, line, ...epochKey(work));
  const step = { key, description: node.original, told: { state, line } };
  const known = work.request.ignoresCache(stage.name) ? undefined : await work.known(step);
  if (known !== undefined) watch.cached();
  const { created } = known ?? work.keep({ key, kind: "config", description: node.original, created: work.stamp() });
  state.add(line, created);
}

/** ONBUILD's expressions of a base image, as instructions of the stage that stands on it. */
export function triggersOf(state: StageState, escape: string): StageInstruction[] {
  const { OnBuild } = state.config;
  delete state.config.OnBuild;
  return (OnBuild ?? []).map((expression) => {
    const [node] = readSource(escape === "`" ? `# escape=\`\n${expression}` : expression).nodes;
    const instruction = node === undefined ? undefined : parseInstruction(node, escape);
    if (instruction === undefined || instruction.kind === "from") throw new DockerfileError("syntax", `ONBUILD ${expression}: not a trigger`);
    return instruction;
  });
}
