import { writeFileSync } from "node:fs";
import { EngineError, isClass } from "#base/errors.ts";
import { usersAreMapped } from "../containers/mapped-users.ts";
import { heredocText } from "../dockerfile/heredoc.ts";
import type { RunInstruction } from "../dockerfile/instructions.ts";
import type { BuiltLayer } from "../images/building.ts";
import type { SpecMount } from "../specs/builder.ts";
import type { SourcedMount } from "./cache-mounts.ts";
import { cacheKey, epochKey } from "./cache.ts";
import { parseMount, type StepMount } from "./mount-flags.ts";
import type { StepWatch } from "./request.ts";
import { RunFailed, runStep } from "./run.ts";
import { commandWords, lineOf } from "./run-config.ts";
import { entryName, expanded, isProxyArg } from "./scope.ts";
import type { Source } from "./sources.ts";
import type { StageState } from "./state.ts";
import { mountKey, openMounts } from "./step-mounts.ts";
import type { BuildWork } from "./work.ts";

export interface RunStep {
  readonly instruction: RunInstruction;
  readonly state: StageState;
  readonly stage: string;
  readonly escape: string;
  readonly watch: StepWatch;
  /** Another stage, image or context, for mounts. */
  readonly sourceOf: RunSources;
}

export interface Ran {
  readonly layer: BuiltLayer | undefined;
  readonly created: string;
  /** What the history tells: its arguments, then the command. */
  readonly line: string;
}

type RunSources = (from: string, mountedAt: string) => Promise<Source>;

export async function runInstruction(work: BuildWork, { instruction, state, stage, escape, watch, sourceOf }: RunStep): Promise<Ran> {
  const { config } = state;
  const variables = state.args.variables(config.Env ?? []);
  const mounts = await Promise.all(instruction.mounts.map(async ({ text }) => await withTree(parseMount(expanded(text, variables, escape)), sourceOf)));
  if (state.flavor === "classic") refuseInClassic(instruction);
  const { args, shown, script } = commandOf(instruction, state);
  const declared = declaredArgs(state);
  const given = declared.length > 0 || (state.flavor === "classic" && state.args.undeclaredProxies.length > 0);
  const text = !given ? shown : [`|${declared.length}`, ...declared, shown].join(" ");
  const env = [...(config.Env ?? [])];
  for (const entry of declared) if (!env.some((own) => entryName(own) === entryName(entry))) env.push(entry);
  const hostConfig = { ...work.request.hostConfig, ...networkOf(work, instruction), ...rightsOf(work, instruction) };
  const userns = usersAreMapped(work.backends, hostConfig) ? work.backends.userns : undefined;
  const keys = await Promise.all(mounts.map((mount) => mountKey(mount, mount.tree)));
  const limits = [hostConfig.NetworkMode, hostConfig.ExtraHosts ?? [], ...(hostConfig.Privileged === true ? ["insecure"] : [])];
  const visible = env.filter((entry) => !isProxyArg(entryName(entry)) || (config.Env ?? []).includes(entry));
  const key = cacheKey("run", state.diffIds, args, script?.text ?? "", visible, config.User ?? "", config.WorkingDir ?? "", keys, limits, ...epochKey(work));
  const line = state.flavor === "classic" ? text : `RUN ${text} # buildkit`;
  const made = await work.once({ key, stage, description: instruction.node.original, watch, told: { state, line } }, async () => {
    await using undo = new AsyncDisposableStack();
    const open = await openMounts(work, mounts, { undo, workdir: config.WorkingDir ?? "", map: userns?.map, command: args.join(" ") });
    const running = runStep(work.backends, work.roots, {
      layers: state.diffIds,
      args,
      env: [...env, ...state.args.undeclaredProxies.map(([name, value]) => `${name}=${value}`), ...open.env],
      user: config.User ?? "",
      workdir: config.WorkingDir ?? "",
      hostname: state.flavor === "classic" ? "" : "buildkitsandbox",
      hostConfig,
      mounts: script === undefined ? open.mounts : [...open.mounts, scriptMount(work, script)],
      userns,
      started: (id) => watch.running(id),
      output: (stream, chunk) => watch.output(stream, chunk),
      latest: work.request.epoch,
      signal: work.request.signal,
    });
    return await running.catch((error: unknown) => {
      throw named(error, args, state);
    });
  });
  return { ...made, layer: made.layer, line };
}

