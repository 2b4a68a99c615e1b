import { posix } from "node:path";
import type { HealthConfig, ImageRunConfig } from "#api/oci.ts";
import { EngineError } from "#base/errors.ts";
import { parseSignal } from "../containers/signals.ts";
import type { CommandLine, Instruction } from "../dockerfile/instructions.ts";
import { goDuration, goQuote, goQuoteList } from "./go-quote.ts";
import { entryName, expanded, expandedWords, type Variables } from "./scope.ts";

/** Which of dockerd's two builders speaks: histories and some configurations differ. */
export type Flavor = "classic" | "buildkit";

export type RunConfig = { -readonly [K in keyof ImageRunConfig]: ImageRunConfig[K] };

export interface ConfigChange {
  readonly config: RunConfig;
  /** Whether the stage has a CMD of its own: then ENTRYPOINT leaves it. */
  commandSet: boolean;
  readonly variables: Variables;
  readonly escape: string;
  readonly flavor: Flavor;
}

export type ConfigInstruction = Exclude<Instruction, { kind: "from" | "copy" | "add" | "run" | "arg" | "workdir" }>;

/** Does what an instruction says to the run configuration; returns its line in the history. */
export function changeConfig(change: ConfigChange, instruction: ConfigInstruction): string {
  const { config, variables, escape, flavor } = change;
  const word = (text: string): string => expanded(text, variables, escape);
  switch (instruction.kind) {
    case "env": {
      const pairs = instruction.pairs.map(({ key, value }) => [word(key), word(value)] as const);
      config.Env = pairs.reduce((env, [key, value]) => withEntry(env, key, value), [...(config.Env ?? [])]);
      return `ENV ${pairs.map(([key, value]) => `${key}=${value}`).join(" ")}`;
    }
    case "label": {
      const pairs = instruction.pairs.map(({ key, value }) => [word(key), word(value)] as const);
      config.Labels = { ...config.Labels, ...Object.fromEntries(pairs) };
      return `LABEL ${pairs.map(([key, value]) => `${key}=${value}`).join(" ")}`;
    }
    case "user":
      config.User = word(instruction.value);
      return `USER ${config.User}`;
    case "maintainer":
      return `MAINTAINER ${instruction.value}`;
    case "stopsignal":
      config.StopSignal = checkedSignal(word(instruction.value));
      return `STOPSIGNAL ${config.StopSignal}`;
    case "cmd": {
      const command = commandWords(lineOf(instruction.command, flavor), config);
      if (command.length > 0) config.Cmd = command;
      else delete config.Cmd;
      if (flavor === "buildkit") config.ArgsEscaped = true;
      change.commandSet = true;
      return `CMD ${goQuoteList(command)}`;
    }
    case "entrypoint": {
      const line = lineOf(instruction.command, flavor);
      const entrypoint = line.words.length === 0 ? [] : commandWords(line, config);
      if (entrypoint.length > 0) config.Entrypoint = entrypoint;
      else delete config.Entrypoint;
      if (!change.commandSet) delete config.Cmd;
      return `ENTRYPOINT ${goQuoteList(entrypoint)}`;
    }
    case "shell":
      config.Shell = instruction.words;
      return `SHELL [${instruction.words.join(" ")}]`;
    case "expose":
      return exposed(
        config,
        instruction.ports.flatMap((port) => expandedWords(port, variables, escape)),
        flavor,
      );
    case "volume": {
      const paths = instruction.paths.map(word);
      if (paths.includes("")) throw new EngineError("invalidArgument", "VOLUME specified can not be an empty string");
      config.Volumes = { ...config.Volumes, ...Object.fromEntries(paths.map((path) => [path, {}])) };
      return `VOLUME [${paths.join(" ")}]`;
    }
    case "healthcheck":
      config.Healthcheck = instruction.health;
      return `HEALTHCHECK ${healthText(instruction.health, flavor)}`;
    case "onbuild":
      config.OnBuild = [...(config.OnBuild ?? []), instruction.expression];
      return `ONBUILD ${instruction.expression}`;
  }
}

