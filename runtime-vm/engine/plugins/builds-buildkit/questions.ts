import { EngineError } from "#base/errors.ts";
import { checkRules, ruleUrl } from "#core/dockerfile/check-rules.ts";
import type { LineRange } from "#core/dockerfile/errors.ts";
import type { Checked } from "./checks.ts";
import { parsed, type Prepared } from "./frontend.ts";
import { describedIn, outlineOf } from "./outline.ts";

/** What a client may ask about a Dockerfile instead of building it (buildkit's frontend/subrequests): `--check`, `--call targets`, `--call outline`. */
const questions: Readonly<
  Record<string, { readonly description: string; readonly opts?: unknown; readonly answer: (prepared: Prepared, checked: Checked) => Answer }>
> = {
  "frontend.outline": {
    description: "List all parameters current build target supports",
    opts: [{ name: "target", description: "Target build stage" }],
    answer: outline,
  },
  "frontend.lint": { description: "Lint a Dockerfile", answer: lint },
  "frontend.targets": { description: "List all targets current build supports", answer: targets },
  "frontend.subrequests.describe": { description: "List available subrequest types", answer: describe },
};

interface Answer {
  readonly json: unknown;
  readonly text: string;
  readonly version: string;
  readonly code?: number;
}

/** The answer, as a result's metadata. */
export function answered(request: string, prepared: Prepared, checked: Checked): Record<string, string> {
  const question = Object.hasOwn(questions, request) ? questions[request] : undefined;
  if (question === undefined) throw new EngineError("notImplemented", `unsupported request ${JSON.stringify(request)}`);
  const { json, text, version, code = 0 } = question.answer(prepared, checked);
  return { "result.json": JSON.stringify(json), "result.txt": text, version, "result.statuscode": String(code) };
}

const rangesOf = ({ start, end }: LineRange): unknown => ({ ranges: [{ start: { line: start }, end: { line: end } }] });

function lint({ definition: { filename, text } }: Prepared, { warnings }: Checked): Answer {
  const told = warnings.map(({ rule, detail, lines }) => ({
    ruleName: rule,
    description: checkRules[rule],
    url: ruleUrl(rule),
    detail,
    location: rangesOf(lines),
  }));
  const sources = [{ filename, data: Buffer.from(text).toString("base64"), language: "Dockerfile" }];
  const lines = warnings.map(({ rule, detail, lines: at }) => `WARNING: ${rule} - ${ruleUrl(rule)}\n${detail}\n${filename}:${at.start}\n`);
  return { json: { ...(told.length === 0 ? {} : { warnings: told }), sources }, text: lines.join("\n"), version: "1.0.0", code: warnings.length > 0 ? 1 : 0 };
}

function targets({ dockerfile, definition }: Prepared): Answer {
  const last = dockerfile.stages.length - 1;
  const list = dockerfile.stages.map(({ from }, i) => ({
    ...(from.name === "" ? {} : { name: from.name }),
    ...descriptionOf(from.node.comments, from.name),
    ...(i === last ? { default: true } : {}),
    base: from.base,
    ...(from.platform === "" ? {} : { platform: from.platform }),
    location: rangesOf(from.node.lines),
  }));
  const rows = list.map(({ name = "", default: isDefault, ...more }) => {
    const description = "description" in more ? String(more.description) : "";
    return `${`${name}${isDefault === true ? " (default)" : ""}`.padEnd(20)} ${description}`.trimEnd();
  });
  const sources = [Buffer.from(definition.text).toString("base64")];
  return { json: { targets: list, sources }, text: `TARGET               DESCRIPTION\n${rows.join("\n")}\n`, version: "1.0.0" };
}

const descriptionOf = (comments: readonly string[], name: string): { description?: string } => {
  const description = describedIn(comments, name);
  return description === undefined ? {} : { description };
};

function outline({ dockerfile, definition, attributes: { target, args } }: Prepared): Answer {
  const { from, args: asked, secrets, agents } = outlineOf(dockerfile, { target, given: args, escape: parsed(definition).source.escape });
  const located = <T extends { readonly lines: LineRange }>({ lines, ...more }: T): unknown => ({ ...more, location: rangesOf(lines) });
  const needs = ({ name, required, lines }: (typeof secrets)[number]): unknown => ({ name, ...(required ? { required } : {}), location: rangesOf(lines) });
  const { name = "", node } = from ?? {};
  const json = {
    ...(name === "" ? {} : { name }),
    ...descriptionOf(node?.comments ?? [], name),
    ...(asked.length === 0 ? {} : { args: asked.map(located) }),
    ...(secrets.length === 0 ? {} : { secrets: secrets.map(needs) }),
    ...(agents.length === 0 ? {} : { ssh: agents.map(needs) }),
    sources: [Buffer.from(definition.text).toString("base64")],
  };
  const rows = [
    ...asked.map((arg) => `ARG ${arg.name}=${arg.value ?? ""}`),
    ...secrets.map((one) => `SECRET ${one.name}`),
    ...agents.map((one) => `SSH ${one.name}`),
  ];
  return { json, text: [`TARGET ${name}`, ...rows, ""].join("\n"), version: "1.0.0" };
}

function describe(): Answer {
  const list = Object.entries(questions).map(([name, { description, opts = null }]) => ({
    name,
    version: "1.0.0",
    type: "rpc",
    description,
    opts,
    metadata: [{ name: "result.json" }, { name: "result.txt" }],
  }));
  return { json: list, text: list.map(({ name, description }) => `${name}  ${description}`).join("\n"), version: "1.0.0" };
}
