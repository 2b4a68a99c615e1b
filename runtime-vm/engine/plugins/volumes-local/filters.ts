import { checkFilters, type Filters, matchesLabels } from "#api/filters.ts";
import { EngineError } from "#base/errors.ts";
import { ANONYMOUS_LABEL } from "#core/volumes/request.ts";
import type { VolumeRecord } from "./table.ts";

type Matches = (record: VolumeRecord, users: number) => boolean;

/** `GET /volumes?filters=`. A name matches by any part of it. */
export function matchesVolume(filters: Filters): Matches {
  checkFilters(filters, ["dangling", "driver", "label", "name"]);
  const dangling = flag(filters, "dangling");
  const names = filters["name"] ?? [];
  const drivers = filters["driver"] ?? [];
  return (record, users) =>
    (names.length === 0 || names.some((name) => record.name.includes(name))) &&
    (drivers.length === 0 || drivers.includes("local")) &&
    matchesLabels(filters["label"], record.labels ?? {}) &&
    (dangling === undefined || dangling === (users === 0));
}

/** `POST /volumes/prune?filters=`. */
export function matchesPrune(filters: Filters, all: boolean): Matches {
  checkFilters(filters, ["all", "label", "label!"]);
  const every = flag(filters, "all") ?? all;
  return (record, users) =>
    users === 0 &&
    (every || Object.hasOwn(record.labels ?? {}, ANONYMOUS_LABEL)) &&
    matchesLabels(filters["label"], record.labels ?? {}) &&
    (filters["label!"] ?? []).every((wanted) => !matchesLabels([wanted], record.labels ?? {}));
}

function flag(filters: Filters, name: string): boolean | undefined {
  const values = filters[name] ?? [];
  if (values.length === 0) return undefined;
  if (values.every((value) => ["1", "true"].includes(value))) return true;
  if (values.every((value) => ["0", "false"].includes(value))) return false;
  throw new EngineError("invalidArgument", `invalid filter '${name}=[${values.join(" ")}]'`);
}
