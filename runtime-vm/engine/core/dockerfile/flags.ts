import { DockerfileError } from "./errors.ts";
import type { SourceNode } from "./source.ts";
import { withSuggestion } from "./suggest.ts";

/** What flags an instruction may have: with one value, with any number of values, or none (true where it stands alone). */
export interface FlagShapes {
  readonly one?: readonly string[];
  readonly many?: readonly string[];
  readonly bool?: readonly string[];
}

export class Flags {
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(values: ReadonlyMap<string, readonly string[]>) {
    this.#values = values;
  }

  one(name: string): string {
    return this.#values.get(name)?.[0] ?? "";
  }

  many(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  /** Undefined: not given. */
  bool(name: string): boolean | undefined {
    const value = this.#values.get(name)?.[0];
    return value === undefined ? undefined : value === "true";
  }
}

const truths = new Map([
  ["", "true"],
  ["true", "true"],
  ["false", "false"],
]);

export function readFlags(node: SourceNode, shapes: FlagShapes): Flags {
  const { one = [], many = [], bool = [] } = shapes;
  const found = new Map<string, string[]>();
  const fail = (message: string): DockerfileError => new DockerfileError("instruction", message, node.lines);
  for (const flag of node.flags) {
    const equals = flag.indexOf("=");
    const name = flag.slice(2, equals < 0 ? undefined : equals);
    const value = equals < 0 ? undefined : flag.slice(equals + 1);
    if (![...one, ...many, ...bool].includes(name)) {
      throw fail(withSuggestion(`unknown flag: --${name}`, name, [...one, ...many, ...bool]));
    }
    if (found.has(name) && !many.includes(name)) throw fail(`duplicate flag specified: --${name}`);
    if (bool.includes(name)) {
      const truth = truths.get((value ?? "").toLowerCase());
      if (truth === undefined) throw fail(`expecting boolean value for flag --${name}, not: ${value ?? ""}`);
      found.set(name, [truth]);
    } else {
      if (value === undefined) throw fail(`missing a value on flag: --${name}`);
      found.set(name, [...(found.get(name) ?? []), value]);
    }
  }
  return new Flags(found);
}
