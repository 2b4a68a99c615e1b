import { expect, test } from "vitest";
import { replaced, withoutPrefix, withoutSuffix } from "./pattern.ts";

/** The same by regular expressions, which do well with what is short. */
const source = (pattern: string, greedy: boolean): string =>
  pattern.replace(/\\?[^]/gu, (one) => (one === "*" ? (greedy ? ".*" : ".*?") : one === "?" ? "." : one.replace(/^\\/, "").replace(/[.*?\\]/, "\\$&")));

const texts = (letters: string, length: number): string[] =>
  length === 0 ? [""] : ["", ...Array.from(letters).flatMap((letter) => texts(letters, length - 1).map((rest) => letter + rest))];
const patterns = [...new Set(texts("ab*?", 4))];
const values = [...new Set(texts("ab\n", 4))];

test("a prefix is taken off as a regular expression would", () => {
  for (const pattern of patterns) {
    for (const greedy of [false, true]) {
      const by = new RegExp(`^${source(pattern, greedy)}`, "su");
      for (const value of values) expect(withoutPrefix(value, pattern, greedy), `${value} ${pattern}`).toBe(value.replace(by, ""));
    }
  }
});

test("a suffix is the shortest or the longest end that the whole pattern is like", () => {
  for (const pattern of patterns) {
    const whole = new RegExp(`^${source(pattern, true)}$`, "su");
    for (const value of values) {
      const ends = Array.from({ length: value.length + 1 }, (_, i) => value.length - i).filter((at) => whole.test(value.slice(at)));
      expect(withoutSuffix(value, pattern, false), `${value} % ${pattern}`).toBe(value.slice(0, ends[0]));
      expect(withoutSuffix(value, pattern, true), `${value} %% ${pattern}`).toBe(value.slice(0, ends.at(-1)));
    }
  }
});

test("the first match is replaced as a regular expression would", () => {
  for (const pattern of patterns) {
    const by = new RegExp(source(pattern, true), "u");
    for (const value of values) expect(replaced(value, pattern, { replacement: "-", all: false }), `${value} / ${pattern}`).toBe(value.replace(by, "-"));
  }
});

test.each([
  ["aXbXc", "X", "a-b-c"],
  ["abc", "", "-a-b-c-"],
  ["abc", "*", "-"],
  ["aab", "a*", "-"],
  ["a.b.c", "?.", "--c"],
  ["\u{1F433}x\u{1F433}", "?x", "-\u{1F433}"],
  ["a*b", "\\*", "a-b"],
  ["none", "x", "none"],
])("all of %j that are like %j", (value, pattern, result) => {
  expect(replaced(value, pattern, { replacement: "-", all: true })).toBe(result);
});

test("a pattern made to take for ever is done with", () => {
  const [value, pattern] = ["a".repeat(20_000), `${"*a".repeat(30)}*b`];
  expect(withoutPrefix(value, pattern, true)).toBe(value);
  expect(withoutSuffix(value, pattern, true)).toBe(value);
  expect(replaced(value, pattern, { replacement: "-", all: true })).toBe(value);
});
