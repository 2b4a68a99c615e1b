import { type LogLevelName, logLevelNames } from "#api/log-search.ts";

/** How bad a line says it is: a field of a JSON line, `level=` of logfmt, klog's first letter, or a word near its beginning. */

const words: Readonly<Record<string, LogLevelName>> = {
  trace: "trace",
  trc: "trace",
  verbose: "trace",
  debug: "debug",
  dbg: "debug",
  info: "info",
  inf: "info",
  information: "info",
  notice: "info",
  warn: "warn",
  warning: "warn",
  wrn: "warn",
  error: "error",
  err: "error",
  severe: "error",
  fatal: "fatal",
  ftl: "fatal",
  panic: "fatal",
  critical: "fatal",
  crit: "fatal",
  emerg: "fatal",
  emergency: "fatal",
  alert: "fatal",
};
const klog: Readonly<Record<string, LogLevelName>> = { I: "info", W: "warn", E: "error", F: "fatal" };

/** Names in front of each other's: the alternatives are tried in this order. */
const anyWord = Object.keys(words)
  .toSorted((a, b) => b.length - a.length)
  .join("|");
const said = new RegExp(`\\b(?:level|lvl|severity)"?\\s*[=:]\\s*"?(${anyWord}|\\d{2})\\b`, "i");
/** A colour ends with a letter of its own (ECMA-48, SGR). */
const named = new RegExp(`(?:^|[^A-Za-z0-9_./-]|\\x1b\\[[\\d;]*m)(${anyWord})(?![A-Za-z0-9_./-])`, "i");
/** Where a word counts: further on it is what the line is about. */
const headChars = 80;

export function levelOf(text: string): LogLevelName | undefined {
  const field = said.exec(text)?.[1];
  if (field !== undefined) return words[field.toLowerCase()] ?? pinoLevel(Number(field));
  const letter = /^([IWEF])\d{4} \d\d:/.exec(text)?.[1];
  if (letter !== undefined) return klog[letter];
  return words[named.exec(text.slice(0, headChars))?.[1]?.toLowerCase() ?? ""];
}

/** Pino and bunyan count by tens. */
const pinoLevel = (number: number): LogLevelName | undefined => logLevelNames[Math.floor(number / 10) - 1];

/** Something that every line of these levels has, for many lines at once. Both cases are spelt out: V8 is a third slower where a flag says it. */
export function levelHint(atLeast: LogLevelName): string {
  const wanted = new Set<LogLevelName>(logLevelNames.slice(logLevelNames.indexOf(atLeast)));
  const all = Object.keys(words).filter((word) => wanted.has(words[word]!));
  const found = all.filter((word) => !all.some((other) => other !== word && word.startsWith(other)));
  const first = logLevelNames.indexOf(atLeast) + 1;
  return `${found.map(inAnyCase).join("|")}|^[IWEF]\\d{4} |(?:${["level", "lvl", "severity"].map(inAnyCase).join("|")})"?\\s*[=:]\\s*"?[${first}-9]\\d`;
}

const inAnyCase = (word: string): string => word.replace(/[a-z]/g, (letter) => `[${letter}${letter.toUpperCase()}]`);
