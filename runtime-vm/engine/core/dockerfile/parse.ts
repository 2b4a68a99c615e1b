import { DockerfileError } from "./errors.ts";
import { readFlags } from "./flags.ts";
import { healthcheck } from "./health.ts";
import { heredocFrom } from "./heredoc.ts";
import type { CopyInstruction, Dockerfile, FromInstruction, Instruction, InstructionOf, Stage } from "./instructions.ts";
import { blankParted, commandLine, jsonWords, listOrWords, pairsOf, rawWords } from "./pieces.ts";
import type { Source, SourceNode } from "./source.ts";
import { withSuggestion } from "./suggest.ts";

/** What the instructions of a Dockerfile say. Everything that can be told without a context or an image is checked. */
export function parseDockerfile(source: Source): Dockerfile {
  const globals: InstructionOf<"arg">[] = [];
  const stages: { from: FromInstruction; instructions: Exclude<Instruction, FromInstruction>[] }[] = [];
  for (const node of source.nodes) {
    const instruction = parseInstruction(node, source.escape);
    const stage = stages.at(-1);
    if (instruction.kind === "from") stages.push({ from: instruction, instructions: [] });
    else if (stage !== undefined) stage.instructions.push(instruction);
    else if (instruction.kind === "arg") globals.push(instruction);
    else throw new DockerfileError("syntax", "no build stage in current context", node.lines);
  }
  return { globals, stages: stages satisfies Stage[] };
}

type Parser = (node: SourceNode, escape: string) => Instruction;

/** One instruction; also what ONBUILD holds. */
export function parseInstruction(node: SourceNode, escape: string): Instruction {
  const parser = Object.hasOwn(parsers, node.name) ? parsers[node.name] : undefined;
  if (parser === undefined) throw fail(node, withSuggestion(`unknown instruction: ${node.written}`, node.written, Object.keys(parsers)));
  return parser(node, escape);
}

const parsers: Readonly<Record<string, Parser>> = {
  FROM: parseFrom,
  ARG: parseArg,
  ENV: (node, escape) => ({ kind: "env", node: noFlags(node), pairs: named(node, escape) }),
  LABEL: (node, escape) => ({ kind: "label", node: noFlags(node), pairs: named(node, escape) }),
  COPY: (node, escape) => parseCopy("copy", node, escape),
  ADD: (node, escape) => parseCopy("add", node, escape),
  RUN: (node) => {
    const flags = readFlags(node, { many: ["mount", "device"], one: ["network", "security"] });
    const mounts = flags.many("mount").map((text) => ({ text }));
    for (const mode of flags.many("network")) {
      if (!["default", "none", "host"].includes(mode)) throw fail(node, `invalid network mode ${JSON.stringify(mode)}`);
    }
    for (const mode of flags.many("security")) {
      if (!["sandbox", "insecure"].includes(mode)) throw fail(node, `security ${JSON.stringify(mode)} is not valid`);
    }
    const [network, security] = [flags.one("network"), flags.one("security")];
    return { kind: "run", node, command: commandLine(node), mounts, network, security, devices: flags.many("device") };
  },
  CMD: (node) => ({ kind: "cmd", node: noFlags(node), command: commandLine(node) }),
  ENTRYPOINT: (node) => ({ kind: "entrypoint", node: noFlags(node), command: commandLine(node) }),
  SHELL: (node) => {
    const words = jsonWords(noFlags(node), node.rest);
    if (words === undefined) throw fail(node, node.rest === "" ? "SHELL requires at least one argument" : "SHELL requires the arguments to be in JSON form");
    if (words.length === 0) throw fail(node, "SHELL requires at least one argument");
    return { kind: "shell", node, words };
  },
  EXPOSE: (node) => {
    const ports = blankParted(noFlags(node).rest);
    if (ports.length === 0) throw fail(node, "EXPOSE requires at least one argument");
    return { kind: "expose", node, ports };
  },
  VOLUME: (node) => {
    const paths = listOrWords(noFlags(node)).map((path) => path.trim());
    if (paths.length === 0) throw fail(node, "VOLUME requires at least one argument");
    if (paths.includes("")) throw fail(node, "VOLUME specified can not be an empty string");
    return { kind: "volume", node, paths };
  },
  USER: (node) => ({ kind: "user", node, value: single(node) }),
  WORKDIR: (node) => ({ kind: "workdir", node, value: single(node) }),
  MAINTAINER: (node) => ({ kind: "maintainer", node, value: single(node) }),
  STOPSIGNAL: (node) => ({ kind: "stopsignal", node, value: single(node) }),
  HEALTHCHECK: (node) => ({ kind: "healthcheck", node, health: healthcheck(node) }),
  ONBUILD: parseOnbuild,
};

