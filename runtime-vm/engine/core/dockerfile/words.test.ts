import { expect, test } from "vitest";
import { expandWord, expandWords } from "./words.ts";

const environment = new Map([
  ["A", "one two"],
  ["EMPTY", ""],
  ["P", "foo.tar.gz"],
]);
const expand = (text: string, more: { raw?: boolean; keepUnset?: boolean } = {}): string => expandWord(text, { environment, escape: "\\", ...more });

test.each<[string, string]>([
  ["$A", "one two"],
  ["${A}x", "one twox"],
  ["\\$A", "$A"],
  ["'$A'", "$A"],
  ['"$A"', "one two"],
  ["${NO}", ""],
  ["${NO:-d}", "d"],
  ["${NO-d}", "d"],
  ["${EMPTY:-d}", "d"],
  ["${EMPTY-d}", ""],
  ["${A:+yes}", "yes"],
  ["${NO:+yes}", ""],
  ["${EMPTY+yes}", "yes"],
  ["${NO:-${A}}", "one two"],
  ["${P#*.}", "tar.gz"],
  ["${P##*.}", "gz"],
  ["${P%.*}", "foo.tar"],
  ["${P%%.*}", "foo"],
  ["${P/o/0}", "f0o.tar.gz"],
  ["${P//o/0}", "f00.tar.gz"],
  ["a\\ b", "a b"],
  ['"a\\b"', "a\\b"],
  ["$", "$"],
])("%s becomes %j", (text, expected) => {
  expect(expand(text)).toBe(expected);
});

test.each<[string, string]>([
  ["${b", "unsupported modifier (\ufffd) in substitution"],
  ["${b:?needed}", "b: needed"],
  ["${b!x}", "unsupported modifier (!) in substitution"],
  ["'a", "unexpected end of statement while looking for matching single-quote"],
  ['"a', "unexpected end of statement while looking for matching double-quote"],
  ["${}", "syntax error: bad substitution"],
  ["${b:", "syntax error: missing '}'"],
  ["${b:-x", "syntax error: missing '}'"],
  ["${b/x", "syntax error: missing '/' in ${}"],
])("%s is refused: %s", (text, message) => {
  expect(() => expand(text)).toThrow(message);
});

test("substitutions may stand in one another, to a depth", () => {
  const nested = (depth: number): string => `${"${NO:-".repeat(depth)}x${"}".repeat(depth)}`;
  expect(expand(nested(200))).toBe("x");
  expect(() => expand(nested(201))).toThrow("substitutions stand in one another more than 200 deep");
  expect(() => expand("${NO:-".repeat(50_000))).toThrow("more than 200 deep");
});

test("what a variable brings is parted, what is quoted is not", () => {
  expect(expandWords("$A \"$A\" ''", { environment, escape: "\\" })).toEqual(["one", "two", "one two", ""]);
});

test("raw text keeps its quotes and escapes, and names without a value when told so", () => {
  expect(expand("'$A' \"$A\" \\$A $NO ${NO:-x}", { raw: true, keepUnset: true })).toBe("'$A' \"one two\" \\$A $NO x");
});

test("names that have no value are told", () => {
  const asked: string[] = [];
  expandWord("$A ${B} ${C:-x}", { environment, escape: "\\", onUnset: (name) => void asked.push(name) });
  expect(asked).toEqual(["B"]);
});
