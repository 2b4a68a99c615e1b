import { checkFilters, type Filters, matchesLabels, matchesPattern } from "#api/filters.ts";
import { EngineError } from "#base/errors.ts";
import { ANONYMOUS_LABEL } from "#core/volumes/request.ts";
import type { VolumeRecord } from "./table.ts";

type Matches = (record: VolumeRecord, users: number) => boolean;

/** `GET /volumes?filters=`. */
export function matchesVolume(filters: Filters): Matches {
  checkFilters(filters, ["dangling", "driver", "label", "name"]);
  const dangling = flag(filters, "dangling");
  const drivers = filters["driver"] ?? [];
  return (record, users) =>
    matchesPattern(filters["name"], record.name) &&
    (drivers.length === 0 || drivers.includes("local")) &&
    matchesLabels(filters["label"], record.labels ?? {}) &&
    (dangling === undefined || dangling === (users === 0));
}

/** `POST /volumes/prune?filters=`. A volume on a device of its own is never pruned: its data lies elsewhere. */
export function matchesPrune(filters: Filters, all: boolean): Matches {
  checkFilters(filters, ["all", "label", "label!"]);
  const every = flag(filters, "all") ?? all;
  return (record, users) =>
    users === 0 &&
    Object.keys(record.options ?? {}).length === 0 &&
    (every || Object.hasOwn(record.labels ?? {}, ANONYMOUS_LABEL)) &&
    matchesLabels(filters["label"], record.labels ?? {}) &&
    (filters["label!"] ?? []).every((wanted) => !matchesLabels([wanted], record.labels ?? {}));
}

function flag(filters: Filters, name: string): boolean | undefined {
  const values = filters[name] ?? [];
  if (values.length === 0) return undefined;
  if (values.every((value) => ["1", "true"].includes(value))) return true;
  if (values.every((value) => ["0", "false"].includes(value))) return false;
  const why = name === "all" ? `'all': strconv.ParseBool: parsing ${JSON.stringify(values[0])}: invalid syntax` : `'${name}=[${values.join(" ")}]'`;
  throw new EngineError("invalidArgument", `invalid filter ${why}`);
}
