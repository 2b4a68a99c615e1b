import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { machinePaths } from "./names.ts";
import { claimRoot } from "./owner.ts";

let root: string;
beforeEach(() => void (root = mkdtempSync(join(tmpdir(), "slipway-owner-"))));
afterEach(() => rmSync(root, { recursive: true }));

test("a root has one owner at a time", async () => {
  const first = await claimRoot(machinePaths(root));
  await expect(claimRoot(machinePaths(root))).rejects.toMatchObject({
    class: "conflict",
    message: expect.stringContaining(`${root} is run by another process`) as string,
  });
  await first[Symbol.asyncDispose]();
  await using _second = await claimRoot(machinePaths(root));
});

test("an owner that was killed does not keep its root", async () => {
  const paths = machinePaths(root);
  const script = `const fs = require("fs"); fs.mkdirSync(process.argv[1]); require("net").createServer().listen(process.argv[2], () => process.kill(process.pid, "SIGKILL"))`;
  spawnSync(process.execPath, ["-e", script, paths.run, paths.owner]);
  expect(existsSync(paths.owner)).toBe(true);
  await using _owner = await claimRoot(paths);
});
