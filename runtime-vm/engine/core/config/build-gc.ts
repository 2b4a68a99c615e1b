import { EngineError } from "#base/errors.ts";
import { bytes, flag, object, text, texts, type Reader, wrong } from "./values.ts";

/** What the build cache is cut down to after a build. */
export interface BuildGcRule {
  /** So much may stay, the most recently used. */
  readonly keepBytes: number;
  /** Instead of bytes: so much of the disk that the cache is on, from 0 to 1. */
  readonly keepShare?: number;
  /** What images share goes, too. */
  readonly all: boolean;
  readonly filters: Readonly<Record<string, readonly string[]>>;
}

type Warn = (reason: string) => void;

/** Newer names first: each stands for the ones after it. */
const sizes = ["maxUsedSpace", "reservedSpace", "keepStorage"];

/** `builder` of daemon.json: its `gc` with sizes of its own and a list of rules. Names are read without case, as Go does. */
export function builder(value: unknown, key: string, warn: Warn): { buildGc?: readonly BuildGcRule[] } {
  const given = lowered(object(value, key));
  if (given["entitlements"] !== undefined) warn("entitlements: a build gets no more rights than a container");
  if (given["gc"] === undefined) return {};
  const gc = lowered(object(given["gc"], `${key}.gc`));
  const on = gc["enabled"] === undefined ? true : flag(gc["enabled"], `${key}.gc.enabled`);
  const fallback = sizeOf(gc, `${key}.gc`, warn, "default");
  const rules = gc["policy"] === undefined ? [] : policy(gc["policy"], `${key}.gc.policy`, fallback, warn);
  if (!on) return {};
  if (rules.length > 0) return { buildGc: rules };
  return fallback === undefined ? {} : { buildGc: [{ ...fallback, all: true, filters: {} }] };
}

/** A size of a rule. */
type Kept = Pick<BuildGcRule, "keepBytes" | "keepShare">;

function policy(value: unknown, key: string, fallback: Kept | undefined, warn: Warn): BuildGcRule[] {
  if (!Array.isArray(value)) throw wrong(key, "a list of rules");
  return value.map((item: unknown) => {
    const rule = lowered(object(item, key));
    return {
      ...(sizeOf(rule, key, warn) ?? fallback ?? { keepBytes: 0 }),
      all: rule["all"] === undefined ? false : flag(rule["all"], `${key}.all`),
      filters: rule["filter"] === undefined ? {} : filters(rule["filter"], `${key}.filter`),
    };
  });
}

/** Undefined where nothing is said. */
function sizeOf(given: Readonly<Record<string, unknown>>, key: string, warn: Warn, prefix = ""): Kept | undefined {
  const asked = [...sizes, "minFreeSpace"].map((name) => (prefix === "" ? name : `${prefix}${name[0]?.toUpperCase()}${name.slice(1)}`));
  for (const name of asked) {
    const size = given[name.toLowerCase()];
    if (size === undefined) continue;
    const where = `${key}.${name}`;
    if (name.toLowerCase().endsWith("minfreespace")) warn(`${where}: the build cache is cut down to a size, whatever else the disk holds`);
    else if (text(size, where).endsWith("%")) return { keepBytes: 0, keepShare: share(text(size, where), where) };
    else if (size !== "" && bytes(size, where) > 0) return { keepBytes: bytes(size, where) };
  }
  return undefined;
}

function share(percent: string, key: string): number {
  const number = Number(percent.slice(0, -1));
  if (!/^\d+(\.\d+)?%$/.test(percent) || number > 100) throw wrong(key, "a size, or a share of the disk from 0% to 100%");
  return number / 100;
}

/** `["unused-for=48h"]`, or `{"unused-for": {"48h": true}}`. */
const filters: Reader<BuildGcRule["filters"]> = (value, key) => {
  if (!Array.isArray(value)) return Object.fromEntries(Object.entries(object(value, key)).map(([name, of]) => [name, Object.keys(object(of, key))]));
  const found: Record<string, string[]> = {};
  for (const filter of texts(value, key)) {
    const at = filter.indexOf("=");
    if (at < 1) throw new EngineError("invalidArgument", `${key}: invalid filter ${JSON.stringify(filter)}`);
    (found[filter.slice(0, at)] ??= []).push(filter.slice(at + 1));
  }
  return found;
};

const lowered = (given: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(given).map(([name, part]) => [name.toLowerCase(), part]));
