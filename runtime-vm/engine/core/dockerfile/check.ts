import type { CheckRule } from "./check-rules.ts";
import type { LineRange } from "./errors.ts";
import type { Dockerfile, FromInstruction, Instruction, Stage } from "./instructions.ts";
import type { Source } from "./source.ts";
import { withSuggestion } from "./suggest.ts";
import { undefinedIn } from "./undefined.ts";
import { expandWord } from "./words.ts";

/** Something in a Dockerfile that works, and may not do what it seems to. */
export interface CheckWarning {
  readonly rule: CheckRule;
  readonly detail: string;
  readonly lines: LineRange;
}

export interface CheckOptions {
  /** Variables that exist everywhere. */
  readonly predefined: readonly string[];
  /** Variables of an image's environment; undefined where the image is not here. */
  readonly environmentOf: (image: string) => readonly string[] | undefined;
}

/** What the `check` directive, or `BUILDKIT_DOCKERFILE_CHECK`, says. */
export interface CheckPolicy {
  readonly skips: (rule: CheckRule) => boolean;
  /** A warning ends the build. */
  readonly fails: boolean;
}

export function checkPolicy(text: string): CheckPolicy {
  const parts = new Map(text.split(";").map((part) => [part.split("=", 1)[0]?.trim() ?? "", part.slice(part.indexOf("=") + 1).trim()] as const));
  const skipped = new Set((parts.get("skip") ?? "").split(",").map((name) => name.trim()));
  return { skips: (rule) => skipped.has("all") || skipped.has(rule), fails: parts.get("error")?.toLowerCase() === "true" };
}

/** Every warning about a Dockerfile, from its first line on. */
export function checkDockerfile(source: Source, dockerfile: Dockerfile, options: CheckOptions): CheckWarning[] {
  const found = [
    ...source.warnings.map(({ rule, lines }): CheckWarning => ({ rule, detail: "Empty continuation line", lines: { start: lines.end, end: lines.end } })),
    ...casing(source),
    ...stageNames(dockerfile),
    ...dockerfile.stages.flatMap(({ from }) => [...fromWarnings(from, dockerfile, options, source.escape)]),
    ...dockerfile.globals.flatMap(secrets),
    ...dockerfile.stages.flatMap((stage) => [...stageWarnings(stage)]),
    ...undefinedVariables(dockerfile, options, source.escape),
  ];
  return found.toSorted((a, b) => a.lines.start - b.lines.start);
}

function* casing({ nodes }: Source): Generator<CheckWarning> {
  const lower = nodes.filter(({ written }) => written === written.toLowerCase()).length;
  const upper = nodes.filter(({ written }) => written === written.toUpperCase()).length;
  const most = lower > upper ? "lowercase" : "uppercase";
  for (const { written, name, lines } of nodes) {
    if (written === (most === "lowercase" ? name.toLowerCase() : name)) continue;
    yield { rule: "ConsistentInstructionCasing", detail: `Command '${written}' should match the case of the command majority (${most})`, lines };
  }
}

function* stageNames({ stages }: Dockerfile): Generator<CheckWarning> {
  const seen = new Set<string>();
  for (const { from } of stages) {
    const { node, name } = from;
    if (name === "") continue;
    const [, as = "", written = ""] = node.rest.split(/\s+/);
    const { lines } = node;
    if (written !== name) yield { rule: "StageNameCasing", detail: `Stage name '${written}' should be lowercase`, lines };
    if ((as === as.toLowerCase()) !== (node.written === node.written.toLowerCase())) {
      yield { rule: "FromAsCasing", detail: `'${as}' and '${node.written}' keywords' casing do not match`, lines };
    }
    if (name === "scratch" || name === "context") {
      yield { rule: "ReservedStageName", detail: `Stage name should not use the same name as reserved stage "${name}"`, lines };
    }
    if (seen.has(name)) yield { rule: "DuplicateStageName", detail: `Duplicate stage name ${JSON.stringify(name)}, stage names should be unique`, lines };
    seen.add(name);
  }
}

function* fromWarnings(from: FromInstruction, { globals }: Dockerfile, { predefined }: CheckOptions, escape: string): Generator<CheckWarning> {
  const { base, platform, name, node } = from;
  const { lines } = node;
  if (/^\$(TARGETPLATFORM|\{TARGETPLATFORM\})$/.test(platform)) {
    const detail = "Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior";
    yield { rule: "RedundantTargetPlatform", detail, lines };
  } else if (platform !== "" && !platform.includes("$") && !platform.split("/").some((part) => part !== "linux" && name.includes(part))) {
    yield { rule: "FromPlatformFlagConstDisallowed", detail: `FROM --platform flag should not use constant value ${JSON.stringify(platform)}`, lines };
  }
  const declared = globals.flatMap(({ args }) => args);
  const known = [...predefined, ...declared.map(({ key }) => key)];
  for (const variable of new Set([base, platform].flatMap((word) => undefinedIn(word, new Set(known), escape)))) {
    yield { rule: "UndefinedArgInFrom", detail: withSuggestion(`FROM argument '${variable}' is not declared`, variable, known), lines };
  }
  if (!base.includes("$")) return;
  const environment = new Map(declared.map(({ key, value }) => [key, value ?? ""]));
  const plain = nameOf(base, environment, escape);
  if (plain === undefined) return;
  if (plain === "" || /[:@/]$|:@|\/:|^[:@/]/.test(plain)) {
    yield { rule: "InvalidDefaultArgInFrom", detail: `Default value for ARG ${base} results in empty or invalid base image name`, lines };
  }
}

