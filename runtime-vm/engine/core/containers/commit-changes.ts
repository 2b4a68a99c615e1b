import type { ContainerConfig } from "#api/containers.ts";
import { EngineError, messageOf } from "#base/errors.ts";
import { rawWords } from "../dockerfile/pieces.ts";
import { expandWord } from "../dockerfile/words.ts";
import { healthcheckOf } from "./commit-health.ts";
import { parseSignal } from "./signals.ts";

type Config = { -readonly [K in keyof ContainerConfig]: ContainerConfig[K] };

/** A line's words after its instruction, and what earlier lines did. */
interface Line {
  readonly instruction: string;
  readonly rest: string;
  /** With the variables of the configuration put in. */
  readonly expanded: (word: string) => string;
}

interface Built {
  readonly config: Config;
  commandSet: boolean;
}

const invalid = (message: string): EngineError => new EngineError("invalidArgument", message);
const escape = "\\";
const wordsOf = (text: string): string[] => rawWords(text, escape);

function expand(word: string, environment: ReadonlyMap<string, string>): string {
  try {
    return expandWord(word, { environment, escape });
  } catch (error) {
    throw new EngineError("invalidArgument", `failed to process ${JSON.stringify(word)}: ${messageOf(error)}`, { cause: error });
  }
}

/** The lines of `docker commit --change`: the Dockerfile instructions that change a run configuration, and no others. */
export function applyChanges(config: ContainerConfig, changes: readonly string[]): ContainerConfig {
  const built: Built = { config: { ...config }, commandSet: false };
  for (const change of changes) {
    const lines = change.replace(/\\[ \t]*\n/g, "").split("\n");
    const instructions = lines.map((line) => line.trim()).filter((line) => line !== "" && !line.startsWith("#"));
    if (instructions.length === 0) throw invalid("file with no instructions");
    for (const text of instructions) applyLine(built, text);
  }
  return built.config;
}

function applyLine(built: Built, text: string): void {
  const [word = ""] = text.split(/\s/, 1);
  const apply = instructions[word.toUpperCase()];
  if (apply === undefined) throw invalid(`${word} is not a valid change command`);
  const environment = new Map((built.config.Env ?? []).map((entry) => [entry.split("=", 1)[0] ?? "", entry.slice(entry.indexOf("=") + 1)]));
  apply(built, { instruction: word.toUpperCase(), rest: text.slice(word.length).trim(), expanded: (value) => expand(value, environment) });
}

