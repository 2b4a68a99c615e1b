import { EngineError } from "#base/errors.ts";

/** What the command line says; absent means not said. */
export interface EngineFlags {
  readonly root?: string;
  readonly socket?: string;
  readonly config?: string;
  readonly debug?: boolean;
  readonly hostPrefix?: string;
  readonly link?: string;
  readonly ctl?: string;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const valueFlags = { "--root": "root", "--socket": "socket", "--config": "config", "--host-prefix": "hostPrefix", "--link": "link", "--ctl": "ctl" } as const;

/** Reads `--name value` and `--name=value`; an unknown flag is an error that names it. */
export function parseFlags(args: readonly string[]): EngineFlags {
  const flags: Mutable<EngineFlags> = {};
  for (let i = 0; i < args.length; i++) {
    const [name, inline] = splitOnce(args[i] ?? "", "=");
    if (name === "--debug") {
      flags.debug = inline === undefined || inline === "true";
      continue;
    }
    const key = valueFlags[name as keyof typeof valueFlags];
    if (key === undefined) throw new EngineError("invalidArgument", `unknown flag ${name}: known are --debug ${Object.keys(valueFlags).join(" ")}`);
    const value = inline ?? args[++i];
    if (value === undefined || value === "") throw new EngineError("invalidArgument", `flag ${name} needs a value`);
    flags[key] = value;
  }
  return flags;
}

const splitOnce = (text: string, by: string): [string, string | undefined] => {
  const at = text.indexOf(by);
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
};
