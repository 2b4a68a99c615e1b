import { type LogLevelName, logLevelNames } from "#api/log-search.ts";
import { EngineError } from "#base/errors.ts";
import type { LogSearch } from "#core/logs/memory.ts";
import { levelHint, levelOf } from "./log-level.ts";

export type MatchTerms = Pick<LogSearch, "text" | "regex" | "ignoreCase" | "level" | "fields">;

/** How a line is found: quickly among many first, then for certain. */
export interface Matcher {
  /** Bytes that every such line has as they are in the file; absent: none are known. */
  readonly literal?: Buffer;
  /** Without those: what is found in every such line's text, on many lines at once. Absent: each line is looked at. */
  readonly coarse?: RegExp;
  accepts(text: string): boolean;
}

export function matcherOf(terms: MatchTerms): Matcher {
  const tests = [...textTests(terms), ...regexTests(terms), ...levelTests(terms), ...fieldTests(terms)];
  const accepts = (text: string): boolean => tests.every((test) => test(text));
  const literal = literalOf(terms);
  const coarse = literal === undefined ? coarseOf(terms) : undefined;
  return { accepts, ...(literal === undefined ? {} : { literal: Buffer.from(literal) }), ...(coarse === undefined ? {} : { coarse }) };
}

type Test = (text: string) => boolean;

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");

function textTests({ text, ignoreCase }: MatchTerms): Test[] {
  if (text === undefined) return [];
  if (!ignoreCase) return [(line) => line.includes(text)];
  const regexp = new RegExp(escaped(text), "i");
  return [(line) => regexp.test(line)];
}

function regexTests({ regex, ignoreCase }: MatchTerms): Test[] {
  if (regex === undefined) return [];
  const regexp = compile(regex, ignoreCase ? "i" : "");
  return [(line) => regexp.test(line)];
}

function compile(regex: string, flags: string): RegExp {
  try {
    return new RegExp(regex, flags);
  } catch (error) {
    throw new EngineError("invalidArgument", `regex: ${(error as Error).message}`, { cause: error });
  }
}

function levelTests({ level }: MatchTerms): Test[] {
  if (level === undefined) return [];
  const least = rank(level);
  return [
    (line) => {
      const found = levelOf(line);
      return found !== undefined && rank(found) >= least;
    },
  ];
}

const rank = (level: LogLevelName): number => logLevelNames.indexOf(level);

function fieldTests({ fields }: MatchTerms): Test[] {
  if (fields.length === 0) return [];
  return [
    (line) => {
      const object = objectIn(line);
      return object !== undefined && fields.every(({ path, value }) => shown(at(object, path)) === value);
    },
  ];
}

function objectIn(line: string): object | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    return JSON.parse(line) as object;
  } catch {
    return undefined;
  }
}

/** A key that has dots itself goes before a way through several. */
function at(object: object, path: string): unknown {
  if (Object.hasOwn(object, path)) return (object as Record<string, unknown>)[path];
  let found: unknown = object;
  for (const key of path.split(".")) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, key)) return undefined;
    found = (found as Record<string, unknown>)[key];
  }
  return found;
}

const shown = (value: unknown): string | undefined => (value === undefined ? undefined : typeof value === "string" ? value : JSON.stringify(value));

/** Letters that stand in a log file as they are. */
const plain = /[\x20\x21\x23-\x25\x27-\x3b\x3d\x3f-\x5b\x5d-\x7e]+/g;
/** Below that, more lines have it by chance than is saved. */
const literalCharsMin = 3;

/** The longest piece of text that has to be in a line's bytes. */
function literalOf({ text, regex, ignoreCase, fields }: MatchTerms): string | undefined {
  const texts = ignoreCase ? [] : [...(text === undefined ? [] : [text]), ...(regex === undefined ? [] : literalsOf(regex))];
  const keys = fields.flatMap(({ path }) => keyOf(path));
  const pieces = [...texts.flatMap((one) => one.match(plain) ?? []).filter((piece) => piece.length >= literalCharsMin), ...keys];
  return pieces.toSorted((a, b) => b.length - a.length)[0];
}

/** The end of a field's name, with the quote behind it as a log file has it. */
function keyOf(path: string): string[] {
  const key = path.split(".").at(-1) ?? "";
  return key !== "" && key.match(plain)?.[0] === key ? [`${key}\\"`] : [];
}

/** Runs of letters outside of groups, classes and repetitions that every match has. None where there is a choice at the top. */
function literalsOf(regex: string): string[] {
  const found: string[] = [];
  let run = "";
  let depth = 0;
  const cut = (): void => {
    found.push(run);
    run = "";
  };
  for (const [token] of regex.matchAll(
    /\\(?:[pPk](?:\{[^}]*\}|<[^>]*>)|u\{?[\da-fA-F]+\}?|x[\da-fA-F]{2}|c[A-Za-z]|\d+|.)|\[(?:\\.|[^\]\\])*\]|[*+?]\??|\{\d+(?:,\d*)?\}\??|./gs,
  )) {
    if (token === "|" && depth === 0) return [];
    if (token === "(") depth += 1;
    if (token === ")") depth -= 1;
    if (/^[*+?{]/.test(token) && run !== "") run = run.slice(0, -1);
    const letter = /^\\[^A-Za-z0-9]$/.test(token) ? token.slice(1) : token;
    if (depth === 0 && letter.length === 1 && (token.length === 2 || !/[()[\]{}.*+?^$|\\]/.test(token))) run += letter;
    else cut();
  }
  cut();
  return found;
}

/** The same expression where it cannot reach beyond a line's end, among many lines; undefined where it may name that end in other ways. */
function inLine(regex: string): string | undefined {
  let stays = true;
  const text = regex.replace(/\\.|\[(?:\\.|[^\]\\])*\]/gs, (token) => {
    if (token === "\\s") return "[^\\S\\n]";
    if (token === "\\W") return "[^\\w\\n]";
    if (token === "\\D") return "[^\\d\\n]";
    if (token.startsWith("[^")) return `[^\\n${token.slice(2)}`;
    if (token.startsWith("[") ? riskyClass.test(token) : /^\\[nuxc0]/.test(token)) stays = false;
    return token;
  });
  return stays && !/\n/.test(text) ? text : undefined;
}

/** A class that may have a line's end in it. */
const riskyClass = /\\[sWDnuxc0]|\\.-|[^ -~]-/;

function coarseOf({ text, regex, ignoreCase, level }: MatchTerms): RegExp | undefined {
  const flags = `gm${ignoreCase ? "i" : ""}`;
  if (text !== undefined) return text === "" ? undefined : new RegExp(escaped(text), flags);
  const within = regex === undefined ? undefined : inLine(regex);
  if (within !== undefined) return new RegExp(within, flags);
  return level === undefined ? undefined : new RegExp(levelHint(level), "gm");
}
