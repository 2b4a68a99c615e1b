import { expect, test } from "vitest";
import { levelOf } from "./log-level.ts";
import { matcherOf, type MatchTerms } from "./search-matcher.ts";
import { BlockScanner } from "./search-scan.ts";

const lines = [
  "plain needle in the middle",
  'he said "needle" & <left>',
  "",
  "ünïcödé needle → done",
  "ERROR: disk full on /data",
  '{"level":"error","msg":"needle lost","http":{"status":500},"a.b":"dotted"}',
  '{"level":30,"msg":"fine","http":{"status":200}}',
  "W0102 15:04:05 klog warns",
  "a tab\tand a \\ backslash",
  "Needle with a capital",
  "nee",
  "dle",
  "GET /api/v1/items?id=7 HTTP/1.1",
];
const block = Buffer.from(
  lines
    .map(
      (log, index) =>
        `${JSON.stringify({ log: `${log}\n`, stream: index % 2 === 0 ? "stdout" : "stderr", time: `2026-01-02T03:04:${String(index + 10)}.000000006Z` })}\n`,
    )
    .join("")
    .replaceAll("<", "\\u003c")
    .replaceAll(">", "\\u003e")
    .replaceAll("&", "\\u0026"),
);

const none: MatchTerms = { ignoreCase: false, fields: [] };
const search = (terms: Partial<MatchTerms>, backwards = false): string[] =>
  new BlockScanner(matcherOf({ ...none, ...terms }), {}).found(block, 1_000, backwards).map(({ text }) => text);

/** However a line is looked for, it is found exactly if the line by itself is one. */
const ways: readonly (readonly [string, Partial<MatchTerms>, (line: string) => boolean])[] = [
  ["text", { text: "needle" }, (line) => line.includes("needle")],
  ["text in any case", { text: "NEEDLE", ignoreCase: true }, (line) => /needle/i.test(line)],
  ["text with letters that are escaped in the file", { text: '"needle" & <' }, (line) => line.includes('"needle" & <')],
  ["text beyond ASCII", { text: "→" }, (line) => line.includes("→")],
  ["text with a tab", { text: "tab\tand" }, (line) => line.includes("tab\tand")],
  ["text that stands in every entry's frame", { text: "stdout" }, () => false],
  ["an expression with a literal in it", { regex: "need\\w+ (in|lost)" }, (line) => /need\w+ (in|lost)/.test(line)],
  ["an expression with a choice", { regex: "needle|klog" }, (line) => /needle|klog/.test(line)],
  ["an expression with anchors", { regex: "^(W|E)" }, (line) => /^(W|E)/.test(line)],
  ["an expression for the end", { regex: "e$" }, (line) => line.endsWith("e")],
  ["an expression that would reach over lines", { regex: "nee[^x]*dle" }, (line) => /nee[^x]*dle/.test(line)],
  ["white space, which a line's end is too", { regex: "\\s\\w+\\s" }, (line) => /\s\w+\s/.test(line)],
  ["no white space to the end", { regex: "\\S+\\W$" }, (line) => /\S+\W$/.test(line)],
  ["what is no digit", { regex: "\\D\\d\\D" }, (line) => /\D\d\D/.test(line)],
  ["a class without a letter", { regex: "^[^e]+$" }, (line) => /^[^e]+$/.test(line)],
  ["a class of white space", { regex: "e[\\s\\S]n" }, (line) => /e[\s\S]n/.test(line)],
  ["a range from below the space", { regex: "e[\\t-z]*n" }, (line) => /e[\t-z]*n/.test(line)],
  ["a code that is a line's end", { regex: "e\\x0ad|klog" }, (line) => /klog/.test(line)],
  ["what does not follow", { regex: "nee(?!\\w)" }, (line) => /nee(?!\w)/.test(line)],
  ["an expression that looks around", { regex: "(?<!plain )needle" }, (line) => /(?<!plain )needle/.test(line)],
  ["an expression that finds the empty line", { regex: "^$" }, (line) => line === ""],
  ["an optional last letter", { regex: "needles?" }, (line) => /needles?/.test(line)],
  ["an escaped dot", { regex: "HTTP/1\\.1" }, (line) => line.includes("HTTP/1.1")],
  ["a repetition by count", { regex: "e{2}d" }, (line) => line.includes("eed")],
  ["a level", { level: "warn" }, (line) => /ERROR|"error"|W0102/.test(line)],
  ["a level and a text", { level: "error", text: "needle" }, (line) => line.includes("lost")],
  ["a field", { fields: [{ path: "http.status", value: "500" }] }, (line) => line.includes("500")],
  ["a field with a short name", { fields: [{ path: "msg", value: "fine" }] }, (line) => line.includes("fine")],
  ["a field with a short name that no line has", { fields: [{ path: "id", value: "7" }] }, () => false],
  ["a field whose name has a dot", { fields: [{ path: "a.b", value: "dotted" }] }, (line) => line.includes("dotted")],
  ["nothing", {}, () => true],
];

test.for(ways)("%s finds what it finds line by line, from either end", ([, terms, wanted]) => {
  expect(search(terms)).toEqual(lines.filter(wanted));
  expect(search(terms, true)).toEqual(lines.filter(wanted).toReversed());
});

test("times and streams leave lines out", () => {
  const scanner = new BlockScanner(matcherOf(none), { stream: "stderr", sinceNano: 1_767_323_052_000_000_006n, untilNano: 1_767_323_055_000_000_006n });
  expect(scanner.found(block, 1_000, false).map(({ text }) => text)).toEqual([lines[3], lines[5]]);
});

test.for([
  ["2026-01-02 10:00:00 ERROR something", "error"],
  ["[warn] low", "warn"],
  ["level=debug msg=x", "debug"],
  ["\u001b[1;31mERROR\u001b[0m in colour", "error"],
  ['{"level":60,"msg":"bye"}', "fatal"],
  ['{"severity":"WARNING","message":"x"}', "warn"],
  ["F0102 15:04:05.1 gone", "fatal"],
  ["GET /error.html 200", undefined],
  ["nothing to see", undefined],
] as const)("the level of %s is %s", ([line, level]) => {
  expect(levelOf(line)).toBe(level);
});
