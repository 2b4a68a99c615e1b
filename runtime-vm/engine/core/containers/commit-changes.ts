import type { ContainerConfig } from "#api/containers.ts";
import { EngineError } from "#base/errors.ts";
import { type ConfigChange, type ConfigInstruction, changeConfig, workdirOf } from "../builds/run-config.ts";
import { expanded, StageArgs } from "../builds/scope.ts";
import { DockerfileError } from "../dockerfile/errors.ts";
import type { InstructionOf } from "../dockerfile/instructions.ts";
import { parseInstruction } from "../dockerfile/parse.ts";
import { readSource } from "../dockerfile/source.ts";

/** Does the lines of `docker commit --change` to a run configuration: the Dockerfile instructions that change one, and no others. */
export function applyChanges(given: ContainerConfig, changes: readonly string[]): ContainerConfig {
  if (changes.length === 0) return given;
  const config = { ...given };
  const noArgs = new StageArgs(new Map(), new Map());
  let commandSet = false;
  const { instructions, escape } = parsed(changes.join("\n"));
  for (const instruction of instructions) {
    const change: ConfigChange = { config, commandSet, variables: noArgs.variables(config.Env ?? []), escape, flavor: "classic" };
    if (instruction.kind === "workdir") config.WorkingDir = workdirOf(config.WorkingDir, expanded(instruction.value, change.variables, escape));
    else changeConfig(change, instruction);
    commandSet = change.commandSet;
  }
  return config;
}

type ChangeInstruction = ConfigInstruction | InstructionOf<"workdir">;
const names = new Set(["CMD", "ENTRYPOINT", "HEALTHCHECK", "ENV", "EXPOSE", "LABEL", "ONBUILD", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"]);

function parsed(text: string): { instructions: readonly ChangeInstruction[]; escape: string } {
  try {
    const { nodes, escape } = readSource(text);
    const other = nodes.find(({ name }) => !names.has(name));
    if (other !== undefined) throw new EngineError("invalidArgument", `${other.written} is not a valid change command`);
    return { instructions: nodes.map((node) => parseInstruction(node, escape) as ChangeInstruction), escape };
  } catch (error) {
    // Which line of which change it was is not told.
    if (error instanceof DockerfileError) throw new EngineError("invalidArgument", error.reason, { cause: error });
    throw error;
  }
}
