import type { Filters } from "#api/filters.ts";
import { EngineError, messageOf } from "#base/errors.ts";
import { nanoOf } from "../clock/clock.ts";
import { parseMoment } from "../clock/until.ts";
import type { CacheUse } from "./prune.ts";

/** Records are of steps, not of a chain: none has a parent. `description~` is BuildKit's own operator, by which a part of it is enough. */
const fields = ["id", "parent", "type", "description", "description~", "inuse", "shared", "private"];
const ages = ["until", "unused-for"];

/** What `docker builder prune --filter` means; refused in dockerd's words. */
export function cacheFilter(filters: Filters): (use: Omit<CacheUse, "bytes">) => boolean {
  const wanted = new Map(Object.entries(filters).map(([name, values]) => [name, oneOf(name, values)]));
  const [until, unusedFor] = ages.map((name) => wanted.get(name));
  if (until !== undefined && unusedFor !== undefined) throw refused('conflicting filters: "until" and "unused-for"');
  const oldest = until === undefined ? momentOf("unused-for", unusedFor) : momentOf("until", until);
  const is = (name: string, holds: (value: string) => boolean): boolean => {
    const value = wanted.get(name);
    return value === undefined || holds(value);
  };
  return ({ id, type, description, shared, record }) =>
    (oldest === undefined || nanoOf(new Date(record.lastUsed)) <= oldest) &&
    is("id", (value) => id.includes(value)) &&
    is("parent", () => false) &&
    is("type", (value) => value === type) &&
    is("description", (value) => value === description) &&
    is("description~", (value) => description.includes(value)) &&
    is("inuse", (value) => !truth(value)) &&
    is("shared", (value) => truth(value) === shared) &&
    is("private", (value) => truth(value) === !shared);
}

/** A field without a value is one that holds. */
function oneOf(name: string, values: readonly string[]): string {
  if (!fields.includes(name) && !ages.includes(name)) throw refused(`invalid filter '${name}'`);
  if (values.length > 1) throw refused("filters expect only one value");
  return values[0] ?? "true";
}

function momentOf(name: string, value: string | undefined): bigint | undefined {
  if (value === undefined) return undefined;
  try {
    return parseMoment(value);
  } catch (error) {
    throw refused(`"${name}" filter expects a duration (e.g., '24h') or a timestamp: ${messageOf(error)}`);
  }
}

const refused = (why: string): EngineError => new EngineError("invalidArgument", `failed to prune build cache: ${why}`);

const truth = (value: string): boolean => !["", "0", "false", "no"].includes(value.toLowerCase());
