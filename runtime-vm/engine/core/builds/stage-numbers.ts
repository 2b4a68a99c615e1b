import { EngineError } from "#base/errors.ts";
import type { Stage } from "../dockerfile/instructions.ts";
import { StepError } from "./stage.ts";

/** Refuses a `COPY --from=NUMBER` that names no stage or its own, in stages that nobody needs too; `named`: contexts of the request, whose names go first. */
export function checkStageNumbers(stages: readonly Stage[], named: ReadonlyMap<string, unknown>): void {
  for (const [index, { from, instructions }] of stages.entries()) {
    for (const one of instructions) {
      if (one.kind !== "copy" || !/^[-+]?\d+$/.test(one.from) || named.has(one.from)) continue;
      const number = Number(one.from);
      if (number < 0 || number >= stages.length) throw new EngineError("invalidArgument", `invalid stage index ${number}`);
      const name = from.name === "" ? `stage-${index}` : from.name;
      if (number === index) throw new StepError(one, new EngineError("invalidArgument", `circular dependency detected on stage: ${name}`));
    }
  }
}

/** The last stage of that name before `index`, which is what `--from` and FROM mean by it; undefined: none. */
export function stageNamed(stages: readonly Stage[], name: string, index: number): number | undefined {
  const found = stages.slice(0, index).findLastIndex(({ from }) => from.name !== "" && from.name === name.toLowerCase());
  return found < 0 ? undefined : found;
}

/** As `stageNamed`, by a number too; mounts know stages by their names alone: a number is an image's. */
export function stageOf(stages: readonly Stage[], { from, index, isMount }: { from: string; index: number; isMount: boolean }): number | undefined {
  const named = stageNamed(stages, from, index);
  if (named !== undefined || isMount || !/^\d+$/.test(from)) return named;
  return Number(from) < index ? Number(from) : undefined;
}

/** The stage that `--target` means: the last one for "". */
export function targetIndex(stages: readonly Stage[], target: string): number {
  if (stages.length === 0) throw new EngineError("invalidArgument", "dockerfile contains no stages to build");
  if (target === "") return stages.length - 1;
  const named = stages.findIndex(({ from }) => from.name === target.toLowerCase());
  const index = named < 0 && /^\d+$/.test(target) ? Number(target) : named;
  if (index < 0 || index >= stages.length) throw new EngineError("invalidArgument", `target stage ${JSON.stringify(target)} could not be found`);
  return index;
}

/** Whether no stage before `index` has this name, but one from there on. */
export const isLater = (stages: readonly Stage[], name: string, index: number): boolean =>
  name !== "" && stages.findIndex(({ from }) => from.name === name.toLowerCase()) >= index;

/** Refuses a copy or, with a target, a mount from a stage that comes later, the own one among them. */
export function refuseLater(stages: readonly Stage[], { from, index, mountedAt }: { from: string; index: number; mountedAt: string | undefined }): void {
  if (!isLater(stages, from, index)) return;
  if (mountedAt !== undefined) {
    const what = `cannot mount from stage ${JSON.stringify(from)} to ${JSON.stringify(mountedAt)}`;
    throw new EngineError("invalidArgument", `${what}, stage needs to be defined before current command`);
  }
  const own = stages[index]?.from.name ?? "";
  throw new EngineError(
    "invalidArgument",
    `cannot copy from stage ${JSON.stringify(from)}, it needs to be defined before current stage ${JSON.stringify(own === "" ? String(index) : own)}`,
  );
}
