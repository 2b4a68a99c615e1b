import { expect, test } from "vitest";
import { buildFormOf, buildMistakes, buildOptionsOf } from "./buildform.ts";
import { buildCommand, buildName, shownLog, stepParts, stepState, withUpdates } from "./builds.ts";

const options = { folder: "/home/me/my app", dockerfile: "Dockerfile", target: "", platform: "", tags: [], args: {}, noCache: false, pull: false };

test("news of steps change them in place, keep their order and add to what they said", () => {
  const begun = withUpdates([], [{ steps: [step("a"), step("b")], logs: [{ step: "a", text: "one\n" }] }]);
  const over = withUpdates(begun, [{ steps: [{ ...step("a"), completed: "2026-01-01T00:00:02Z" }], logs: [{ step: "a", text: "two\n" }] }]);
  expect(over.map(({ id, log }) => [id, log])).toEqual([
    ["a", "one\ntwo\n"],
    ["b", ""],
  ]);
  expect(over.map(stepState)).toEqual(["done", "running"]);
  const long = withUpdates(over, [
    {
      steps: [],
      logs: [
        { step: "b", text: "x".repeat(10_000_000) },
        { step: "b", text: "end" },
      ],
    },
  ]);
  expect(long[1]?.log.length).toBeLessThan(1_000_000);
  expect(long[1]?.log.endsWith("xend")).toBe(true);
});

const step = (id: string) => ({ id, name: `[${id} 1/1] RUN make`, cached: false, started: "2026-01-01T00:00:00Z" });

test("a log is shown as a terminal would leave it: no colours, and bars only as they ended", () => {
  expect(shownLog("\u001b[31mred\u001b[0m\r\n10 %\r50 %\r100 %\nend\n\n")).toBe("red\n100 %\nend");
});

test("a step's name tells its stage and place apart from its instruction", () => {
  expect(stepParts("[base 2/5] RUN make [all]")).toEqual({ place: "base 2/5", text: "RUN make [all]", internal: false });
  expect(stepParts("[internal] load build context")).toMatchObject({ place: "", internal: true });
  expect(stepParts("naming to docker.io/library/a:1")).toMatchObject({ text: "naming to docker.io/library/a:1", internal: true });
});

test("a build is called by its tag, else by its folder; as a command it is quoted for a shell", () => {
  expect(buildName({ options: { ...options, tags: ["shop:1"] } })).toBe("shop:1");
  expect(buildName({ options })).toBe("my app");
  const all = { ...options, dockerfile: "d/File", tags: ["a", "b:1"], args: { V: "it's" }, target: "t", noCache: true };
  expect(buildCommand(all)).toBe(`docker build -t a -t b:1 -f '/home/me/my app/d/File' --target t --build-arg 'V=it'\\''s' --no-cache '/home/me/my app'`);
});

test("a form says what is wrong, field by field, and becomes options that become the same form", () => {
  expect(buildMistakes({ ...buildFormOf(undefined), tags: "Bad name", args: "A=1\nnothing" })).toEqual({
    folder: "Choose the folder to build from",
    tags: expect.stringContaining("Lower-case"),
    args: "“nothing” is no NAME=value",
  });
  const form = { ...buildFormOf(options), tags: "localhost:5000/a/b:1 c", args: "A=1=2\nB=" };
  expect(buildMistakes(form)).toEqual({});
  const made = buildOptionsOf(form);
  expect(made).toMatchObject({ tags: ["localhost:5000/a/b:1", "c"], args: { A: "1=2", B: "" } });
  expect(buildFormOf(made)).toEqual(form);
});
