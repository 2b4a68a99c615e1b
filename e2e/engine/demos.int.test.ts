/** What anyone can run to see a claim for himself does run, and shows it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { clients } from "../fixtures/clients.mjs";
import { stockDocker } from "../fixtures/docker.ts";
import { repository } from "../fixtures/program.ts";
import { openRig, type Rig } from "./rig.ts";

const base = mkdtempSync(join(tmpdir(), "slipway-demos-"));
let rig: Rig;
beforeAll(async () => {
  const file = join(base, "daemon.json");
  writeFileSync(file, "{}");
  rig = await openRig("demos", { args: ["--config", file] });
});
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
  rmSync(base, { recursive: true, force: true });
});

async function shown(demo: string): Promise<string> {
  const docker = stockDocker({ socket: rig.program.socket, netns: rig.netns });
  const path = `PATH=${dirname(clients.docker)}:${process.env["PATH"]}`;
  const { code, stdout, stderr } = await docker.inside(["env", path, "sh", join(repository, "e2e/demos", demo)]);
  expect({ code, stderr: code === 0 ? "" : stdout + stderr }).toEqual({ code: 0, stderr: "" });
  return stdout;
}

test("everything is pruned, and comes back with the same id", async () => {
  expect(await shown("trash.sh")).toMatch(/the trash:[\s\S]*"shop"[\s\S]*the same container: [0-9a-f]{64}/);
});

test("failures say why", async () => {
  const said = await shown("why.sh");
  expect(said.match(/"Verdict"/g)).toHaveLength(12);
  expect(said).toMatch(/== docker pull .*\n.*Nothing listens at 127\.0\.0\.1:1.*\n?== docker build\n.*does not have/);
});

test("what a container said is found after it was removed", async () => {
  const said = await shown("log-search.sh");
  const part = (from: string, to?: string): string => said.slice(said.indexOf(from), to === undefined ? undefined : said.indexOf(to));
  expect(part("by text:", "by a field")).toContain("payment refused");
  expect(part("by a field", "by level")).toContain("payment refused");
  expect(part("by level", "a million lines")).toContain("payment refused");
  expect(part("a million lines")).toContain('"Text":"the last words"');
});

test("what containers wait for is known, and page cache stands by itself", async () => {
  expect(await shown("pressure.sh")).toMatch(/-- reader\n.*"Fields":\[.*-- spinner\n.*"Points":\[\[\d.*-- the machine\n.*"Fields"/s);
});

test("an engine that is killed while it works loses nothing", async () => {
  expect(await shown("crash.sh")).toMatch(/(== killed \d: acknowledged (\d+) containers, \2 of them there.*\n.*"Problems":\[\]\}\n){5}== nothing was lost/);
});
