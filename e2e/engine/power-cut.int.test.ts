/** A disk that drops what was not flushed, and one that can only be read all at once. */
import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { StoreCheck } from "#api/images.ts";
import type { TrashList } from "#api/trash.ts";
import { EngineClient } from "#client/client.ts";
import { delay } from "#base/deadline.ts";
import { busybox, busyboxLayer, dockerArchive, makeImage } from "../fixtures/image.ts";
import { daemonOf } from "../fixtures/processes.ts";
import { startEngine } from "../fixtures/program.ts";
import { startRegistry, type TestRegistry } from "../fixtures/registry.ts";
import { call, create, inspect, logs, openRig, type Rig, run, sh, unlessGone, wait } from "./rig.ts";

const cuts = process.env["SLIPWAY_TEST_LONG"] ? 100 : 3;
const seed = Number(process.env["SLIPWAY_TEST_SEED"] ?? Date.now() % 1_000_000);
const base = mkdtempSync("/var/tmp/slipway-cut-");
const [disk, image, file] = [join(base, "disk"), join(base, "disk.img"), join(base, "daemon.json")];
const args = ["--config", file];
/** The rig's. */
const netns = `slipway-cut${process.pid}`;
const farImages = 3;
let rig: Rig;
let registry: TestRegistry;

beforeAll(async () => {
  writeFileSync(file, "{}");
  writeFileSync(image, "");
  truncateSync(image, 384 * 2 ** 20);
  execFileSync("mkfs.ext4", ["-q", "-m", "0", image]);
  mkdirSync(disk);
  mount();
  // Made beforehand: one that the engine's launcher made goes with an engine that has no container, the registry inside or not.
  execFileSync("ip", ["netns", "add", netns]);
  execFileSync("ip", ["-n", netns, "link", "set", "lo", "up"]);
  rig = await openRig("cut", { root: disk, args });
  registry = await startRegistry({ dir: join(base, "registry"), port: 5057, netns });
  for (let i = 0; i < farImages; i += 1) {
    const layers = [0, 1, 2].map((layer) => [{ name: `noise-${layer}`, data: randomBytes(3_000_000) }]);
    await registry.push(`far${i}`, "1", await makeImage(`far${i}:1`, [busyboxLayer(), ...layers]));
  }
});
afterAll(async () => {
  await registry?.[Symbol.asyncDispose]();
  await rig?.[Symbol.asyncDispose]();
  execFileSync("ip", ["netns", "del", netns]);
  execFileSync("umount", [disk]);
  rmSync(base, { recursive: true, force: true });
});

const mount = (): void => void execFileSync("mount", ["-o", "loop", image, disk]);

async function stopped(): Promise<void> {
  await rig.program.stop();
  execFileSync("umount", [disk]);
}

async function started(): Promise<void> {
  const program = await startEngine({ isolate: rig.netns, root: disk, args });
  rig = { ...rig, program, client: new EngineClient({ kind: "socket", path: program.socket }), [Symbol.asyncDispose]: () => program[Symbol.asyncDispose]() };
}

const check = (): Promise<StoreCheck> => rig.client.json("GET", "/slipway/check");
const list = async (path: string): Promise<string[]> => (await rig.client.json<{ Id: string }[]>("GET", path, { query: { all: 1 } })).map(({ Id }) => Id);
const trashed = async (): Promise<string[]> => (await rig.client.json<TrashList>("GET", "/slipway/trash")).Items.map(({ Id }) => Id);
const volumes = async (): Promise<string[]> => (await rig.client.json<{ Volumes: { Name: string }[] }>("GET", "/volumes")).Volumes.map(({ Name }) => Name);

/** What the engine has said yes to. */
interface Acknowledged {
  readonly containers: Set<string>;
  readonly volumes: Set<string>;
  readonly trash: Set<string>;
  readonly pulled: Set<string>;
  /** Words that a container has synced and said so. */
  words: number;
}

/** Works on until told to stop; each thing is noted once it was acknowledged, and its removal before it is asked for. */
async function work(round: number, until: AbortSignal, done: Acknowledged): Promise<void> {
  const { client } = rig;
  for (let i = 0; !until.aborted; i += 1) {
    const name = `v${round}-${i}`;
    await client.json("POST", "/volumes/create", { json: { Name: name } });
    done.volumes.add(name);
    const id = await create(client, { ...sh(`echo ${i}`), HostConfig: { Binds: [`${name}:/data`] } });
    done.containers.add(id);
    if (i % 3 !== 2) continue;
    done.containers.delete(id);
    await client.call("DELETE", `/containers/${id}`);
    done.trash.add(id);
  }
}

/** Images come and go meanwhile: files and rows that are in the middle of being made. */
async function load(round: number, until: AbortSignal): Promise<void> {
  const { client } = rig;
  const id = await create(client, sh("true"));
  for (let i = 0; !until.aborted; i += 1) {
    const archive = await dockerArchive([await busybox(`loaded:${round}-${i}`)]);
    const chunks = async function* (): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(archive);
    };
    await call(client, "POST", "/images/load", { query: { quiet: 1 }, body: chunks() });
    await client.json("POST", "/commit", { query: { container: id, repo: "made", tag: `${round}-${i}` }, json: {} });
    await client.json("DELETE", `/images/made:${round}-${i}`);
  }
}

/** Images that are pulled, taken away for good and pulled anew. */
async function pull(until: AbortSignal, done: Acknowledged): Promise<void> {
  const { client } = rig;
  for (let i = 0; !until.aborted; i += 1) {
    const name = far(i % farImages);
    await call(client, "POST", "/images/create", { query: { fromImage: name } });
    done.pulled.add(name);
    if (i < 1) continue;
    const old = far((i - 1) % farImages);
    done.pulled.delete(old);
    await client.json("DELETE", `/images/${old}`);
    await client.call("DELETE", `/slipway/trash/${encodeURIComponent(old)}`);
  }
}

