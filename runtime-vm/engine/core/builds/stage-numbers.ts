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

/** Refuses a copy from a stage that comes later, the own one among them. */
export function refuseLater(stages: readonly Stage[], from: string, index: number): void {
  const later = stages.findIndex((stage, i) => i >= index && stage.from.name !== "" && stage.from.name === from.toLowerCase());
  if (later < 0) return;
  const own = stages[index]?.from.name ?? "";
  throw new EngineError(
    "invalidArgument",
    `cannot copy from stage ${JSON.stringify(from)}, it needs to be defined before current stage ${JSON.stringify(own === "" ? String(index) : own)}`,
  );
}
