import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { StoreCheck } from "#api/images.ts";
import { delay } from "#base/deadline.ts";
import { EngineClient } from "#client/client.ts";
import { type Rig, call, openRig } from "../engine/rig.ts";
import { dockerArchive, makeImage } from "../fixtures/image.ts";
import { daemonOf } from "../fixtures/processes.ts";
import { startEngine } from "../fixtures/program.ts";
import { type TestRegistry, startRegistry } from "../fixtures/registry.ts";
import { randomOf } from "./kills.ts";

const rounds = process.env["SLIPWAY_TEST_LONG"] === "1" ? 50 : 5;
const seed = Number(process.env["SLIPWAY_TEST_SEED"] ?? (rounds > 5 ? Math.floor(Math.random() * 2 ** 31) : 20_261_125));
const random = randomOf(seed);
const killAfterMsMax = 900;

const root = mkdtempSync("/var/tmp/slipway-store-kills-");
const registryRoot = `${root}-registry`;
/** The rig's. */
const netns = `slipway-sk${process.pid}`;
let rig: Rig;
let registry: TestRegistry;
let remote: string;
let archive: Buffer;
const noise = (name: string) => ({ name, data: Buffer.from(Array.from({ length: 1_500_000 }, () => Math.floor(random() * 256))) });

beforeAll(async () => {
  console.log(`store kills: seed ${seed}, ${rounds} rounds (SLIPWAY_TEST_SEED repeats them)`);
  // Made beforehand: with no container in it, one that the engine's launcher made goes with a killed engine, the registry inside or not.
  execFileSync("ip", ["netns", "add", netns]);
  execFileSync("ip", ["-n", netns, "link", "set", "lo", "up"]);
  rig = await openRig("sk", { root });
  registry = await startRegistry({ dir: registryRoot, port: 5056, netns: rig.netns });
  await registry.push("far", "1", await makeImage("far:1", [[noise("a")], [noise("b")], [noise("c")]]));
  remote = `${registry.address}/far:1`;
  archive = await dockerArchive([await makeImage("near:1", [[noise("d")]]), await makeImage("near:2", [[noise("d2")], [noise("e")]])]);
});
afterAll(async () => {
  await registry?.[Symbol.asyncDispose]();
  await rig?.program[Symbol.asyncDispose]();
  execFileSync("ip", ["netns", "del", netns]);
  rmSync(root, { recursive: true, force: true });
  rmSync(registryRoot, { recursive: true, force: true });
});

async function* once(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
  await Promise.resolve();
}

const pull = (): Promise<void> => call(rig.client, "POST", "/images/create", { query: { fromImage: remote } });
const load = (): Promise<void> => call(rig.client, "POST", "/images/load", { query: { quiet: 1 }, body: once(archive) });
const prune = (): Promise<unknown> => rig.client.json("POST", "/images/prune", { query: { filters: JSON.stringify({ dangling: ["false"] }) } });
const names = async (): Promise<string[]> =>
  (await rig.client.json<{ RepoTags: string[] }[]>("GET", "/images/json")).flatMap(({ RepoTags }) => RepoTags).toSorted();

/** Everything there is to kill an engine in: something arrives while something goes. */
async function work(): Promise<void> {
  await Promise.allSettled([pull(), load().then(prune)]);
  await Promise.allSettled([load(), prune().then(pull)]);
}

async function kill(afterMs: number): Promise<void> {
  const engine = Number(daemonOf(rig.program.socket));
  const working = work();
  await delay(afterMs);
  process.kill(engine, "SIGKILL");
  await Promise.all([rig.program.exited, working]);
  const program = await startEngine({ isolate: rig.netns, root });
  rig = { ...rig, program, client: new EngineClient({ kind: "socket", path: program.socket }) };
}

test(
  "an engine killed while images come and go has a sound store afterwards, and takes up what it was doing",
  async () => {
    for (let round = 0; round < rounds; round += 1) {
      const afterMs = Math.floor(random() * killAfterMsMax);
      const what = `round ${round} of seed ${seed}: killed after ${afterMs} ms`;
      await kill(afterMs);
      const { Problems: problems, Checked: checked } = await rig.client.json<StoreCheck>("GET", "/slipway/check");
      expect(problems, what).toEqual([]);
      expect(checked.Images, what).toBe((await names()).length);
    }
    await pull();
    await load();
    expect(await names()).toEqual(expect.arrayContaining([remote, "near:1", "near:2"]));
    await prune();
    expect(await names()).toEqual([]);
    expect((await rig.client.json<StoreCheck>("GET", "/slipway/check")).Problems).toEqual([]);
    await rig.program.stop();
    const program = await startEngine({ isolate: rig.netns, root });
    rig = { ...rig, program, client: new EngineClient({ kind: "socket", path: program.socket }) };
    // The starter image comes at the first start only; whatever else was kept for another try is young.
    expect(await names()).toEqual([]);
    expect(readdirSync(join(root, "layers")).filter((file) => file.startsWith("unpack-") || file.startsWith("blob-"))).toEqual([]);
  },
  rounds * 30_000 + 60_000,
);
