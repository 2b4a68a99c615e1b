import { hostname } from "node:os";
import { invalidOption, type LogOptions } from "./options.ts";
import type { LogSubject } from "./subject.ts";

type Value = string | number | readonly string[] | Readonly<Record<string, string>>;
type Fields = Readonly<Record<string, Value>>;

/** The driver's tag: the option `tag` as a Go template over the container, or `byDefault` when it is not given. */
export function logTag(subject: LogSubject, options: LogOptions, byDefault = "{{.ID}}"): string {
  return expandTag(options["tag"] || byDefault, fieldsOf(subject, options));
}

/** Short form of an image's or a container's id. */
const short = (id: string): string => id.replace(/^sha256:/, "").slice(0, 12);

function fieldsOf(subject: LogSubject, options: LogOptions): Fields {
  const [entrypoint = "", ...args] = subject.command;
  return {
    ID: short(subject.id),
    FullID: subject.id,
    Name: subject.name,
    ImageID: short(subject.imageId),
    ImageFullID: subject.imageId,
    ImageName: subject.imageName,
    DaemonName: "docker",
    Command: subject.command.join(" "),
    Hostname: hostname(),
    Config: options,
    ContainerID: subject.id,
    ContainerName: `/${subject.name}`,
    ContainerEntrypoint: entrypoint,
    ContainerArgs: args,
    ContainerImageID: subject.imageId,
    ContainerImageName: subject.imageName,
    ContainerCreated: subject.createdAt.replace("T", " ").replace(/Z$/, " +0000 UTC"),
    ContainerEnv: subject.env,
    ContainerLabels: subject.labels,
  };
}

/**
 * What tags use of Go's text/template: fields, strings, numbers, pipelines, and the functions below. Control structures are refused.
 * Errors have Go's words.
 */
export function expandTag(template: string, fields: Fields): string {
  let out = "";
  let rest = template;
  for (;;) {
    const start = rest.indexOf("{{");
    if (start < 0) return out + rest;
    const end = rest.indexOf("}}", start);
    if (end < 0) throw failure("unclosed action");
    const [, before, body = "", after] = /^(- )?(.*?)( -)?$/s.exec(rest.slice(start + 2, end)) ?? [];
    const text = rest.slice(0, start);
    out += before === undefined ? text : text.trimEnd();
    if (!/^\s*\/\*.*\*\/\s*$/s.test(body)) out += shown(evaluate(body, fields, template.length - rest.length + start + 2));
    rest = rest.slice(end + 2);
    if (after !== undefined) rest = rest.trimStart();
  }
}

const failure = (what: string): Error => invalidOption(`template: log-tag:1: ${what}`);

function evaluate(body: string, fields: Fields, column: number): Value {
  const stages = tokens(body);
  if (stages.some((words) => words.length === 0)) throw failure("missing value for command");
  let value: Value | undefined;
  for (const [first = "", ...others] of stages) {
    const args = others.map((word) => operand(word, fields, column));
    if (value !== undefined) args.push(value);
    if (/^[a-z]\w*$/i.test(first)) value = call(first, args);
    else if (args.length === 0) value = operand(first, fields, column);
    else throw failure(`executing "log-tag" at <${first}>: can't give argument to non-function ${first}`);
  }
  return value ?? "";
}

/** Words of each stage of a pipeline. */
function tokens(body: string): string[][] {
  const stages: string[][] = [[]];
  for (const [word] of body.matchAll(/"(?:[^"\\]|\\.)*"|`[^`]*`|\||[^\s|]+/g)) {
    if (word === "|") stages.push([]);
    else stages.at(-1)?.push(word);
  }
  return stages;
}

function operand(word: string, fields: Fields, column: number): Value {
  if (word.startsWith('"')) return JSON.parse(word) as string;
  if (word.startsWith("`")) return word.slice(1, -1);
  if (/^-?\d+$/.test(word)) return Number(word);
  const path = /^\.(\w+)(?:\.([\w-]+))?$/.exec(word);
  if (!path) throw failure(`unexpected ${JSON.stringify(word)} in command`);
  const [, name = "", key] = path;
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (value === undefined)
    throw invalidOption(`template: log-tag:1:${column}: executing "log-tag" at <.${name}>: can't evaluate field ${name} in type *logger.Info`);
  return key === undefined ? value : entry(value, key);
}

function entry(from: Value, key: Value): Value {
  if (Array.isArray(from)) return (from as readonly string[])[Number(key)] ?? "";
  return typeof from === "object" ? ((from as Record<string, string>)[shown(key)] ?? "<no value>") : "";
}

const functions: Readonly<Record<string, (...args: Value[]) => Value>> = {
  lower: (text) => shown(text).toLowerCase(),
  upper: (text) => shown(text).toUpperCase(),
  title: (text) => shown(text).replace(/\b[a-z]/g, (letter) => letter.toUpperCase()),
  json: (value) => JSON.stringify(value),
  truncate: (text, length) => shown(text).slice(0, Number(length)),
  pad: (text, before, after) => (shown(text) === "" ? "" : " ".repeat(Number(before)) + shown(text) + " ".repeat(Number(after))),
  split: (text, by) => shown(text).split(shown(by)),
  join: (list, by) => (Array.isArray(list) ? (list as readonly string[]).join(shown(by)) : shown(list)),
  index: (from, key) => entry(from, key),
  len: (value) => (typeof value === "string" ? Buffer.byteLength(value) : Object.keys(value).length),
  slice: (text, from, to) => shown(text).slice(Number(from), to === undefined ? undefined : Number(to)),
  print: (...parts) => parts.map(shown).join(""),
  println: (...parts) => `${parts.map(shown).join(" ")}\n`,
  printf: (format, ...parts) =>
    shown(format).replace(/%[svdq]/g, (verb) => (verb === "%q" ? JSON.stringify(shown(parts.shift() ?? "")) : shown(parts.shift() ?? ""))),
};

function call(name: string, args: Value[]): Value {
  const found = Object.hasOwn(functions, name) ? functions[name] : undefined;
  if (found) return found(...args);
  if (["if", "else", "end", "range", "with", "define", "block", "template"].includes(name)) throw failure(`{{${name}}} is not supported in log tags`);
  throw failure(`function ${JSON.stringify(name)} not defined`);
}

/** As Go prints it. */
function shown(value: Value | undefined): string {
  if (value === undefined) return "<nil>";
  if (typeof value !== "object") return String(value);
  if (Array.isArray(value)) return `[${value.join(" ")}]`;
  const entries = Object.entries(value as Record<string, string>).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `map[${entries.map(([key, item]) => `${key}:${item}`).join(" ")}]`;
}