function fail(node: SourceNode, message: string): DockerfileError {
  return new DockerfileError("instruction", message, node.lines);
}

function noFlags(node: SourceNode): SourceNode {
  readFlags(node, {});
  return node;
}

function single(node: SourceNode): string {
  if (noFlags(node).rest === "") throw fail(node, `${node.name} requires exactly one argument`);
  return node.rest;
}

function named(node: SourceNode, escape: string): InstructionOf<"env">["pairs"] {
  const pairs = pairsOf(node, escape);
  if (pairs.length === 0) throw fail(node, `${node.name} requires at least one argument`);
  if (pairs.some(({ key }) => key === "")) throw fail(node, `${node.name} names can not be blank`);
  return pairs;
}

function parseFrom(node: SourceNode): FromInstruction {
  const flags = readFlags(node, { one: ["platform"] });
  const words = blankParted(node.rest);
  const [base = "", as = "", written = ""] = words;
  if (words.length !== 1 && !(words.length === 3 && as.toUpperCase() === "AS")) throw fail(node, "FROM requires either one or three arguments");
  const name = written.toLowerCase();
  if (words.length === 3 && !/^[a-z][a-z0-9-_.]*$/.test(name)) {
    throw fail(node, `invalid name for build stage: ${JSON.stringify(written)}, name can't start with a number or contain symbols`);
  }
  return { kind: "from", node, base, name, platform: flags.one("platform") };
}

function parseArg(node: SourceNode, escape: string): InstructionOf<"arg"> {
  const words = rawWords(noFlags(node).rest, escape);
  if (words.length === 0) throw fail(node, "ARG requires at least one argument");
  const args = words.map((word) => {
    const at = word.indexOf("=");
    if (at === 0) throw fail(node, "ARG names can not be blank");
    return at < 0 ? { key: word, value: undefined } : { key: word.slice(0, at), value: word.slice(at + 1) };
  });
  return { kind: "arg", node, args };
}

const copyFlags = { one: ["from", "chown", "chmod"], bool: ["link", "parents"], many: ["exclude"] } as const;
const addFlags = { one: ["chown", "chmod", "checksum"], bool: ["link", "keep-git-dir", "unpack"], many: ["exclude"] } as const;

function parseCopy(kind: "copy" | "add", node: SourceNode, escape: string): CopyInstruction {
  const flags = readFlags(node, kind === "copy" ? copyFlags : addFlags);
  const words = listOrWords(node);
  if (words.length < 2) {
    throw fail(node, `${node.name} requires at least two arguments, but only one was provided. Destination could not be determined`);
  }
  const destination = words.at(-1) ?? "";
  const given = words.slice(0, -1).map((word) => ({ word, heredoc: node.heredocs.length === 0 ? undefined : heredocFrom(word, escape) }));
  return {
    kind,
    node,
    sources: given.filter(({ heredoc }) => heredoc === undefined).map(({ word }) => word),
    files: given.flatMap(({ heredoc }) => node.heredocs.find(({ name }) => heredoc !== undefined && name === heredoc.name) ?? []),
    destination,
    from: flags.one("from"),
    chown: flags.one("chown"),
    chmod: flags.one("chmod"),
    link: flags.bool("link") ?? false,
    parents: flags.bool("parents") ?? false,
    excludes: flags.many("exclude"),
    checksum: flags.one("checksum"),
    keepGitDir: flags.bool("keep-git-dir"),
    unpack: flags.bool("unpack"),
  };
}

function parseOnbuild(node: SourceNode): InstructionOf<"onbuild"> {
  if (noFlags(node).rest === "") throw fail(node, "ONBUILD requires at least one argument");
  const [trigger = ""] = node.rest.split(/\s/, 1);
  const name = trigger.toUpperCase();
  if (name === "ONBUILD") throw fail(node, "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  if (name === "FROM" || name === "MAINTAINER") throw fail(node, `${name} isn't allowed as an ONBUILD trigger`);
  const documents = node.heredocs.map(({ name: end, content }) => `\n${content}${end}`);
  return { kind: "onbuild", node, expression: node.rest + documents.join("") };
}
