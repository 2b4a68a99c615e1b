import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { once } from "node:events";
import { afterAll, expect, test } from "vitest";
import { delay } from "#base/deadline.ts";
import { EngineClient } from "#client/client.ts";
import { stockDocker } from "../fixtures/docker.ts";
import { daemonOf } from "../fixtures/processes.ts";
import { tarOf } from "../fixtures/image.ts";
import { startEngine } from "../fixtures/program.ts";
import { Dice } from "./fuzz-requests.ts";
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

const kills = process.env["SLIPWAY_TEST_LONG"] === "1" ? 25 : 3;
const seed = Number(process.env["SLIPWAY_TEST_SEED"] ?? 20_261_127);

/** Stages side by side, layers of many files and of few, a cache mount; what comes of it is known. */
const staged = (round: number): string =>
  [
    `FROM busybox AS a\nRUN --mount=type=cache,target=/c,id=kills echo ${round} >> /c/rounds; head -c 300000 /dev/urandom > /a; echo a${round} > /said`,
    `FROM busybox AS b\nCOPY . /b\nRUN echo b${round} > /said; ls /b | wc -l >> /said`,
    "FROM busybox\nCOPY --from=a /said /a\nCOPY --from=b /said /b\nRUN cat /a /b > /all",
  ].join("\n");

test(`an engine killed ${kills} times within a build, of seed ${seed}, keeps a cache that holds what it says, and nothing besides`, {
  timeout: kills * 60_000 + 60_000,
}, async () => {
  const dice = new Dice(seed);
  const home = join(root, "kills");
  const folder = mkdtempSync(join(root, "context-"));
  for (let i = 0; i < 300; i += 1) writeFileSync(join(folder, `f${i}`), "x".repeat(i * 10));
  const first = await openRig("bm", { root: home });
  let { program } = first;
  const { netns } = first;
  for (let round = 0; round < kills; round += 1) {
    writeFileSync(join(folder, "Dockerfile"), staged(round));
    const args = ["buildx", "build", "--progress=plain", "-t", `killed:${round}`, folder];
    const building = stockDocker({ socket: program.socket, netns })(...args);
    await delay(300 + dice.below(1_200));
    process.kill(Number(daemonOf(program.socket)), "SIGKILL");
    await Promise.all([program.exited, building]);
    program = await startEngine({ isolate: netns, root: home });
    for (const left of ["snapshots", "builds/work", "containers"]) {
      await expect.poll(() => readdirSync(join(home, left)), { timeout: 30_000, message: `${left} after kill ${round}` }).toEqual([]);
    }
    const docker = stockDocker({ socket: program.socket, netns });
    const again = await docker(...args);
    expect(again.code, again.stderr).toBe(0);
    expect(await docker.ok("run", "--rm", `killed:${round}`, "cat", "/all")).toBe(`a${round}\nb${round}\n301`);
    const client = new EngineClient({ kind: "socket", path: program.socket });
    expect(await client.json("GET", "/slipway/check")).toMatchObject({ Problems: [] });
  }
  await program[Symbol.asyncDispose]();
});
