import { expect, test } from "vitest";
import { type BuildStep, criticalPath } from "./builds.ts";

const at = (ms: number): string => new Date(ms).toISOString();
const step = (id: string, from: number, to?: number): BuildStep => ({
  id,
  name: id,
  cached: false,
  started: at(from),
  ...(to === undefined ? {} : { completed: at(to) }),
});

test("the critical path goes back from the step that ended last by what each waited for", () => {
  const steps = [step("load", 0, 10), step("a1", 10, 500), step("b1", 10, 200), step("b2", 200, 260), step("a2", 501, 900), step("export", 900, 950)];
  expect(criticalPath(steps)).toEqual(["load", "a1", "a2", "export"]);
});

test("a step that took no time is followed, and none twice", () => {
  expect(criticalPath([step("x", 5, 5), step("y", 5, 5), step("z", 5, 9)])).toHaveLength(3);
});

test("what still runs, or never began, is in no path", () => {
  expect(criticalPath([step("a", 0, 10), step("b", 10), { id: "c", name: "c", cached: true }])).toEqual(["a"]);
  expect(criticalPath([])).toEqual([]);
});
