import { createHash } from "node:crypto";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { expect, test } from "vitest";
import { daemonOf, linkOf } from "../fixtures/processes.ts";
import { type Program, startEngine } from "../fixtures/program.ts";

const nameOf = (what: string): string => `slipway-${what}${process.pid}`;
const pinsOf = ({ root }: Program): string => `/run/slipway-${createHash("sha256").update(root).digest("hex").slice(0, 16)}`;

/** Everything that runs in the engine's mount namespace, and the launcher. */
async function killAll(program: Program): Promise<void> {
  let daemon: string | undefined;
  await expect.poll(() => (daemon = daemonOf(program.socket))).toMatch(/^\d+$/);
  const home = linkOf(`/proc/${daemon}/ns/mnt`);
  process.kill(program.pid, "SIGKILL");
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name) && linkOf(`/proc/${name}/ns/mnt`) === home)) {
    process.kill(Number(pid), "SIGKILL");
  }
  await program.exited;
}

test("what a killed launcher left of an engine goes when another starts; what an engine still uses stays", async () => {
  await using other = await startEngine({ isolate: nameOf("lo") });
  const killed = await startEngine({ isolate: nameOf("lk") });
  expect(existsSync(pinsOf(killed))).toBe(true);
  expect(existsSync(`/run/netns/${nameOf("lk")}`)).toBe(true);
  await killAll(killed);
  rmSync(killed.root, { recursive: true, force: true });
  await using _next = await startEngine({ isolate: nameOf("ln") });
  await expect.poll(() => existsSync(pinsOf(killed)), { timeout: 20_000 }).toBe(false);
  expect(existsSync(`/run/netns/${nameOf("lk")}`)).toBe(false);
  expect(existsSync(`${pinsOf(other)}/mnt`)).toBe(true);
});
