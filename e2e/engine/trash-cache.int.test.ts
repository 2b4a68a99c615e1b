/** Build cache that was pruned: in the trash, and found again by builds once it is back. */
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { StoreCheck } from "#api/images.ts";
import { TRASH_TYPE, type TrashList, type TrashRestored } from "#api/trash.ts";
import { EngineClient } from "#client/client.ts";
import { tarOf } from "../fixtures/image.ts";
import { daemonOf } from "../fixtures/processes.ts";
import { startEngine } from "../fixtures/program.ts";
import { openRig, type Rig } from "./rig.ts";

const dir = mkdtempSync("/var/tmp/slipway-bincache-");
const [root, file] = [join(dir, "engine"), join(dir, "daemon.json")];
const args = ["--config", file];
let rig: Rig;

beforeAll(async () => {
  writeFileSync(file, "{}");
  rig = await openRig("binc", { root, args });
});
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true, force: true });
});

interface Usage {
  readonly ID: string;
  readonly Type: string;
  readonly Size: number;
  readonly UsageCount: number;
}
interface Pruned {
  readonly CachesDeleted: string[] | null;
  readonly SpaceReclaimed: number;
}
const prune = (filters: object = {}): Promise<Pruned> => rig.client.json("POST", "/build/prune", { query: { all: 1, filters: JSON.stringify(filters) } });
const trash = (): Promise<TrashList> => rig.client.json("GET", "/slipway/trash");
const restore = (id = "build-cache"): Promise<TrashRestored> => rig.client.json("POST", `/slipway/trash/${id}/restore`);
const usage = async (): Promise<Usage[]> => {
  const { BuildCache } = await rig.client.json<{ BuildCache: Usage[] | null }>("GET", "/system/df");
  return (BuildCache ?? []).filter(({ Type }) => Type !== TRASH_TYPE);
};
const layers = async (): Promise<number> => (await rig.client.json<StoreCheck>("GET", "/slipway/check")).Checked.Layers;
const problems = async (): Promise<StoreCheck["Problems"]> => (await rig.client.json<StoreCheck>("GET", "/slipway/check")).Problems;
const empty = (): Promise<unknown> => rig.client.json("DELETE", "/slipway/trash");

/** What a build of these steps prints, by BuildKit's own words or the classic builder's. */
async function build(...steps: string[]): Promise<string> {
  const tar = await tarOf([{ name: "Dockerfile", data: `FROM busybox\n${steps.join("\n")}\n` }]);
  const { body } = await rig.client.stream("POST", "/build", {
    query: { t: "built", rm: 1 },
    body: (async function* () {
      yield await Promise.resolve(tar);
    })(),
  });
  return Buffer.concat(await body.toArray()).toString();
}

/** A folder build: its steps may mount caches. */
async function mounted(script: string): Promise<string> {
  const tar = await tarOf([{ name: "Dockerfile", data: `FROM busybox\nRUN --mount=type=cache,target=/c,id=lasting ${script}\n` }]);
  const { body } = await rig.client.stream("POST", "/slipway/builds", {
    body: (async function* () {
      yield await Promise.resolve(tar);
    })(),
  });
  return Buffer.concat(await body.toArray()).toString();
}

async function killed(): Promise<void> {
  process.kill(Number(daemonOf(rig.program.socket)), "SIGKILL");
  await rig.program.exited;
  await again();
}

async function again(): Promise<void> {
  const program = await startEngine({ isolate: rig.netns, root, args });
  rig = { ...rig, program, client: new EngineClient({ kind: "socket", path: program.socket }), [Symbol.asyncDispose]: () => program[Symbol.asyncDispose]() };
}

test("pruned cache is built anew, and what the same builds had comes back to be used", async () => {
  const steps = ["RUN head -c 200000 /dev/urandom > /random", "ENV A=b", "RUN head -c 100000 /dev/urandom > /more"];
  await build(...steps);
  const { Id: first } = await rig.client.json<{ Id: string }>("GET", "/images/built/json");
  await rig.client.json("DELETE", "/images/built");
  await empty();
  const before = await usage();
  const held = await layers();
  const { CachesDeleted, SpaceReclaimed } = await prune();
  expect(CachesDeleted?.toSorted()).toEqual(before.map(({ ID }) => ID).toSorted());
  expect(SpaceReclaimed).toBeGreaterThan(300_000);
  expect(await usage()).toEqual([]);
  const { Items } = await trash();
  expect(Items).toEqual([expect.objectContaining({ Kind: "build-cache", Name: "build-cache", Bytes: SpaceReclaimed })]);
  await killed();
  expect(await layers()).toBe(held);
  expect(await restore()).toMatchObject({ Kind: "build-cache", Name: "build-cache", Warnings: [], Also: [] });
  expect(await usage()).toEqual(before);
  const output = await build(...steps);
  expect(output.split("Using cache").length - 1).toBe(3);
  expect((await rig.client.json<{ Id: string }>("GET", "/images/built/json")).Id).toBe(first);
  expect(await problems()).toEqual([]);
});

test("let go by the trash it is gone, layers and all, but for what an image has", async () => {
  await build("RUN head -c 100000 /dev/urandom > /kept");
  const held = await layers();
  await build("RUN head -c 100000 /dev/urandom > /lost");
  await rig.client.json("DELETE", "/images/built");
  await prune();
  expect(await layers()).toBe(held + 1);
  await empty();
  expect(await layers()).toBe(held);
  await expect(restore()).rejects.toMatchObject({ class: "notFound" });
  expect(await problems()).toEqual([]);
});

test("what was built anew meanwhile stays, and the older records wait for nobody", async () => {
  const step = "RUN head -c 100000 /dev/urandom > /twice";
  await build(step);
  await prune();
  await build(step);
  const [newer] = await usage();
  expect((await restore()).Warnings).toEqual([]);
  expect(await usage()).toEqual([newer]);
  await prune();
  await empty();
});

test("a cache mount comes back with its files, over a kill, and beside one that was made meanwhile", async () => {
  expect(await mounted("echo first > /c/f")).not.toContain('"error"');
  await prune({ type: ["exec.cachemount"] });
  expect((await trash()).Items).toHaveLength(1);
  await killed();
  await restore();
  expect(await mounted("echo saw $(cat /c/f)")).toContain("saw first");
  await prune({ type: ["exec.cachemount"] });
  expect(await mounted("echo sees $(ls /c)nothing; echo second > /c/f")).toContain("sees nothing");
  expect((await restore()).Warnings).toEqual([]);
  const mounts = (await usage()).filter(({ Type }) => Type === "exec.cachemount");
  expect(mounts).toHaveLength(2);
  expect(readdirSync(join(root, "builds/removed-mounts"))).toEqual([]);
  await prune();
  await empty();
});

test("a directory that a crash kept from following its record is where the record is after the next start", async () => {
  await mounted("echo left > /c/f");
  const [name] = readdirSync(join(root, "builds/mounts"));
  await prune();
  const [item] = (await trash()).Items;
  await rig.program.stop();
  const [here, aside] = [join(root, "builds/mounts", name!), join(root, "builds/removed-mounts", item!.Id, name!)];
  renameSync(aside, here);
  await again();
  expect(readdirSync(join(root, "builds/mounts"))).toEqual([]);
  expect(await problems()).toEqual([]);
  await restore();
  await rig.program.stop();
  mkdirSync(join(root, "builds/removed-mounts", item!.Id));
  renameSync(here, aside);
  await again();
  expect(await mounted("echo saw $(cat /c/f)")).toContain("saw left");
});
