import { EngineError } from "#base/errors.ts";
import { checkFilters, type Filters, matchesLabels, matchesPattern } from "#api/filters.ts";
import { parseNano } from "../clock/clock.ts";
import { untilOf } from "../clock/until.ts";
import { isPredefined, type NetworkRecord, scopeOf } from "./record.ts";

const equals = (wanted: readonly string[] | undefined, text: string): boolean => wanted === undefined || wanted.length === 0 || wanted.includes(text);

/** `GET /networks?filters=`. */
export function matchesNetwork(filters: Filters): (record: NetworkRecord, endpoints: number) => boolean {
  checkFilters(filters, ["dangling", "driver", "id", "label", "name", "scope", "type"]);
  for (const type of filters["type"] ?? []) {
    if (type !== "custom" && type !== "builtin") throw new EngineError("invalidArgument", `invalid filter: 'type'='${type}'`);
  }
  const dangling = danglingFilter(filters["dangling"]);
  return (record, endpoints) =>
    matchesPattern(filters["id"], record.id) &&
    matchesPattern(filters["name"], record.name) &&
    equals(filters["driver"], record.driver) &&
    equals(filters["scope"], scopeOf(record)) &&
    equals(filters["type"], isPredefined(record.name) ? "builtin" : "custom") &&
    matchesLabels(filters["label"], record.labels) &&
    (dangling === undefined || dangling === (endpoints === 0 && !isPredefined(record.name)));
}

function danglingFilter(values: readonly string[] | undefined): boolean | undefined {
  if (values === undefined || values.length === 0) return undefined;
  const [value = ""] = values;
  if (values.length > 1) throw new EngineError("invalidArgument", `got more than one value for filter key "dangling"`);
  if (["true", "1"].includes(value)) return true;
  if (["false", "0"].includes(value)) return false;
  throw new EngineError("invalidArgument", `invalid value for filter 'dangling', must be "true" (or "1"), or "false" (or "0")`);
}

/** `POST /networks/prune?filters=`. */
export function matchesPrune(filters: Filters): (record: NetworkRecord) => boolean {
  checkFilters(filters, ["label", "label!", "until"]);
  const until = untilOf(filters["until"]);
  return (record) =>
    matchesLabels(filters["label"], record.labels) &&
    (filters["label!"] ?? []).every((wanted) => !matchesLabels([wanted], record.labels)) &&
    (until === undefined || (parseNano(record.created) ?? 0n) <= until);
}
