/** The build cache is cut down after a build as daemon.json's `builder.gc` says. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
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
async function build(name: string): Promise<void> {
  const tar = await tarOf([{ name: "Dockerfile", data: `FROM busybox\nRUN head -c 200000 /dev/urandom > /${name}\n` }]);
  const { body } = await rig.client.stream("POST", "/build", {
    query: { t: name },
    body: (async function* () {
      yield await Promise.resolve(tar);
    })(),
  });
  expect(Buffer.concat(await body.toArray()).toString()).toContain(`Successfully tagged ${name}`);
}

const cached = async (): Promise<number> => {
  const { BuildCache } = await rig.client.json<{ BuildCache: { Size: number }[] | null }>("GET", "/system/df");
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