/** Undefined: it cannot be put together, which the build says itself, and better. */
function nameOf(base: string, environment: ReadonlyMap<string, string>, escape: string): string | undefined {
  try {
    return expandWord(base, { environment, escape });
  } catch {
    return undefined;
  }
}

const secretWords = /(?:^|_)(?:apikey|auth|credentials?|key|passw(?:or)?d|pword|secret|token)(?:_|$)/i;
const harmlessWords = /(?:^|_)public(?:_|$)/i;

function secrets(instruction: Instruction): CheckWarning[] {
  const names = instruction.kind === "arg" ? instruction.args : instruction.kind === "env" ? instruction.pairs : [];
  const { name, lines } = instruction.node;
  return names
    .filter(({ key }) => secretWords.test(key) && !harmlessWords.test(key))
    .map(({ key }) => ({
      rule: "SecretsUsedInArgOrEnv",
      detail: `Do not use ARG or ENV instructions for sensitive data (${name} ${JSON.stringify(key)})`,
      lines,
    }));
}

function* stageWarnings({ instructions }: Stage): Generator<CheckWarning> {
  const hasShell = instructions.some(({ kind }) => kind === "shell");
  let absolute = false;
  for (const [index, one] of instructions.entries()) {
    const { name, rest, lines } = one.node;
    if (one.kind === "maintainer") yield { rule: "MaintainerDeprecated", detail: "Maintainer instruction is deprecated in favor of using label", lines };
    if ((one.kind === "env" || one.kind === "label") && !(rest.split(/\s/, 1)[0] ?? "").includes("=")) {
      yield { rule: "LegacyKeyValueFormat", detail: `"${name} key=value" should be used instead of legacy "${name} key value" format`, lines };
    }
    yield* secrets(one);
    if ((one.kind === "cmd" || one.kind === "entrypoint") && one.command.shell && !hasShell) {
      yield { rule: "JSONArgsRecommended", detail: `JSON arguments recommended for ${name} to prevent unintended behavior related to OS signals`, lines };
    }
    if (["cmd", "entrypoint", "healthcheck"].includes(one.kind) && instructions.slice(index + 1).some(({ kind }) => kind === one.kind)) {
      const detail = `Multiple ${name} instructions should not be used in the same stage because only the last one will be used`;
      yield { rule: "MultipleInstructionsDisallowed", detail, lines };
    }
    if (one.kind === "workdir") {
      const isAbsolute = /^(["']?\/|\$)/.test(one.value);
      if (!isAbsolute && !absolute) {
        yield {
          rule: "WorkdirRelativePath",
          detail: `Relative workdir ${JSON.stringify(one.value)} can have unexpected results if the base image changes`,
          lines,
        };
      }
      absolute ||= isAbsolute;
    }
    if (one.kind === "expose") yield* exposed(one.ports, lines);
  }
}

function* exposed(ports: readonly string[], lines: LineRange): Generator<CheckWarning> {
  for (const port of ports) {
    const protocol = port.split("/")[1] ?? "";
    if (port.includes(":") && !port.includes("$")) {
      yield { rule: "ExposeInvalidFormat", detail: `EXPOSE instruction should not define an IP address or host-port mapping, found '${port}'`, lines };
    }
    if (!protocol.includes("$") && protocol !== protocol.toLowerCase()) {
      yield { rule: "ExposeProtoCasing", detail: `Defined protocol '${port}' in EXPOSE instruction should be lowercase`, lines };
    }
  }
}

function* undefinedVariables({ stages }: Dockerfile, { predefined, environmentOf }: CheckOptions, escape: string): Generator<CheckWarning> {
  const ends: (ReadonlySet<string> | undefined)[] = [];
  for (const { from, instructions } of stages) {
    const earlier = stages.slice(0, ends.length).findLastIndex((stage) => stage.from.name !== "" && stage.from.name === from.base.toLowerCase());
    const inherited =
      earlier >= 0 ? ends[earlier] : from.base === "scratch" ? new Set(["PATH"]) : from.base.includes("$") ? undefined : environmentOf(from.base);
    // What an image brings along that is not here cannot be told.
    const known = inherited === undefined ? undefined : new Set([...inherited, "PATH", ...predefined.filter((name) => /proxy$/i.test(name))]);
    for (const one of known === undefined ? [] : instructions) {
      for (const variable of new Set(wordsOf(one).flatMap((word) => undefinedIn(word, known ?? new Set(), escape)))) {
        const near = withSuggestion("", variable, [...(known ?? [])]).replace("(did you mean ", "(did you mean $");
        yield { rule: "UndefinedVar", detail: `Usage of undefined variable '$${variable}'${near}`, lines: one.node.lines };
      }
      if (one.kind === "arg") for (const { key } of one.args) known?.add(key);
      if (one.kind === "env") for (const { key } of one.pairs) known?.add(key);
    }
    ends.push(known);
  }
}

/** Where variables are put in. */
function wordsOf(one: Instruction): readonly string[] {
  switch (one.kind) {
    case "env":
    case "label":
      return one.pairs.map(({ value }) => value);
    case "arg":
      return one.args.map(({ value }) => value ?? "");
    case "copy":
    case "add":
      return [...one.sources, one.destination, one.chown, one.from];
    case "workdir":
    case "user":
    case "stopsignal":
      return [one.value];
    case "expose":
      return one.ports;
    case "volume":
      return one.paths;
    case "cmd":
    case "entrypoint":
    case "from":
    case "healthcheck":
    case "maintainer":
    case "onbuild":
    case "run":
    case "shell":
      return [];
  }
}