const far = (i: number): string => `${registry.address}/far${i}:1`;

/** The disk as it is below the file system at a moment in the middle of it all: what the file system has not flushed is not on it. */
async function cut(round: number, done: Acknowledged, waitMs: number): Promise<void> {
  const { client } = rig;
  const writer = await run(client, {
    name: `writer${round}`,
    ...sh(`i=0; while :; do i=$((i+1)); echo $i | dd of=/data/${round}-$i conv=fsync 2> /dev/null && echo synced; done`),
    HostConfig: { Binds: ["words:/data"] },
  });
  const stop = new AbortController();
  const working = [work(round, stop.signal, done), load(round, stop.signal), pull(stop.signal, done)];
  for (const one of working) one.catch(() => undefined);
  await delay(waitMs);
  await client.call("POST", `/containers/${writer}/pause`);
  done.words = (await logs(client, writer)).stdout.split("synced").length - 1;
  const engine = Number(daemonOf(rig.program.socket));
  process.kill(engine, "SIGSTOP");
  const acknowledged = structuredClone(done);
  execFileSync("cp", ["--sparse=always", image, `${image}.cut`]);
  process.kill(engine, "SIGCONT");
  stop.abort();
  await Promise.all(working);
  await client.call("DELETE", `/containers/${writer}`, { query: { force: 1 } }).catch(unlessGone);
  await stopped();
  renameSync(`${image}.cut`, image);
  Object.assign(done, acknowledged);
  mount();
  await started();
}

test(
  `what was acknowledged is there after a disk dropped what was not flushed, ${cuts} times, of seed ${seed}`,
  async () => {
    const done: Acknowledged = { containers: new Set(), volumes: new Set(), trash: new Set(), pulled: new Set(), words: 0 };
    let random = seed;
    for (let round = 0; round < cuts; round += 1) {
      random = (random * 1_103_515_245 + 12_345) % 2 ** 31;
      await cut(round, done, 700 + (random % 1_500));
      const what = `round ${round}`;
      expect((await check()).Problems, what).toEqual([]);
      expect(await volumes(), what).toEqual(expect.arrayContaining([...done.volumes]));
      expect(await list("/containers/json"), what).toEqual(expect.arrayContaining([...done.containers]));
      expect(await trashed(), what).toEqual(expect.arrayContaining([...done.trash]));
      for (const name of done.pulled)
        expect(await wait(rig.client, await run(rig.client, { Image: name, Cmd: ["sh", "-c", "cat /noise-* | wc -c"] })), what).toBe(0);
      expect(done.words, what).toBeGreaterThan(0);
      const words = sh(`for i in $(seq ${done.words}); do [ "$(cat /data/${round}-$i)" = $i ] || exit 3; done`);
      expect(await wait(rig.client, await run(rig.client, { ...words, HostConfig: { Binds: ["words:/data"] } })), what).toBe(0);
      const [one] = done.containers;
      await rig.client.call("POST", `/containers/${one}/start`);
      expect(await wait(rig.client, one!), what).toBe(0);
      // What has arrived of a blob is kept, so that the next pull fetches only the rest.
      const left = ["ingest", "trash", "builds/work"].flatMap((name) => readdirSync(join(disk, name))).filter((name) => !name.startsWith("ref-"));
      expect(left, what).toEqual([]);
      for (const id of await list("/containers/json")) await rig.client.call("DELETE", `/containers/${id}`, { query: { force: 1 } });
      for (const name of done.volumes) await rig.client.call("DELETE", `/volumes/${name}`);
      for (let i = 0; i < farImages; i += 1) await rig.client.json("DELETE", `/images/${far(i)}`).catch(unlessGone);
      await rig.client.json("DELETE", "/slipway/trash");
      for (const set of [done.containers, done.volumes, done.trash, done.pulled]) set.clear();
    }
  },
  cuts * 60_000,
);

test("a disk that can only be read from one moment on: each change is refused with that word, the rest goes on, and nothing is lost", async () => {
  const id = await create(rig.client, { name: "before", ...sh("echo ran") });
  await rig.client.json("POST", "/volumes/create", { json: { Name: "before" } });
  // What ext4 does with a disk that fails.
  execFileSync("mount", ["-o", "remount,abort", disk]);
  const refused = { message: expect.stringMatching(/read-only|readonly|I\/O error|EROFS/i) as string };
  await expect(rig.client.json("POST", "/volumes/create", { json: { Name: "after" } })).rejects.toMatchObject(refused);
  await expect(create(rig.client, { name: "after", ...sh("true") })).rejects.toMatchObject(refused);
  expect((await inspect(rig.client, id)).Name).toBe("/before");
  expect(await volumes()).not.toContain("after");
  await stopped();
  // A copy: where another mount namespace of the machine has the disk still, a mount of it would be the aborted file system again.
  execFileSync("cp", ["--sparse=always", image, `${image}.cut`]);
  renameSync(`${image}.cut`, image);
  // 1: what the abort left was put right.
  expect(spawnSync("e2fsck", ["-fy", image]).status).toBeLessThanOrEqual(1);
  mount();
  await started();
  expect((await check()).Problems).toEqual([]);
  expect(await volumes()).toContain("before");
  await rig.client.call("POST", `/containers/${id}/start`);
  expect(await wait(rig.client, id)).toBe(0);
  expect((await logs(rig.client, id)).stdout).toBe("ran\n");
  await create(rig.client, { name: "after", ...sh("true") });
});
