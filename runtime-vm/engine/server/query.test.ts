import { expect, test } from "vitest";
import { consoleSize, sizeOf, unixNano } from "./numbers.ts";
import { Query } from "./query.ts";

test.each([
  ["all=1", true],
  ["all=true", true],
  ["all=yes", true],
  ["all=0", false],
  ["all=False", false],
  ["all=none", false],
  ["all=", false],
  ["", false],
])("%j is read as dockerd reads it: %s", (text, value) => {
  expect(new Query(text).bool("all")).toBe(value);
});

test("numbers are whole or refused", () => {
  expect(new Query("limit=-1").int("limit", 0)).toBe(-1);
  expect(new Query("").int("limit", 7)).toBe(7);
  expect(() => new Query("limit=x").int("limit", 0)).toThrow('strconv.Atoi: parsing "x": invalid syntax');
});

test("numbers past 64 bits are out of range", () => {
  expect(() => new Query("limit=99999999999999999999").int("limit", 0)).toThrow('strconv.Atoi: parsing "99999999999999999999": value out of range');
  expect(() => unixNano("99999999999999999999", "since")).toThrow('invalid value for "since": "99999999999999999999" is out of range');
});

test("sizes need both sides", () => {
  expect(sizeOf(new Query("h=40&w=120"))).toEqual({ height: 40, width: 120 });
  expect(() => sizeOf(new Query("h=a&w=1"))).toThrow('invalid resize height "a": invalid syntax');
  expect(() => sizeOf(new Query("h=1&w=70000"))).toThrow("value out of range");
  expect(consoleSize([0, 0])).toBeUndefined();
  expect(consoleSize([40, 120])).toEqual({ height: 40, width: 120 });
});

test("Unix times have nanoseconds", () => {
  expect(unixNano("1700000000.000000123", "since")).toBe(1_700_000_000_000_000_123n);
  expect(unixNano("1700000000", "since")).toBe(1_700_000_000_000_000_000n);
  expect(unixNano("0", "since")).toBeUndefined();
  expect(() => unixNano("yesterday", "since")).toThrow('invalid value for "since"');
});
