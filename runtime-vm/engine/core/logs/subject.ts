import { EngineError } from "#base/errors.ts";

/** Whose output is logged: what tags and extra attributes may speak of. */
export interface LogSubject {
  readonly id: string;
  readonly name: string;
  readonly imageId: string;
  readonly imageName: string;
  /** RFC 3339 with nanoseconds. */
  readonly createdAt: string;
  readonly command: readonly string[];
  readonly env: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

type Options = Readonly<Record<string, string>>;

/** What `labels`, `labels-regex`, `env` and `env-regex` pick, sorted by name. `rename` gives names a driver's own form. */
export function extraAttributes(subject: LogSubject, options: Options, rename: (name: string) => string = (name) => name): Record<string, string> {
  const env = Object.fromEntries(subject.env.map((entry) => [entry.split("=", 1)[0] ?? "", entry.includes("=") ? entry.slice(entry.indexOf("=") + 1) : ""]));
  const found = [...picked(subject.labels, options, "labels"), ...picked(env, options, "env")];
  return Object.fromEntries(found.map(([name, value]): [string, string] => [rename(name), value]).toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

function picked(from: Readonly<Record<string, string>>, options: Options, option: string): [string, string][] {
  const names = options[option] === undefined ? [] : options[option].split(",");
  const given = options[`${option}-regex`];
  const pattern = given === undefined || given === "" ? undefined : regexp(given);
  return Object.entries(from).filter(([name]) => names.includes(name) || (pattern?.test(name) ?? false));
}

/** JavaScript's words for what is wrong, and Go's. */
const regexpErrors: readonly (readonly [RegExp, string, RegExp])[] = [
  [/Unterminated group/, "missing closing )", /.*/s],
  [/Unmatched '\)'/, "unexpected )", /.*/s],
  [/Unterminated character class|Lone quantifier|Missing terminating \]/, "missing closing ]", /\[.*/s],
  [/Nothing to repeat/, "missing argument to repetition operator", /[*+?]/],
  [/numbers out of order in \{\} quantifier/, "invalid repeat count", /\{[^}]*\}/],
  [/Range out of order in character class/, "invalid character class range", /[^[]-[^\]]/],
  [/\\ at end of pattern/, "trailing backslash at end of expression", /$/],
];

/** A pattern as Go writes it: named groups have a P, and flags for all of it stand in front. */
function regexp(text: string): RegExp {
  const look = /\(\?<?[=!]/.exec(text)?.[0];
  if (look !== undefined) throw new EngineError("invalidArgument", `error parsing regexp: invalid or unsupported Perl syntax: \`${look}\``);
  const [, flags = "", rest = ""] = /^(?:\(\?([ims]+)\))?(.*)$/s.exec(text) ?? [];
  try {
    return new RegExp(rest.replaceAll("(?P<", "(?<"), flags);
  } catch (error) {
    const message = (error as Error).message;
    const [, said = message, where = /.*/s] = regexpErrors.find(([pattern]) => pattern.test(message)) ?? [];
    const found = where.exec(text)?.[0] ?? text;
    throw new EngineError("invalidArgument", `error parsing regexp: ${said}${found === "" ? "" : `: \`${found}\``}`);
  }
}
