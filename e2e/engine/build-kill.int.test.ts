import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { once } from "node:events";
import { afterAll, expect, test } from "vitest";
import { EngineClient } from "#client/client.ts";
import { daemonOf } from "../fixtures/processes.ts";
import { tarOf } from "../fixtures/image.ts";
import { startEngine } from "../fixtures/program.ts";
import { openRig } from "./rig.ts";

const root = mkdtempSync("/var/tmp/slipway-buildkill-");
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function build(client: EngineClient, last: string): Promise<{ text: () => string; over: Promise<void> }> {
  const context = await tarOf([{ name: "Dockerfile", data: `FROM busybox\nRUN echo one > /one\n${last}\n` }]);
  const body = async function* (): AsyncGenerator<Uint8Array> {
    yield context;
    await Promise.resolve();
  };
  const { body: answer } = await client.stream("POST", "/build", { query: { t: "killed" }, body: body() });
  let text = "";
  answer.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const over = once(answer, "close").then(() => undefined);
  over.catch(() => undefined);
  return { text: () => text, over };
}

test("an engine killed in the middle of a step leaves nothing of the step, and all that was done before it in its cache", async () => {
  const rig = await openRig("bk", { root });
  const first = await build(rig.client, "RUN echo going; sleep 5432");
  await expect.poll(first.text, { timeout: 60_000 }).toContain("going");
  let pid: string | undefined;
  await expect.poll(() => (pid = daemonOf(rig.program.socket))).toMatch(/^\d+$/);
  process.kill(Number(pid), "SIGKILL");
  await rig.program.exited;
  await using program = await startEngine({ isolate: rig.netns, root });
  const client = new EngineClient({ kind: "socket", path: program.socket });
  await expect.poll(() => readdirSync(join(root, "snapshots")), { timeout: 30_000 }).toEqual([]);
  expect(readdirSync(join(root, "builds", "work"))).toEqual([]);
  expect(readdirSync(join(root, "containers"))).toEqual([]);
  const second = await build(client, "RUN echo two > /two");
  await second.over;
  expect(second.text()).toMatch(/echo one[^]*Using cache[^]*echo two[^]*Successfully built/);
});

test("an engine that is stopped ends the steps that run", async () => {
  const running = (): string[] =>
    readdirSync("/proc").filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("sleep\x006543");
      } catch {
        return false;
      }
    });
  const stopped = await openRig("bs", { root: join(root, "stopped") });
  const first = await build(stopped.client, "RUN echo going; exec sleep 6543");
  await expect.poll(first.text, { timeout: 60_000 }).toContain("going");
  await expect.poll(running, { timeout: 30_000 }).toHaveLength(1);
  await stopped[Symbol.asyncDispose]();
  expect(running()).toEqual([]);
});
