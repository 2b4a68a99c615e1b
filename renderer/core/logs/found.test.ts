import { expect, test } from "vitest";
import type { LogSearchLine } from "#api/log-search.ts";
import { createLogFinder, type LogQuestion, pieces } from "./found.ts";

const question: LogQuestion = { text: "needle", regex: false, ignoreCase: true, level: "", containers: [], field: "", withinSeconds: 0 };
const hit = (Name: string, second: number): LogSearchLine => ({
  Id: `${Name}-id`,
  Name,
  Stream: "stdout",
  Time: `2026-01-02T03:04:0${second}.000000000Z`,
  Text: "a needle",
});

test("lines of several containers stand together, newest first", async () => {
  const asked: unknown[] = [];
  const { store, find } = createLogFinder({
    async *searchLogs(query) {
      asked.push(query);
      yield await Promise.resolve(hit("a", 3));
      yield hit("a", 1);
      yield hit("b", 2);
      yield { End: { Hits: 3, Containers: 2, Bytes: 10, CpuMs: 1 } };
    },
  });
  await find({ ...question, level: "warn", containers: ["a"], field: "user=7" });
  expect(asked).toEqual([{ text: "needle", ignoreCase: true, level: "warn", container: ["a"], field: "user=7", since: undefined, limit: 1_000 }]);
  expect(store.getState()).toMatchObject({ state: "done", end: { Hits: 3 } });
  expect(store.getState().lines.map(({ Name }) => Name)).toEqual(["a", "b", "a"]);
});

test("a search that the engine gives up says why", async () => {
  const { store, find } = createLogFinder({
    async *searchLogs() {
      yield await Promise.resolve({ error: "too slow", errorDetail: { message: "too slow" } });
    },
  });
  await find(question);
  expect(store.getState()).toMatchObject({ state: "failed", failure: { message: "too slow" } });
});

test("the next search ends the one before, whose lines are not shown", async () => {
  const signals: AbortSignal[] = [];
  const { store, find } = createLogFinder({
    async *searchLogs(_query, signal) {
      signals.push(signal);
      const name = `search ${signals.length}`;
      await Promise.resolve();
      yield hit(name, 1);
    },
  });
  await Promise.all([find(question), find({ ...question, text: "other" })]);
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
  expect(store.getState().lines.map(({ Name }) => Name)).toEqual(["search 2"]);
});

const shown = (text: string, asked: LogQuestion | undefined): string[] => pieces(text, asked).map(({ kind, text: piece }) => `${kind}:${piece}`);

test("a line that is JSON has its parts told apart, and above them what was looked for", () => {
  expect(shown('{"msg":"a needle","n":5}', question)).toEqual([
    "plain:{",
    'key:"msg":'.slice(0, -1),
    "plain::",
    'string:"a ',
    "found:needle",
    'string:"',
    "plain:,",
    'key:"n"',
    "plain::",
    "value:5",
    "plain:}",
  ]);
  expect(shown("no JSON 5", undefined)).toEqual(["plain:no JSON 5"]);
});

test("an expression marks what it finds, and one that finds nothing everywhere marks nothing", () => {
  expect(shown("ab12", { ...question, text: "\\d+", regex: true })).toEqual(["plain:ab", "found:12"]);
  expect(shown("ab", { ...question, text: "x*", regex: true })).toEqual(["plain:ab"]);
});
