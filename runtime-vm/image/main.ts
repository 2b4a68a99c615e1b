import { parseArgs } from "node:util";
import { EngineError, messageOf } from "#base/errors.ts";
import { defaultMirrors } from "./apt.ts";
import { type Build, engineStage, imageStages, treeStage } from "./stages.ts";
import { type Arch, hostArch } from "./recipe.ts";
import { build, type Stage } from "./stage.ts";

/**
 * `npm run image`: the tool tree, the engine's bundle, and the VM's kernel, initramfs and root image, into
 * runtime-vm/image/out. Each stage is made again only when what it is made from has changed.
 */
const { values: args } = parseArgs({
  options: {
    arch: { type: "string", default: hostArch() },
    /** Stop after this much: `tree`, or `engine` (bundle alone). */
    only: { type: "string" },
    /** Pin the archive's newest packages. */
    update: { type: "boolean", default: false },
    mirror: { type: "string", default: defaultMirrors.debian },
    "security-mirror": { type: "string", default: defaultMirrors.security },
  },
});

const say = (line: string): void => console.log(line);

function parseArch(text: string): Arch {
  if (text !== "amd64" && text !== "arm64") throw new EngineError("invalidArgument", `--arch ${text}: the image is made for amd64 and arm64`);
  return text;
}

async function main(signal: AbortSignal): Promise<void> {
  const arch = parseArch(args.arch);
  const mirrors = { debian: args.mirror, security: args["security-mirror"] };
  const plan: Build = { arch, mirrors, update: args.update, signal, say };
  for (const describe of stagesFor(plan)) await run(describe());
}

function stagesFor(plan: Build): readonly (() => Stage)[] {
  switch (args.only) {
    case "tree":
      return [() => treeStage(plan)];
    case "engine":
      return [() => engineStage(plan)];
    case undefined:
      return imageStages(plan);
    default:
      throw new EngineError("invalidArgument", `--only ${args.only}: tree or engine`);
  }
}

async function run(stage: Stage): Promise<void> {
  const began = performance.now();
  const made = await build(stage);
  say(made ? `${stage.name}: made in ${((performance.now() - began) / 1000).toFixed(1)} s` : `${stage.name}: up to date`);
}

const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => stop.abort(new EngineError("cancelled", `stopped by ${name}`)));
try {
  await main(stop.signal);
} catch (error) {
  console.error(`image: ${messageOf(error)}`);
  process.exitCode = 1;
}
