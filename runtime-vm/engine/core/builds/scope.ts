import { EngineError, messageOf } from "#base/errors.ts";
import type { ArgDeclaration, InstructionOf } from "../dockerfile/instructions.ts";
import { type Expansion, expandWord, expandWords } from "../dockerfile/words.ts";

/** What `--build-arg` gives; undefined: the name alone, which means nothing here. */
export type BuildArgs = ReadonlyMap<string, string>;

/** Names that every RUN gets when they are given, whether an ARG asks for them or not; they change neither cache nor history. */
const proxies = ["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"].flatMap((name) => [name, name.toLowerCase()]);
export const isProxyArg = (name: string): boolean => proxies.includes(name);

export type Variables = ReadonlyMap<string, string>;

/** A word with variables put in; what is wrong with it is said as dockerd says it. */
export function expanded(word: string, environment: Variables, escape: string, more: Partial<Expansion> = {}): string {
  return processed(word, () => expandWord(word, { environment, escape, ...more }));
}

export function expandedWords(word: string, environment: Variables, escape: string): string[] {
  return processed(word, () => expandWords(word, { environment, escape }));
}

function processed<T>(word: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new EngineError("invalidArgument", `failed to process ${JSON.stringify(word)}: ${messageOf(error)}`, { cause: error });
  }
}

/** ARGs before the first FROM, with the platform's own. */
export function globalArgs(declared: readonly InstructionOf<"arg">[], given: BuildArgs, platformArgs: Variables, escape: string): Map<string, string> {
  const values = new Map(platformArgs);
  for (const [name, value] of given) if (platformArgs.has(name)) values.set(name, value);
  for (const { args } of declared) {
    for (const { key, value } of args) {
      const own = given.get(key) ?? (value === undefined ? undefined : expanded(value, values, escape));
      if (own !== undefined) values.set(key, own);
    }
  }
  return values;
}

/** The ARGs of a stage, in the order they were declared. */
export class StageArgs {
  readonly #given: BuildArgs;
  readonly #globals: Variables;
  readonly #values: Map<string, string | undefined>;

  constructor(given: BuildArgs, globals: Variables, inherited?: StageArgs) {
    this.#given = given;
    this.#globals = globals;
    this.#values = inherited === undefined ? new Map() : new Map(inherited.#values);
  }

  declare({ key, value }: ArgDeclaration, environment: Variables, escape: string): string | undefined {
    const fallback = value === undefined ? this.#globals.get(key) : expanded(value, environment, escape);
    const own = this.#given.get(key) ?? fallback;
    this.#values.delete(key);
    this.#values.set(key, own);
    return own;
  }

  /** `name=value` as RUN's process and the history have it; a name without a value is empty. */
  get declared(): readonly (readonly [string, string | undefined])[] {
    return [...this.#values];
  }

  /** Of an ARG of this stage. */
  value(name: string): string | undefined {
    return this.#values.get(name);
  }

  /** Proxies that were given and not declared. */
  get undeclaredProxies(): readonly (readonly [string, string])[] {
    return [...this.#given].filter(([name]) => isProxyArg(name) && !this.#values.has(name));
  }

  /** What the words of the stage's instructions see: ENV wins over ARG. */
  variables(env: readonly string[]): Map<string, string> {
    const all = new Map<string, string>();
    for (const [key, value] of this.#values) if (value !== undefined) all.set(key, value);
    for (const entry of env) all.set(entryName(entry), entry.slice(entry.indexOf("=") + 1));
    return all;
  }
}

export const entryName = (entry: string): string => entry.split("=", 1)[0] ?? "";
