// @vitest-environment node
import { expect, test } from "vitest";
import { LogStore } from "./store.ts";

const encoder = new TextEncoder();
const filled = (lines: readonly string[], limits?: ConstructorParameters<typeof LogStore>[0]): LogStore => {
  const store = new LogStore(limits);
  lines.forEach((line, index) => store.add(encoder.encode(line), { time: index, stderr: false, source: 0 }));
  return store;
};
const textsOf = (store: LogStore, from: number, count: number): string[] => store.rows(from, count).map(({ text }) => text);

test("rows come back as they went in, with their number, time and stream", () => {
  const store = filled(["a", "", "ünïcode ✓"]);
  store.add(encoder.encode("oops"), { time: 99, stderr: true, source: 0 });
  expect(textsOf(store, 1, 2)).toEqual(["", "ünïcode ✓"]);
  expect(store.rows(3, 9)).toEqual([{ line: 3, row: 3, rows: 1, time: 99, stderr: true, source: 0, text: "oops" }]);
  expect(store.totals).toMatchObject({ lines: 4, rows: 4, droppedLines: 0, droppedRows: 0, matches: 0 });
});

test("the search ignores case, looks at each line once, and counts lines", () => {
  const store = filled(["error: Error", "fine", "ERRor", "err", "another error"]);
  expect(store.search("error")).toBe(3);
  expect(store.search("or: e")).toBe(1);
  expect(store.search("")).toBe(0);
});

test("colour codes are neither in the way of the search nor found by it", () => {
  const store = filled(["\x1b[32mIN\x1b[0mFO ready", "plain INFO", "nothing"]);
  expect(store.search("info r")).toBe(1);
  expect(store.search("info")).toBe(2);
  expect(store.search("32m")).toBe(0);
});

test("lines that come later are searched as they come", () => {
  const store = filled(["needle"]);
  store.search("needle");
  store.add(encoder.encode("a needle"), { time: 0, stderr: false, source: 0 });
  store.add(encoder.encode("hay"), { time: 0, stderr: false, source: 0 });
  expect(store.totals.matches).toBe(2);
});

test("next and previous go round", () => {
  const store = filled(["x", "hit", "x", "hit", "hit"]);
  store.search("hit");
  expect(store.match(-1, 1)).toEqual({ line: 1, row: 1, index: 1 });
  expect(store.match(1, 1)).toEqual({ line: 3, row: 3, index: 2 });
  expect(store.match(4, 1)).toEqual({ line: 1, row: 1, index: 1 });
  expect(store.match(1, -1)).toEqual({ line: 4, row: 4, index: 3 });
  expect(store.match(4, -1)).toEqual({ line: 3, row: 3, index: 2 });
});

test("wrapped lines take the rows they need: tabs, wide characters and colours counted as they are seen", () => {
  const store = filled(["12345678901", "\tab", "日本語日本", "\x1b[31m1234567890\x1b[0m", ""]);
  store.wrap(10);
  expect(store.rows(0, 99).map(({ rows }) => rows)).toEqual([2, 1, 1, 1, 1]);
  store.wrap(5);
  expect(store.rows(0, 99).map(({ row, rows }) => [row, rows])).toEqual([
    [0, 3],
    [3, 2],
    [5, 2],
    [7, 2],
    [9, 1],
  ]);
  // A row in the middle of a line belongs to that line.
  expect(store.rows(1, 1).map(({ line }) => line)).toEqual([0]);
  store.wrap(0);
  expect(store.totals.rows).toBe(5);
});

test("memory is bounded: the oldest lines go, their numbers and matches with them", () => {
  const store = new LogStore({ bytesMax: 3 * 1024 * 1024, linesMax: 1_000_000 });
  store.search("line");
  const padding = "x".repeat(1000);
  for (let i = 0; i < 5_000; i += 1) store.add(encoder.encode(`line ${i} ${padding}`), { time: i, stderr: false, source: 0 });
  const { lines, droppedLines, matches, droppedRows } = store.totals;
  expect(lines).toBeLessThan(3_200);
  expect(lines + droppedLines).toBe(5_000);
  expect([matches, droppedRows]).toEqual([lines, droppedLines]);
  expect(store.rows(0, 1)[0]?.line).toBe(droppedLines);
  expect(store.match(0, 1)?.line).toBe(droppedLines);
});

test("a line longer than a chunk is kept whole", () => {
  const long = "y".repeat(1_500_000);
  const store = filled(["a", long, "b"]);
  expect(textsOf(store, 1, 1)[0]).toHaveLength(1_500_000);
  expect(textsOf(store, 2, 1)).toEqual(["b"]);
});

test("clearing the view counts as dropping: numbers go on", () => {
  const store = filled(["a", "b"]);
  store.clear();
  store.add(encoder.encode("c"), { time: 0, stderr: false, source: 0 });
  expect(store.rows(0, 9)).toMatchObject([{ line: 2, row: 0, text: "c" }]);
  expect(store.totals).toMatchObject({ lines: 1, droppedLines: 2, droppedRows: 2 });
});

test("the newest lines are copied whole and without colours", () => {
  const store = filled(["first", "\x1b[31msecond\x1b[0m", "third"]);
  expect(store.text(1_000)).toBe("first\nsecond\nthird\n");
  expect(store.text(7)).toBe("third\n");
});

test("a million lines are held, searched, and found at either end", { timeout: 60_000 }, () => {
  const store = new LogStore();
  for (let i = 0; i < 1_000_000; i += 1)
    store.add(encoder.encode(`2026 request ${i} path=/api/orders status=200 duration=${i % 90}ms`), { time: i, stderr: false, source: 0 });
  expect(store.totals.lines).toBe(1_000_000);
  expect(store.search("request 999999 ")).toBe(1);
  expect(store.match(-1, 1)).toMatchObject({ line: 999_999, row: 999_999 });
  expect(store.search("duration=89ms")).toBe(11_111);
  expect(textsOf(store, 500_000, 1)[0]).toContain("request 500000 ");
});

test("of a log that merges several, each line that is copied has the name of its container before it", () => {
  const store = new LogStore();
  store.add(encoder.encode("\u001b[31mred\u001b[0m"), { time: 1, stderr: false, source: 1 });
  store.add(encoder.encode("plain"), { time: 2, stderr: false, source: 0 });
  expect(store.text(1_000, ["web", "db"])).toBe("db | red\nweb | plain\n");
  expect(store.text(8, ["web", "db"])).toBe("web | plain\n");
  expect(store.rows(0, 2).map(({ source }) => source)).toEqual([1, 0]);
});
