import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { mkdirSync, mkdtempSync, rmdirSync, rmSync, statfsSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { busybox, dockerArchive } from "../fixtures/image.ts";
import type { ContainerSummary } from "#api/containers.ts";
import { daemonOf } from "../fixtures/processes.ts";
import { startEngine } from "../fixtures/program.ts";
import { call, create, events, inspect, logs, openRig, remove, type Rig, run, sh, wait } from "./rig.ts";

/** A data disk of its own, small enough to fill: nothing below may reach the disk of this machine. */
const diskMiB = 96;
let base: string;
let disk: string;
let rig: Rig;

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), "slipway-full-"));
  disk = join(base, "disk");
  const image = join(base, "disk.img");
  mkdirSync(disk);
  writeFileSync(image, "");
  truncateSync(image, diskMiB * 2 ** 20);
  // Without blocks set aside for root, as XFS has none: the engine is root.
  execFileSync("mkfs.ext4", ["-q", "-m", "0", image]);
  execFileSync("mount", ["-o", "loop", image, disk]);
  if (statSync(disk).dev === statSync(base).dev) throw new Error(`${disk} is not a disk of its own`);
  rig = await openRig("full", { root: disk });
});
afterAll(async () => {
  const left = await rig?.client.json<{ Id: string }[]>("GET", "/containers/json", { query: { all: 1 } }).catch(() => []);
  for (const { Id } of left ?? []) await remove(rig.client, Id);
  await rig?.[Symbol.asyncDispose]();
  execFileSync("umount", [disk]);
  rmdirSync(disk);
  rmSync(base, { recursive: true });
});

const freeMiB = (): number => {
  const { bavail, bsize } = statfsSync(disk);
  return (bavail * bsize) / 2 ** 20;
};

/** Writes until nothing more fits, from inside a container; never more than the disk could hold. */
async function fill(): Promise<string> {
  const id = await run(rig.client, { name: "filler", ...sh(`dd if=/dev/zero of=/fill bs=1M count=${diskMiB}; while echo x >> /crumbs; do :; done; exit 7`) });
  expect(await wait(rig.client, id)).toBe(7);
  expect(freeMiB()).toBeLessThan(1);
  return id;
}

/** What the engine answers to a load, read although it does not read the request to its end. */
async function loadOutcome(archive: Buffer): Promise<string> {
  const sent = request({ socketPath: rig.program.socket, method: "POST", path: "/images/load?quiet=1" });
  const answer = once(sent, "response") as Promise<[IncomingMessage]>;
  sent.on("error", () => {});
  sent.end(archive);
  const [response] = await answer;
  return await text(response);
}

const refused = { message: expect.stringContaining("no space left on device") as string, class: "internal" };

test("an engine whose disk is full says so, loses nothing, and lives on once there is room", async () => {
  const { client } = rig;
  await expect.poll(() => statSync(join(disk, "state.db-wal")).size, { timeout: 30_000 }).toBeGreaterThan(4 * 2 ** 20);
  const keeper = await run(client, {
    name: "keeper",
    ...sh("trap 'exit 5' TERM; echo before > /data/word; while :; do sleep 0.1; done"),
    HostConfig: { Binds: ["kept:/data"] },
  });
  const talker = await create(client, { name: "talker", ...sh("i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done; exit 3") });
  await create(client, { name: "idle", Cmd: ["true"] });
  const filler = await fill();

  const died = events(client, { event: ["die"] });
  await died.ready;
  // What needs much room is refused, in words.
  const other = await busybox("other:1", { Env: ["A=1"] });
  const archive = await dockerArchive([other]);
  expect(await loadOutcome(Buffer.concat([archive, Buffer.alloc(8 * 2 ** 20)]))).toContain(
    "the engine's data disk is full; free some with `docker system prune`",
  );
  const answers = await Promise.allSettled(Array.from({ length: 12 }, (_, i) => create(client, { name: `more${i}`, Cmd: ["true"] })));
  for (const answer of answers) if (answer.status === "rejected") expect(answer.reason).toMatchObject(refused);
  const made = answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));

  // What runs goes on, with or without its log, and how it ends is known.
  await client.call("POST", `/containers/${talker}/start`).then(
    async () => expect(await wait(client, talker)).toBe(3),
    (error: unknown) => expect(error).toMatchObject(refused),
  );
  await client.call("POST", `/containers/${keeper}/stop`, { query: { t: 20 } });
  expect((await inspect(client, keeper)).State).toMatchObject({ Status: "exited", ExitCode: 5 });
  await expect.poll(() => died.seen.map(({ Actor }) => Actor.ID)).toContain(keeper);
  died.stop();

  // Deleting works on the full disk, and gives the room back.
  await remove(client, filler);
  await expect.poll(freeMiB, { timeout: 30_000 }).toBeGreaterThan(20);
  for (const id of made) await remove(client, id);
  expect(await inspect(client, "idle")).toMatchObject({ State: { Status: "created" } });
  await client.call("POST", `/containers/${keeper}/start`);
  expect(
    await logs(client, await run(client, { ...sh("cat /data/word"), HostConfig: { Binds: ["kept:/data"] } }).then(async (id) => (await wait(client, id), id))),
  ).toMatchObject({
    stdout: "before\n",
  });
  await call(client, "POST", "/images/load", {
    query: { quiet: 1 },
    body: (async function* () {
      yield await Promise.resolve(archive);
    })(),
  });
  expect(await client.json("GET", "/images/other:1/json")).toMatchObject({ RepoTags: ["other:1"] });
});

