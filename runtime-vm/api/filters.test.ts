import { expect, test } from "vitest";
import { booleanFilter, checkFilters, matchesLabels, parseFilters } from "./filters.ts";

test("both forms of filters are read", () => {
  expect(parseFilters('{"label":["a=b","c"]}')).toEqual({ label: ["a=b", "c"] });
  expect(parseFilters('{"status":{"running":true,"paused":false}}')).toEqual({ status: ["running"] });
  expect(parseFilters("")).toEqual({});
  expect(parseFilters(null)).toEqual({});
});

test.each(["xx", "[]", '"a"', '{"a":1}', '{"a":{"b":1}}', '{"a":[1]}', '{"a":["x"],"b":{"y":true}}'])("%s is no filter", (text) => {
  expect(() => parseFilters(text)).toThrow("invalid filter");
});

test("unknown names are refused", () => {
  expect(() => checkFilters({ foo: ["x"] }, ["name"])).toThrow("invalid filter 'foo'");
});

test("labels match by key, or by key and value", () => {
  expect(matchesLabels(["a", "b=1"], { a: "", b: "1" })).toBe(true);
  expect(matchesLabels(["b=2"], { b: "1" })).toBe(false);
  expect(matchesLabels(["c"], { b: "1" })).toBe(false);
  expect(matchesLabels(undefined, {})).toBe(true);
});

test("a boolean filter is one or the other", () => {
  expect(booleanFilter({ dangling: ["1"] }, "dangling", false)).toBe(true);
  expect(booleanFilter({}, "dangling", true)).toBe(true);
  expect(() => booleanFilter({ dangling: ["true", "false"] }, "dangling", false)).toThrow("invalid filter 'dangling=[true false]'");
  expect(() => booleanFilter({ dangling: ["maybe"] }, "dangling", false)).toThrow("invalid filter 'dangling=[maybe]'");
});