/** BuildKit says of every failure which command it was. */
function named(error: unknown, args: readonly string[], { flavor }: StageState): unknown {
  if (flavor === "classic" || error instanceof RunFailed || !isClass(error, "invalidArgument")) return error;
  return new EngineError("invalidArgument", `process ${JSON.stringify(args.join(" "))} did not complete successfully: ${error.message}`, { cause: error });
}

function scriptMount(work: BuildWork, { target, text }: NonNullable<Command["script"]>): SpecMount {
  const source = work.scratch();
  writeFileSync(source, text, { mode: 0o755 });
  return { type: "bind", source, destination: target, readOnly: true };
}

async function withTree(mount: StepMount, sourceOf: RunSources): Promise<SourcedMount> {
  const needs = mount.type === "bind" || (mount.type === "cache" && mount.from !== "");
  return { ...mount, tree: needs ? await sourceOf(mount.from, mount.target) : undefined };
}

function refuseInClassic({ mounts, network, security }: RunInstruction): void {
  const given = Object.entries({ mount: mounts.length > 0, network: network !== "", security: security !== "" }).find(([, is]) => is)?.[0];
  if (given === undefined) return;
  throw new EngineError(
    "invalidArgument",
    `the --${given} option requires BuildKit. Refer to https://docs.docker.com/go/buildkit/ to learn how to build images with BuildKit enabled`,
  );
}

interface Command {
  readonly args: readonly string[];
  readonly shown: string;
  readonly script?: { readonly target: string; readonly text: string };
}

/** What is run, and what the history calls it. A heredoc alone is the script itself; beside a command it is that command's input. */
function commandOf({ command, node }: RunInstruction, { config, flavor }: StageState): Command {
  const [heredoc, more] = command.heredocs;
  const args = commandWords(lineOf(command, flavor), config);
  if (heredoc === undefined) return { args, shown: args.join(" ") };
  const alone = more === undefined && /^\d*<<-?\s*["']?[^\s"']+["']?$/.test(node.rest);
  if (!alone) {
    const documents = command.heredocs.map(({ name, content }) => `${content}${name}`);
    const script = [node.rest, ...documents].join("\n");
    return { args: commandWords({ ...command, words: [script] }, config), shown: commandWords({ ...command, words: [script] }, config).join(" ") };
  }
  const text = heredocText(heredoc);
  if (!text.startsWith("#!")) {
    const plain = commandWords({ ...command, words: [text] }, config);
    return { args: plain, shown: plain.join(" ") };
  }
  // A script for another interpreter is a file that is there while it runs.
  const target = `/dev/pipes/${heredoc.name}`;
  const started = commandWords({ ...command, words: [target] }, config);
  return { args: started, shown: started.join(" "), script: { target, text } };
}

/** `name=value` of the ARGs: one builder takes them in their order, the other sorted and without those that ENV hides. */
function declaredArgs(state: StageState): string[] {
  const env = new Map((state.config.Env ?? []).map((entry) => [entryName(entry), entry.slice(entry.indexOf("=") + 1)]));
  const { declared } = state.args;
  if (state.flavor === "buildkit") return declared.map(([name, value]) => `${name}=${env.get(name) ?? value ?? ""}`);
  const shown = declared.filter(([name, value]) => value !== undefined && !env.has(name) && !isProxyArg(name));
  return shown.map(([name, value]) => `${name}=${value ?? ""}`).toSorted();
}

function networkOf({ request }: BuildWork, { network }: RunInstruction): { NetworkMode?: string } {
  if (network === "" || network === "default") return request.hostConfig.NetworkMode === undefined ? {} : { NetworkMode: request.hostConfig.NetworkMode };
  if (network === "host" && request.entitlements?.includes("network.host") !== true) {
    throw new EngineError("invalidArgument", "failed to load LLB: network.host is not allowed");
  }
  return { NetworkMode: network };
}

/** A step that may do everything is root of the machine, whatever users containers have. */
function rightsOf({ request }: BuildWork, { security }: RunInstruction): { Privileged?: true; UsernsMode?: "host" } {
  if (security !== "insecure") return {};
  if (request.entitlements?.includes("security.insecure") !== true) {
    throw new EngineError("invalidArgument", "failed to load LLB: security.insecure is not allowed");
  }
  return { Privileged: true, UsernsMode: "host" };
}
