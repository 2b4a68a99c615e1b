import { EngineError } from "#base/errors.ts";

/** New permissions of a file that had `mode`. */
export type ModeChange = (mode: number, isDirectory: boolean) => number;

const bits: Readonly<Record<string, number>> = { r: 4, w: 2, x: 1 };
const classes: Readonly<Record<string, number>> = { u: 6, g: 3, o: 0 };

/** What `--chmod` makes of a directory that had to be made: symbols change only what was there. */
export const madeMode = (text: string): number | undefined => (/^[0-7]{1,5}$/.test(text) ? Number.parseInt(text, 8) & 0o7777 : undefined);

/** `--chmod`: octal digits, or chmod(1)'s symbols. */
export function parseMode(text: string): ModeChange {
  const octal = madeMode(text);
  if (octal !== undefined) return () => octal;
  const clauses = text.split(",").map(clauseOf);
  return (mode, isDirectory) => clauses.reduce((now, change) => change(now, isDirectory), mode);
}

function clauseOf(text: string): ModeChange {
  const match = /^([ugoa]*)((?:[-+=](?:[rwxXst]*|[ugo]))+)$/.exec(text);
  if (match === null) throw new EngineError("invalidArgument", "invalid syntax");
  const [, who = "", actions = ""] = match;
  const whose = who === "" || who.includes("a") ? ["u", "g", "o"] : Array.from(who);
  const steps = [...actions.matchAll(/([-+=])([ugo]|[rwxXst]*)/g)];
  return (mode, isDirectory) => steps.reduce((now, [, operator = "", what = ""]) => applied(now, { whose, operator, what, isDirectory }), mode);
}

interface Step {
  readonly whose: readonly string[];
  readonly operator: string;
  readonly what: string;
  readonly isDirectory: boolean;
}

function applied(mode: number, { whose, operator, what, isDirectory }: Step): number {
  let result = mode;
  for (const one of whose) {
    const shift = classes[one] ?? 0;
    const copied = /^[ugo]$/.test(what) ? (mode >> (classes[what] ?? 0)) & 7 : undefined;
    const plain = copied ?? Array.from(what).reduce((sum, char) => sum | (bits[char] ?? 0), 0);
    const runs = what.includes("X") && (isDirectory || (mode & 0o111) !== 0) ? 1 : 0;
    const special = (what.includes("s") ? (one === "u" ? 0o4000 : one === "g" ? 0o2000 : 0) : 0) | (what.includes("t") ? 0o1000 : 0);
    const set = ((plain | runs) << shift) | special;
    if (operator === "+") result |= set;
    else if (operator === "-") result &= ~set;
    else result = (result & ~(7 << shift)) | set;
  }
  return result & 0o7777;
}