const instructions: Readonly<Record<string, (built: Built, line: Line) => void>> = {
  CMD: (built, { rest }) => {
    built.config.Cmd = commandFrom(built.config, rest);
    built.commandSet = true;
  },
  ENTRYPOINT: (built, { rest }) => {
    const entrypoint = rest === "" ? [] : commandFrom(built.config, rest);
    built.config.Entrypoint = entrypoint.length === 0 ? null : entrypoint;
    if (!built.commandSet && entrypoint.length > 0) built.config.Cmd = null;
  },
  ENV: ({ config }, line) => {
    const env = [...(config.Env ?? [])];
    for (const [name, value] of pairs(line)) {
      const at = env.findIndex((entry) => entry.startsWith(`${name}=`));
      env.splice(at < 0 ? env.length : at, at < 0 ? 0 : 1, `${name}=${value}`);
    }
    config.Env = env;
  },
  LABEL: ({ config }, line) => void (config.Labels = { ...config.Labels, ...Object.fromEntries(pairs(line)) }),
  EXPOSE: ({ config }, { rest, expanded }) => {
    const ports = atLeastOne("EXPOSE", wordsOf(rest)).flatMap((word) => portsFrom(expanded(word)));
    config.ExposedPorts = { ...config.ExposedPorts, ...Object.fromEntries(ports.map((port) => [port, {}])) };
  },
  VOLUME: ({ config }, { rest, expanded }) => {
    const paths = atLeastOne("VOLUME", jsonWords(rest) ?? wordsOf(rest)).map((word) => expanded(word).trim());
    if (paths.includes("")) throw invalid("VOLUME specified can not be an empty string");
    config.Volumes = { ...config.Volumes, ...Object.fromEntries(paths.map((path) => [path, {}])) };
  },
  USER: ({ config }, { rest, expanded }) => void (config.User = expanded(exactlyOne("USER", rest === "" ? [] : [rest]))),
  WORKDIR: ({ config }, { rest, expanded }) => {
    const asked = expanded(exactlyOne("WORKDIR", rest === "" ? [] : [rest]));
    config.WorkingDir = absolute(config.WorkingDir ?? "", asked);
  },
  STOPSIGNAL: ({ config }, { rest, expanded }) => {
    const signal = expanded(exactlyOne("STOPSIGNAL", wordsOf(rest)));
    try {
      if (!/^[1-9]\d*$/.test(signal)) parseSignal(signal);
    } catch (error) {
      throw new EngineError("invalidArgument", `invalid signal: ${signal}`, { cause: error });
    }
    config.StopSignal = signal;
  },
  HEALTHCHECK: ({ config }, { rest }) => void (config.Healthcheck = healthcheckOf(rest, jsonWords)),
  ONBUILD: ({ config }, { rest }) => {
    const [trigger = ""] = atLeastOne("ONBUILD", wordsOf(rest));
    const name = trigger.toUpperCase();
    if (name === "ONBUILD") throw invalid("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
    if (name === "FROM" || name === "MAINTAINER") throw invalid(`${name} isn't allowed as an ONBUILD trigger`);
    config.OnBuild = [...(config.OnBuild ?? []), rest];
  },
};

/** A list in JSON is the command itself; anything else is for the shell. */
function commandFrom(config: Config, rest: string): string[] {
  const words = jsonWords(rest);
  if (words !== undefined) return words;
  return [...(config.Shell && config.Shell.length > 0 ? config.Shell : ["/bin/sh", "-c"]), ...(rest === "" ? [] : [rest])];
}

function jsonWords(text: string): string[] | undefined {
  if (!text.startsWith("[")) return undefined;
  try {
    const parsed = JSON.parse(text) as unknown;
    if (!Array.isArray(parsed)) return undefined;
    if (parsed.every((word) => typeof word === "string")) return parsed as string[];
  } catch {
    return undefined;
  }
  throw invalid("when using JSON array syntax, arrays must be comprised of strings only");
}

/** `NAME VALUE...`, or any number of `NAME=VALUE`. */
function pairs({ instruction, rest, expanded }: Line): [string, string][] {
  const words = atLeastOne(instruction, wordsOf(rest));
  const [first = ""] = words;
  if (!first.includes("=")) {
    if (words.length < 2) throw invalid(`${instruction} must have two arguments`);
    return [[expanded(first), expanded(rest.slice(first.length).trim())]];
  }
  return words.map((word) => {
    const at = word.indexOf("=");
    if (at < 0) throw invalid(`Syntax error - can't find = in ${JSON.stringify(word)}. Must be of the form: name=value`);
    if (at === 0) throw invalid(`${instruction} names can not be blank`);
    return [expanded(word.slice(0, at)), expanded(word.slice(at + 1))];
  });
}

function atLeastOne(instruction: string, words: readonly string[]): readonly string[] {
  if (words.length === 0) throw invalid(`${instruction} requires at least one argument`);
  return words;
}

function exactlyOne(instruction: string, words: readonly string[]): string {
  const [word, more] = words;
  if (word === undefined || more !== undefined) throw invalid(`${instruction} requires exactly one argument`);
  return word;
}

const portRangeMax = 65_535;

function portsFrom(text: string): string[] {
  const found = /^(\d+)(?:-(\d+))?(?:\/(\w+))?$/.exec(text);
  const from = Number(found?.[1]);
  const to = Number(found?.[2] ?? found?.[1]);
  const protocol = (found?.[3] ?? "tcp").toLowerCase();
  if (found === null || from > to || to > portRangeMax) throw invalid(`Invalid containerPort: ${text.split("/", 1)[0] ?? text}`);
  if (!["tcp", "udp", "sctp"].includes(protocol)) throw invalid(`Invalid proto: ${protocol}`);
  return Array.from({ length: to - from + 1 }, (_, i) => `${from + i}/${protocol}`);
}

function absolute(current: string, asked: string): string {
  const path = asked.startsWith("/") ? asked : `${current || "/"}/${asked}`;
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}
