import { expect, test } from "vitest";
import type { Filters } from "#api/filters.ts";
import type { CacheUse } from "./prune.ts";
import { cacheFilter } from "./prune-filter.ts";

const hoursAgo = (hours: number): string => new Date(Date.now() - hours * 3_600_000).toISOString();
const used = (name: string, more: Partial<CacheUse> & { readonly hours: number }): CacheUse => {
  const times = { created: hoursAgo(99), lastUsed: hoursAgo(more.hours) };
  const record = { key: name, kind: "layer", description: "", usageCount: 1, ...times } as const;
  return { record, id: `id-${name}`, type: "regular", description: `RUN ${name}`, bytes: 1, shared: false, ...more };
};
const uses = [
  used("old", { hours: 50 }),
  used("new", { hours: 1, shared: true }),
  used("mount", { hours: 10, type: "exec.cachemount", description: "cached mount /c" }),
];
const left = (filters: Filters): string[] => uses.filter(cacheFilter(filters)).map(({ record }) => record.key);

test.each<[Filters, string[]]>([
  [{}, ["old", "new", "mount"]],
  [{ until: ["24h"] }, ["old"]],
  [{ "unused-for": ["5h"] }, ["old", "mount"]],
  [{ until: [hoursAgo(5)] }, ["old", "mount"]],
  [{ until: ["10"] }, []],
  [{ id: ["id-n"] }, ["new"]],
  [{ parent: ["id-old"] }, []],
  [{ type: ["exec.cachemount"] }, ["mount"]],
  [{ description: ["RUN old"] }, ["old"]],
  [{ description: ["RUN"] }, []],
  [{ "description~": ["RUN"] }, ["old", "new"]],
  [{ shared: ["true"] }, ["new"]],
  [{ shared: [] }, ["new"]],
  [{ private: ["1"], until: ["24h"] }, ["old"]],
  [{ inuse: ["true"] }, []],
])("%j leaves what it names", (filters, names) => {
  expect(left(filters)).toEqual(names);
});

test.each<[Filters, string]>([
  [{ parents: ["x"] }, "invalid filter 'parents'"],
  [{ until: ["1h", "2h"] }, "filters expect only one value"],
  [{ type: ["a", "b"] }, "filters expect only one value"],
  [{ until: ["1h"], "unused-for": ["1h"] }, 'conflicting filters: "until" and "unused-for"'],
  [{ until: ["x"] }, `"until" filter expects a duration (e.g., '24h') or a timestamp: failed to parse value as time or duration: "x"`],
])("%j is refused in dockerd's words", (filters, why) => {
  expect(() => cacheFilter(filters)).toThrow(`failed to prune build cache: ${why}`);
});
