import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { openPidFile } from "./pidfile.ts";

const directory = mkdtempSync(join(tmpdir(), "pidfile-"));
afterAll(() => rmSync(directory, { recursive: true }));
const file = (name: string, text?: string): string => {
  const path = join(directory, name);
  if (text !== undefined) writeFileSync(path, text);
  return path;
};

test("it holds this process's number, and goes with it", () => {
  const path = file("new");
  {
    using _held = openPidFile(path);
    expect(readFileSync(path, "utf8")).toBe(String(process.pid));
  }
  expect(existsSync(path)).toBe(false);
});

test("one that names a living process is an error", () => {
  expect(() => openPidFile(file("living", "1\n"))).toThrow("process with PID 1 is still running");
});

test.each(["", "junk", String(2 ** 22 + 1)])("a stale one with %j is taken over", (text) => {
  const path = file("stale", text);
  using _held = openPidFile(path);
  expect(readFileSync(path, "utf8")).toBe(String(process.pid));
});

// dockerd 28.5 takes a zombie for a living dockerd, and does not start.
test("one that names a zombie is stale", async () => {
  // The shell becomes a program that does not ask after its child, which ends only then: some shells bury their dead before.
  const child = "sh -c 'until grep -q sleep /proc/$PPID/comm; do :; done'";
  const parent = spawn("sh", ["-c", `${child} & echo $!; exec sleep 1000`], { stdio: ["ignore", "pipe", "ignore"] });
  try {
    const [zombie] = (await once(parent.stdout, "data")) as [Buffer];
    const pid = zombie.toString().trim();
    await expect.poll(() => readFileSync(`/proc/${pid}/stat`).toString()).toMatch(/\) Z /);
    const path = file("zombie", pid);
    using _held = openPidFile(path);
    expect(readFileSync(path, "utf8")).toBe(String(process.pid));
  } finally {
    parent.kill("SIGKILL");
    await once(parent, "exit");
  }
});