test("prune, rmi and volume removal work on a full disk, and an engine killed there starts again whole", async () => {
  const { client } = rig;
  await fill();
  await client.call("DELETE", "/images/other:1");
  await client.json("POST", "/containers/prune");
  await expect.poll(freeMiB, { timeout: 30_000 }).toBeGreaterThan(20);
  await remove(client, "keeper");
  await fill();
  const known = async (): Promise<unknown> =>
    (await rig.client.json<ContainerSummary[]>("GET", "/containers/json", { query: { all: 1 } })).map(({ Id, Names, State, Image }) => ({
      Id,
      Names,
      State,
      Image,
    }));
  const before = await known();
  // The worst end there is, and a start with no room at all.
  const daemon = daemonOf(rig.program.socket);
  if (daemon !== undefined) process.kill(Number(daemon), "SIGKILL");
  await rig.program.exited;
  const program = await startEngine({ isolate: rig.netns, root: disk });
  rig = { ...rig, program, [Symbol.asyncDispose]: () => program[Symbol.asyncDispose]() };
  expect(await known()).toEqual(before);
  await remove(rig.client, "filler");
  await expect.poll(freeMiB, { timeout: 30_000 }).toBeGreaterThan(20);
  expect(await wait(rig.client, await run(rig.client, { ...sh("exit 4") }))).toBe(4);
});

test("a disk that gets full is told of, in docker info and in the engine's log, with what takes most of it", async () => {
  const { client } = rig;
  const warnings = async (): Promise<string> => (await client.json<{ Warnings: string[] | null }>("GET", "/info")).Warnings?.join("\n") ?? "";
  expect(await warnings()).not.toContain("% full");
  const filler = await run(client, { name: "filler", ...sh(`dd if=/dev/zero of=/fill bs=1M count=${Math.floor(freeMiB() - diskMiB / 10)}`) });
  await wait(client, filler);
  expect(await warnings()).toMatch(/the disk of \S+ is (8[5-9]|9\d) % full, \d+ MiB are left: docker system df shows what takes it/);
  await rig[Symbol.asyncDispose]();
  rig = await openRig("full", { root: disk });
  const log = async (): Promise<string> => {
    const { body } = await rig.client.stream("GET", "/slipway/log");
    return await text(body);
  };
  await expect.poll(log, { timeout: 30_000 }).toMatch(/the disk of \S+ is \d+ % full, \d+ MiB are left; largest are container filler \([\d.]+MB\)/);
  await remove(rig.client, filler);
  await expect.poll(warnings, { timeout: 30_000 }).not.toContain("% full");
});

test("the database of an engine that lived on a full disk is whole", async () => {
  for (const { Id } of await rig.client.json<{ Id: string }[]>("GET", "/containers/json", { query: { all: 1 } })) await remove(rig.client, Id);
  await rig.program.stop();
  using database = new DatabaseSync(join(disk, "state.db"));
  expect(database.prepare("PRAGMA integrity_check").all()).toEqual([{ integrity_check: "ok" }]);
});
