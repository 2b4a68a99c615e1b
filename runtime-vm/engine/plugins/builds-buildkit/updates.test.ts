import { expect, test } from "vitest";
import type { BuildUpdate } from "#api/builds.ts";
import { Progress } from "./progress.ts";
import { UpdateReader } from "./updates.ts";

test("what a display was told is read back: steps, times, failures, and text cut in the middle of a character", () => {
  const progress = new Progress();
  const step = progress.step({ kind: "layer", stage: { name: "", shown: "" }, number: 2, total: 2, place: 2, places: 2, text: "RUN make" });
  const bytes = Buffer.from("zażółć\n");
  void step.output("stdout", bytes.subarray(0, 3));
  void step.output("stderr", bytes.subarray(3));
  step.failed(new Error("exit code: 7"));
  const reader = new UpdateReader();
  const updates: BuildUpdate[] = progress.recorded.map((message) => reader.read(message));
  const [first, last] = [updates[0]?.steps[0], updates.at(-1)?.steps[0]];
  expect(first).toMatchObject({ name: "[2/2] RUN make", cached: false, started: expect.stringMatching(/^\d{4}-.*Z$/) });
  expect(first).not.toHaveProperty("completed");
  expect(last).toMatchObject({ id: first?.id, error: "exit code: 7", completed: expect.any(String) });
  expect(updates.flatMap(({ logs }) => logs.map(({ text }) => text)).join("")).toBe("zażółć\n");
});
