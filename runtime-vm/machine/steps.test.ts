import { expect, test } from "vitest";
import type { BootStep } from "#api/machine.ts";
import { parseStep } from "#link/boot.ts";
import { BootSteps } from "./steps.ts";

const never = new AbortController().signal;
const plan = [
  { name: "qemu", title: "Starting the machine", deadlineMs: 60_000 },
  { name: "engine", title: "Waiting for the engine", deadlineMs: 60_000 },
];
const follow = (factor = 1) => {
  let seen: readonly BootStep[] = [];
  const steps = new BootSteps(
    plan,
    () => factor,
    (list) => (seen = list),
  );
  return { steps, states: () => seen.map((step) => `${step.name} ${step.state}`), step: (name: string) => seen.find((s) => s.name === name) };
};

test("a step runs, is done and tells how long it took", async () => {
  const { steps, states, step } = follow();
  const result = await steps.run("qemu", never, async () => {
    expect(states()).toEqual(["qemu running", "engine waiting"]);
    return 7;
  });
  expect(result).toBe(7);
  expect(step("qemu")).toMatchObject({ state: "done", tookMs: expect.any(Number) as number });
});

test("a failed step keeps its reason and fails the start with its title", async () => {
  const { steps, step } = follow();
  await expect(steps.run("qemu", never, () => Promise.reject(new Error("no memory")))).rejects.toMatchObject({
    class: "unavailable",
    message: "Starting the machine: no memory",
  });
  expect(step("qemu")).toMatchObject({ state: "failed", reason: "no memory" });
});

test("a step that is late fails although its work goes on for ever", async () => {
  const { steps, step } = follow(0.0001);
  await expect(steps.run("qemu", never, () => new Promise(() => {}))).rejects.toThrow("Starting the machine: not done within 0 s");
  expect(step("qemu")?.state).toBe("failed");
});

test("an abort ends a step with the abort's own reason", async () => {
  const { steps } = follow();
  const controller = new AbortController();
  const running = steps.run("qemu", controller.signal, () => new Promise(() => {}));
  controller.abort(new Error("stopped by SIGINT"));
  await expect(running).rejects.toThrow("stopped by SIGINT");
});

test("what the guest reports stands before the engine, once, in its order", () => {
  const { steps, states } = follow();
  for (const line of ["slipway-step: root ok 12", "slipway-step: disk fail 80 no space left", "slipway-step: disk ok 90"]) {
    const step = parseStep(line);
    if (step) steps.report(step);
  }
  expect(states()).toEqual(["qemu waiting", "guest-root done", "guest-disk done", "engine waiting"]);
});

test("the guest's own failure is told", () => {
  const { steps } = follow();
  const step = parseStep("[   12.3] slipway-step: disk fail 80 XFS: log mount failed\r");
  if (step) steps.report(step);
  expect(steps.guestFailure).toMatchObject({ title: "Mounting the data disk", reason: "XFS: log mount failed" });
});

test.each(["", "slipway-step:", "slipway-step: disk maybe 3", "slipway-step: disk ok", "slipway-step: disk ok x"])("%j is no step", (line) =>
  expect(parseStep(line)).toBeUndefined(),
);
