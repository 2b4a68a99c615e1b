import { EngineError } from "#base/errors.ts";
import type { CacheBounds, DiskSize } from "../builds/bounds.ts";
import { bytes, flag, object, text, texts, type Reader, wrong } from "./values.ts";

/** What the build cache is cut down to after a build. */
export interface BuildGcRule {
  /** How large it may stay; what was used longest ago goes first. */
  readonly bounds: CacheBounds<DiskSize>;
  /** What images share goes, too. */
  readonly all: boolean;
  readonly filters: Readonly<Record<string, readonly string[]>>;
}

const share = (of: number): DiskSize => ({ share: of });
const usual: BuildGcRule["bounds"] = { reserved: share(0.1), maxUsed: share(0.8), minFree: share(0.2) };

/** dockerd's own: caches of package managers go soonest, what was not used for sixty days next, then what was used longest ago. */
export const buildGcDefault: readonly BuildGcRule[] = [
  { bounds: { maxUsed: share(0.0138) }, all: false, filters: { type: ["exec.cachemount"], "unused-for": ["48h"] } },
  { bounds: usual, all: false, filters: { "unused-for": ["1440h"] } },
  { bounds: usual, all: false, filters: {} },
  { bounds: usual, all: true, filters: {} },
];

/** `keepStorage` is the old name of what is reserved. */
const names = { maxUsed: ["maxUsedSpace"], reserved: ["reservedSpace", "keepStorage"], minFree: ["minFreeSpace"] } as const;

/** `builder` of daemon.json: what builds may be granted, and its `gc` with sizes of its own and a list of rules. Names are read without case, as Go does. */
export function builder(value: unknown, key: string): { buildGc?: readonly BuildGcRule[]; buildEntitlements?: readonly string[] } {
  const given = lowered(object(value, key));
  const rights = given["entitlements"] === undefined ? {} : { buildEntitlements: entitlements(given["entitlements"], `${key}.entitlements`) };
  return { ...rights, ...gcOf(given, key) };
}

/** What builds may be granted by their clients where daemon.json says nothing. */
export const buildEntitlementsDefault: readonly string[] = ["network.host"];

/** Of dockerd's names those that are on: what is not named stays as it is by default. */
function entitlements(value: unknown, key: string): readonly string[] {
  const given = lowered(object(value, key));
  const is = (name: string, otherwise: boolean): boolean => (given[name] === undefined ? otherwise : flag(given[name], `${key}.${name}`));
  return [...(is("network-host", true) ? ["network.host"] : []), ...(is("security-insecure", false) ? ["security.insecure"] : [])];
}

function gcOf(given: Readonly<Record<string, unknown>>, key: string): { buildGc?: readonly BuildGcRule[] } {
  if (given["gc"] === undefined) return {};
  const gc = lowered(object(given["gc"], `${key}.gc`));
  const on = gc["enabled"] === undefined ? true : flag(gc["enabled"], `${key}.gc.enabled`);
  const fallback = boundsOf(gc, `${key}.gc`, "default");
  const rules = gc["policy"] === undefined ? [] : policy(gc["policy"], `${key}.gc.policy`, fallback ?? {});
  if (!on) return { buildGc: [] };
  if (rules.length > 0) return { buildGc: rules };
  return fallback === undefined ? {} : { buildGc: [{ bounds: fallback, all: true, filters: {} }] };
}

function policy(value: unknown, key: string, fallback: BuildGcRule["bounds"]): BuildGcRule[] {
  if (!Array.isArray(value)) throw wrong(key, "a list of rules");
  return value.map((item: unknown) => {
    const rule = lowered(object(item, key));
    return {
      bounds: boundsOf(rule, key) ?? fallback,
      all: rule["all"] === undefined ? false : flag(rule["all"], `${key}.all`),
      filters: rule["filter"] === undefined ? {} : filters(rule["filter"], `${key}.filter`),
    };
  });
}

/** Undefined where nothing is said. */
function boundsOf(given: Readonly<Record<string, unknown>>, key: string, prefix = ""): BuildGcRule["bounds"] | undefined {
  const written = (name: string): string => (prefix === "" ? name : `${prefix}${name[0]?.toUpperCase()}${name.slice(1)}`);
  const found = Object.entries(names).flatMap(([bound, all]) => {
    const sizes = all.map(written).map((name) => sizeOf(given[name.toLowerCase()], `${key}.${name}`));
    const size = sizes.find((one) => one !== undefined);
    return size === undefined ? [] : [[bound, size] as const];
  });
  return found.length === 0 ? undefined : Object.fromEntries(found);
}

function sizeOf(size: unknown, where: string): DiskSize | undefined {
  if (size === undefined || size === "") return undefined;
  if (text(size, where).endsWith("%")) return share(shareOf(text(size, where), where));
  return bytes(size, where) > 0 ? { bytes: bytes(size, where) } : undefined;
}

function shareOf(percent: string, key: string): number {
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
