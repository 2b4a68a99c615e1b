import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { OomScore } from "./oom-score.ts";

const scoreOf = (pid: number): number => Number(readFileSync(`/proc/${pid}/oom_score_adj`).toString());

test("work that wants one score runs side by side, work that wants another waits, and in the end the process has its own again", async () => {
  const child = spawn("sleep", ["1000"], { stdio: "ignore" });
  const pid = child.pid ?? 0;
  const own = scoreOf(pid);
  const score = new OomScore(pid);
  const seen: string[] = [];
  const work = (wanted: number, name: string) =>
    score.during(wanted, async () => {
      seen.push(`${name} begins`);
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(scoreOf(pid)).toBe(wanted);
      seen.push(`${name} ends`);
    });
  await Promise.all([work(own + 100, "a"), work(own + 100, "b"), work(own + 200, "c"), work(own, "d"), work(own + 100, "e")]);
  expect(seen).toEqual(["a begins", "b begins", "a ends", "b ends", "c begins", "c ends", "d begins", "d ends", "e begins", "e ends"]);
  expect(scoreOf(pid)).toBe(own);
  await expect(score.during(own + 300, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(scoreOf(pid)).toBe(own);
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(await score.during(own + 1, () => Promise.resolve("goes on"))).toBe("goes on");
});
