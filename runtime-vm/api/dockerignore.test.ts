import { expect, test } from "vitest";
import { IgnorePatterns, readIgnoreFile } from "./dockerignore.ts";

const kept = (patterns: string, paths: readonly string[]): string[] => {
  const ignore = new IgnorePatterns(readIgnoreFile(patterns));
  return paths.filter((path) => !ignore.ignores(path));
};

test.each<[string, string[], string[]]>([
  ["*.md", ["a.md", "b/a.md", "c"], ["b/a.md", "c"]],
  ["**/*.md", ["a.md", "b/a.md", "c"], ["c"]],
  ["*.md\n!README.md", ["a.md", "README.md"], ["README.md"]],
  ["*\n!src/keep", ["a", "src/x", "src/keep", "src/keep/in"], ["src/keep", "src/keep/in"]],
  ["node_modules", ["node_modules/a/b", "x/node_modules"], ["x/node_modules"]],
  ["/abs/", ["abs", "abs/x"], []],
  ["a?c", ["abc", "ac", "a/c"], ["ac", "a/c"]],
  ["[ab]", ["a", "b", "c"], ["c"]],
  ["# comment\n\n  spaced  ", ["spaced", "# comment"], ["# comment"]],
  ["**/x/**", ["x", "x/y", "a/x/y"], ["x"]],
  ["a\\*", ["a*", "ab"], ["ab"]],
])("%j", (patterns, paths, expected) => {
  expect(kept(patterns, paths)).toEqual(expected);
});
