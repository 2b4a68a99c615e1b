import { EngineError } from "#base/errors.ts";
import { parseConfigObject } from "#api/gojson.ts";
import type { EngineFlags } from "./flags.ts";
import { type Draft, flagNames, keys } from "./keys.ts";

export interface Document {
  readonly draft: Draft;
  /** The keys that are there. */
  readonly given: ReadonlySet<string>;
  readonly warnings: readonly string[];
}

/** Reads the text of daemon.json. A key nobody reads becomes a warning, never an error; what cannot be read is refused, and where. */
export function readDocument(text: string, name: string, flags: EngineFlags): Document {
  const warnings: string[] = [];
  const entries = Object.entries(parseObject(text, name));
  const draft: Draft = {};
  for (const [key, value] of entries) {
    const warn = (reason: string): void => void warnings.push(`${name}: "${key}" has no effect: ${reason}`);
    const read = keys[key];
    const meant = flagNames[key];
    if (read !== undefined)
      Object.assign(
        draft,
        named(name, key, () => read(value, key, warn)),
      );
    else if (meant !== undefined) warn(meant === "" ? "it is a flag, not a key of the file" : `it is a flag; the file calls it "${meant}"`);
    else warnings.push(`${name}: unknown key "${key}" is ignored`);
  }
  const given = new Set(entries.map(([key]) => key));
  refuseConflicts(Object.fromEntries(entries), flags, name);
  return { draft, given, warnings };
}

const failure = (name: string, reason: string): EngineError =>
  new EngineError("invalidArgument", `unable to configure the engine with file ${name}: ${reason}`);

/** Whatever a reader refuses names the file too. */
function named<T>(name: string, key: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof EngineError) throw failure(name, error.message.includes(key) ? error.message : `${key}: ${error.message}`);
    throw error;
  }
}

/** Said twice is said wrong. The root directory is the exception: `--root` is always given, and wins. */
function refuseConflicts(file: Readonly<Record<string, unknown>>, flags: EngineFlags, name: string): void {
  if (flags.debug === undefined || file["debug"] === undefined) return;
  const both = `debug: (from flag: ${flags.debug}, from file: ${JSON.stringify(file["debug"])})`;
  throw failure(name, `the following directives are specified both as a flag and in the configuration file: ${both}`);
}

function parseObject(source: string, name: string): Record<string, unknown> {
  try {
    return parseConfigObject(source);
  } catch (error) {
    throw error instanceof EngineError ? failure(name, error.message) : error;
  }
}
