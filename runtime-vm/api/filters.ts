import { EngineError } from "#base/errors.ts";

/** `filters=` of list calls and events: name -> wanted values. */
export type Filters = Readonly<Record<string, readonly string[]>>;

/** Reads both forms clients send: `{"label":["a=b"]}` and the older `{"label":{"a=b":true}}`. */
export function parseFilters(text: string | null | undefined): Filters {
  if (text === null || text === undefined || text === "") return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new EngineError("invalidArgument", "invalid filter");
  }
  if (value === null) return {};
  if (typeof value !== "object" || Array.isArray(value)) throw new EngineError("invalidArgument", "invalid filter");
  const all = Object.entries(value) as [string, unknown][];
  if (all.every(([, wanted]) => isList(wanted))) return Object.fromEntries(all) as Filters;
  if (all.every(([, wanted]) => isSet(wanted))) return Object.fromEntries(all.map(([name, wanted]) => [name, chosenOf(wanted as Record<string, boolean>)]));
  throw new EngineError("invalidArgument", "invalid filter");
}

const isList = (wanted: unknown): boolean => Array.isArray(wanted) && wanted.every((item) => typeof item === "string");

const isSet = (wanted: unknown): boolean =>
  typeof wanted === "object" && wanted !== null && !Array.isArray(wanted) && Object.values(wanted).every((on) => typeof on === "boolean");

const chosenOf = (set: Readonly<Record<string, boolean>>): string[] =>
  Object.entries(set)
    .filter(([, on]) => on)
    .map(([item]) => item);

/** Refuses names that a list does not know, as dockerd words it. */
export function checkFilters(filters: Filters, known: readonly string[]): void {
  for (const name of Object.keys(filters)) {
    if (!known.includes(name)) throw new EngineError("invalidArgument", `invalid filter '${name}'`);
  }
}

/** Whether labels satisfy every `key` or `key=value` wanted. */
export function matchesLabels(wanted: readonly string[] | undefined, labels: Readonly<Record<string, string>>): boolean {
  return (wanted ?? []).every((item) => {
    const at = item.indexOf("=");
    return at === -1 ? Object.hasOwn(labels, item) : labels[item.slice(0, at)] === item.slice(at + 1);
  });
}

/** A boolean filter value (`dangling=true`), refused in dockerd's words when it is none. */
export function booleanFilter(filters: Filters, name: string, absent: boolean): boolean {
  const values = filters[name];
  if (values === undefined || values.length === 0) return absent;
  const truthy = values.some((value) => value === "1" || value.toLowerCase() === "true");
  const falsy = values.some((value) => value === "0" || value.toLowerCase() === "false");
  if (truthy === falsy) throw new EngineError("invalidArgument", `invalid filter '${name}=[${values.join(" ")}]'`);
  return truthy;
}

/** dockerd's match of a name or an id: the text itself, or a regular expression that finds something in it. */
export function matchesPattern(wanted: readonly string[] | undefined, text: string): boolean {
  if (wanted === undefined || wanted.length === 0) return true;
  return wanted.some((pattern) => pattern === text || regexp(pattern)?.test(text) === true);
}

function regexp(pattern: string): RegExp | undefined {
  try {
    return new RegExp(pattern);
  } catch {
    return undefined;
  }
}
