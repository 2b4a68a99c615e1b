import { expect, test } from "vitest";
import type { ContainerSummary } from "#api/containers.ts";
import { arrangeProjects, isProject, passes, rowId, runningIn } from "./projects.ts";

const container = (name: string, project = "", State: ContainerSummary["State"] = "running") =>
  ({ Id: name, Names: [`/${name}`], State, Labels: project === "" ? {} : { "com.docker.compose.project": project } }) as unknown as ContainerSummary;
const rows = [container("a"), container("s1", "shop"), container("b"), container("s2", "shop", "exited"), container("x1", "x")];

test("a project's containers stand together where its first one stood, below a row that counts those that run", () => {
  const arranged = arrangeProjects(rows, new Set());
  expect(arranged.map(rowId)).toEqual(["a", "project:shop", "s1", "s2", "b", "project:x", "x1"]);
  expect(arranged.filter(isProject).map((row) => [row.project, runningIn(row.members), row.members.length])).toEqual([
    ["shop", 1, 2],
    ["x", 1, 1],
  ]);
});

test("a collapsed project is its row alone, and still knows its containers", () => {
  const arranged = arrangeProjects(rows, new Set(["shop"]));
  expect(arranged.map(rowId)).toEqual(["a", "project:shop", "b", "project:x", "x1"]);
  expect(arranged.filter(isProject)[0]?.members).toHaveLength(2);
});

test.each([
  ["all", "exited", true],
  ["running", "paused", true],
  ["running", "created", false],
  ["stopped", "exited", true],
  ["stopped", "running", false],
] as const)("the filter %s and a container that is %s: %s", (filter, state, passed) => expect(passes(filter, container("a", "", state))).toBe(passed));