/** One builder takes no words for an empty line, the other for none at all. */
export const lineOf = (command: CommandLine, flavor: Flavor): CommandLine =>
  command.shell && flavor === "buildkit" ? { ...command, words: [command.words.join(" ")] } : command;

/** The command itself, or the shell with it. */
export function commandWords({ words, shell }: CommandLine, config: RunConfig): string[] {
  return shell ? [...shellOf(config), ...words] : [...words];
}

export const shellOf = ({ Shell }: RunConfig): readonly string[] => (Shell !== undefined && Shell.length > 0 ? Shell : ["/bin/sh", "-c"]);

function withEntry(env: readonly string[], key: string, value: string): string[] {
  const at = env.findIndex((entry) => entryName(entry) === key);
  return at < 0 ? [...env, `${key}=${value}`] : env.with(at, `${key}=${value}`);
}

function checkedSignal(signal: string): string {
  try {
    if (!/^\d+$/.test(signal)) parseSignal(signal);
    return signal;
  } catch (error) {
    throw new EngineError("invalidArgument", `invalid signal: ${signal}`, { cause: error });
  }
}

const portMax = 65_535;

function exposed(config: RunConfig, asked: readonly string[], flavor: Flavor): string {
  const ports = asked.flatMap((text) => portsOf(text, flavor));
  config.ExposedPorts = { ...config.ExposedPorts, ...Object.fromEntries(ports.map((port) => [port, {}])) };
  return flavor === "classic" ? `EXPOSE ${asked.toSorted().join(" ")}` : `EXPOSE [${ports.toSorted().join(" ")}]`;
}

function portsOf(text: string, flavor: Flavor): string[] {
  const refuse = (classic: string, buildkit: string): EngineError => new EngineError("invalidArgument", flavor === "classic" ? classic : buildkit);
  const [, range = "", proto = "tcp"] = /^(.*?)(?:\/(.*))?$/.exec(text) ?? [];
  // An address and a host's port may stand before it; they are not the image's.
  const container = range.slice(range.lastIndexOf(":") + 1);
  const found = /^(\d+)(?:-(\d+))?$/.exec(container);
  const [from, to] = [Number(found?.[1]), Number(found?.[2] ?? found?.[1])];
  if (found === null || from > to || to > portMax) throw refuse(`Invalid containerPort: ${container}`, `invalid containerPort: ${container}`);
  const protocol = proto.toLowerCase();
  if (!["tcp", "udp", "sctp"].includes(protocol)) throw refuse(`Invalid proto: ${proto}`, `invalid port: ${JSON.stringify(text)}: invalid proto: ${proto}`);
  return Array.from({ length: to - from + 1 }, (_, i) => `${from + i}/${protocol}`);
}

function healthText({ Test = [], Interval = 0, Timeout = 0, StartPeriod = 0, StartInterval = 0, Retries = 0 }: HealthConfig, flavor: Flavor): string {
  const times = [Interval, Timeout, StartPeriod, StartInterval].map(goDuration);
  if (flavor === "classic") return `&{[${Test.join(" ")}] ${times.join(" ")} ${Retries}}`;
  return `&{${goQuoteList(Test)} ${times.map(goQuote).join(" ")} ${goRune(Retries)}}`;
}

/** `%q` of a number: the character it stands for. */
const goRune = (code: number): string => (code < 0x20 ? (runes[code] ?? `'\\x${code.toString(16).padStart(2, "0")}'`) : `'${String.fromCodePoint(code)}'`);
const runes: Readonly<Record<number, string>> = { 7: "'\\a'", 8: "'\\b'", 9: "'\\t'", 10: "'\\n'", 11: "'\\v'", 12: "'\\f'", 13: "'\\r'" };

/** WORKDIR's directory: relative to the one before it. */
export function workdirOf(current: string | undefined, asked: string): string {
  return asked.startsWith("/") ? posix.resolve("/", asked) : posix.resolve(current === undefined || current === "" ? "/" : current, asked);
}
