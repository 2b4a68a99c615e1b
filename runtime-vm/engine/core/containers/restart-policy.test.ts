import { expect, test } from "vitest";
import type { RestartPolicy } from "#api/containers.ts";
import { nextBackoffMs, wantsRestart, wantsStartAtBoot } from "./restart-policy.ts";

const container = (policy: RestartPolicy, more: { manuallyStopped?: boolean; endsForGood?: boolean; restartCount?: number } = {}) =>
  ({ spec: { hostConfig: { RestartPolicy: policy } }, manuallyStopped: false, endsForGood: false, restartCount: 0, ...more }) as unknown as Parameters<
    typeof wantsRestart
  >[0];

test.each<[RestartPolicy, number, boolean]>([
  [{ Name: "no" }, 1, false],
  [{ Name: "" }, 1, false],
  [{ Name: "always" }, 0, true],
  [{ Name: "unless-stopped" }, 0, true],
  [{ Name: "on-failure" }, 0, false],
  [{ Name: "on-failure" }, 7, true],
])("%j after exit code %i restarts: %s", (policy, code, again) => {
  expect(wantsRestart(container(policy), code)).toBe(again);
});

test("a failing container is retried as often as asked", () => {
  expect(wantsRestart(container({ Name: "on-failure", MaximumRetryCount: 2 }, { restartCount: 1 }), 1)).toBe(true);
  expect(wantsRestart(container({ Name: "on-failure", MaximumRetryCount: 2 }, { restartCount: 2 }), 1)).toBe(false);
});

test("who was stopped by hand stays down; at boot only `always` comes up again", () => {
  for (const name of ["always", "unless-stopped", "on-failure"] as const) {
    const stopped = container({ Name: name }, { manuallyStopped: true, endsForGood: true });
    expect(wantsRestart(stopped, 1)).toBe(false);
    expect(wantsStartAtBoot(stopped, 1)).toBe(name === "always");
  }
});

test("a signal by hand that was not its stop signal keeps only `unless-stopped` down", () => {
  for (const name of ["always", "unless-stopped", "on-failure"] as const) {
    expect(wantsRestart(container({ Name: name }, { manuallyStopped: true }), 1)).toBe(name !== "unless-stopped");
  }
});

test("the delay doubles to a minute and starts anew after a steady run", () => {
  let ms = 0;
  const seen = Array.from({ length: 12 }, () => (ms = nextBackoffMs(ms, 50)));
  expect(seen.slice(0, 4)).toEqual([100, 200, 400, 800]);
  expect(seen.at(-1)).toBe(60_000);
  expect(nextBackoffMs(60_000, 10_000)).toBe(100);
});
