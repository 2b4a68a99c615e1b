/** The build cache is cut down after a build as daemon.json's `builder.gc` says. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { delay } from "#base/deadline.ts";
import { tarOf } from "../fixtures/image.ts";
import { type Rig, openRig } from "./rig.ts";

const dir = mkdtempSync("/var/tmp/slipway-build-gc-");
const file = join(dir, "daemon.json");
const write = (gc: object): void => writeFileSync(file, JSON.stringify({ builder: { gc } }));
let rig: Rig;

beforeAll(async () => {
  write({ enabled: true, defaultKeepStorage: "300KB" });
  rig = await openRig("gc", { root: join(dir, "root"), args: ["--config", file] });
});
afterAll(async () => {
  await rig[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true, force: true });
});

/** A step that leaves 200 KB. */
async function build(name: string, { client }: Pick<Rig, "client"> = rig): Promise<void> {
  const tar = await tarOf([{ name: "Dockerfile", data: `FROM busybox\nRUN head -c 200000 /dev/urandom > /${name}\n` }]);
  const { body } = await client.stream("POST", "/build", {
    query: { t: name },
    body: (async function* () {
      yield await Promise.resolve(tar);
    })(),
  });
  expect(Buffer.concat(await body.toArray()).toString()).toContain(`Successfully tagged ${name}`);
}

const cached = async ({ client }: Pick<Rig, "client"> = rig): Promise<number> => {
  const { BuildCache } = await client.json<{ BuildCache: { Size: number }[] | null }>("GET", "/system/df");
  return (BuildCache ?? []).reduce((sum, { Size }) => sum + Size, 0);
};

test("what was used longest ago goes first, and the images stay", async () => {
  await build("one");
  expect(await cached()).toBeGreaterThan(200_000);
  await build("two");
  expect(await cached()).toBeLessThan(300 * 1024);
  expect(await cached()).toBeGreaterThan(200_000);
  for (const name of ["one", "two"]) await expect(rig.client.json("GET", `/images/${name}/json`)).resolves.toMatchObject({ RepoTags: [`${name}:latest`] });
});

test("a size may be a share of the disk", async () => {
  // A few kilobytes of a disk of some hundred gigabytes.
  write({ policy: [{ maxUsedSpace: "0.000001%", all: true }] });
  await using small = await openRig("gcs", { root: join(dir, "small"), args: ["--config", file] });
  await build("three", small);
  expect(await cached(small)).toBeLessThan(200_000);
  await expect(small.client.json("GET", "/images/three/json")).resolves.toMatchObject({ RepoTags: ["three:latest"] });
});

test("a disk with as much room as it shall have left takes nothing away, one with less takes all", async () => {
  write({ policy: [{ minFreeSpace: "1MB", all: true }] });
  await using roomy = await openRig("gcf", { root: join(dir, "roomy"), args: ["--config", file] });
  await build("four", roomy);
  expect(await cached(roomy)).toBeGreaterThan(200_000);
  write({ policy: [{ minFreeSpace: "100%", all: true }] });
  await using full = await openRig("gcg", { root: join(dir, "full"), args: ["--config", file] });
  await build("five", full);
  expect(await cached(full)).toBeLessThan(200_000);
});

test("what was not used for as long as a rule says goes, and what is used stays", async () => {
  write({ policy: [{ filter: ["unused-for=2s"], all: true }] });
  await using aging = await openRig("gca", { root: join(dir, "aging"), args: ["--config", file] });
  await build("six", aging);
  const records = async (): Promise<string[]> => {
    const { BuildCache } = await aging.client.json<{ BuildCache: { Description: string }[] | null }>("GET", "/system/df");
    return (BuildCache ?? []).map(({ Description }) => Description.replace(/.*> /, ""));
  };
  expect(await records()).toEqual(["/six"]);
  await delay(2_500);
  // It is used again, and so it is young, although it was made as long ago as one that is not.
  await build("six", aging);
  await build("seven", aging);
  expect(await records()).toEqual(["/six", "/seven"]);
  await delay(2_500);
  await build("seven", aging);
  expect(await records()).toEqual(["/seven"]);
});
