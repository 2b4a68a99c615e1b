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
