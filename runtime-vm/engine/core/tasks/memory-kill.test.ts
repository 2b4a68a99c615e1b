import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { memoryKill } from "./memory-kill.ts";

let cgroup: string;
beforeEach(() => (cgroup = mkdtempSync(join(tmpdir(), "slipway-cgroup-"))));
afterEach(() => rmSync(cgroup, { recursive: true }));

const counted = (events: string, limit: string): void => {
  for (const [name, text] of [
    ["memory.events", events],
    ["memory.max", limit],
    ["memory.peak", "8192"],
  ] as const)
    writeFileSync(join(cgroup, name), `${text}\n`);
};

test("a kill for the group's own limit has the limit; one for the machine's memory has none", () => {
  counted("low 0\nhigh 0\nmax 12\noom 1\noom_kill 1", "8192");
  expect(memoryKill(cgroup)).toEqual({ peakBytes: 8192, limitBytes: 8192, ofItsOwn: true });
  counted("low 0\nhigh 0\nmax 0\noom 0\noom_kill 2", "max");
  expect(memoryKill(cgroup)).toEqual({ peakBytes: 8192, ofItsOwn: false });
});

test("a group that reached its limit and nobody was killed, and one without a memory controller, had no kill", () => {
  counted("low 0\nhigh 0\nmax 40\noom 0\noom_kill 0", "8192");
  expect(memoryKill(cgroup)).toBeUndefined();
  expect(memoryKill(join(cgroup, "none"))).toBeUndefined();
});
