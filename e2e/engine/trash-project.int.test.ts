/** A Compose project that was taken down with its volumes comes back by one act. */
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ContainerSummary } from "#api/containers.ts";
import type { TrashList, TrashProjectRestored } from "#api/trash.ts";
import { tarOf } from "../fixtures/image.ts";
import { call, logs, openRig, type Rig, wait } from "./rig.ts";

const dir = mkdtempSync("/var/tmp/slipway-binproject-");
const folder = join(dir, "shop");
const project = `services:
  db: { image: busybox, command: [sh, -c, "echo row >> /data/rows; cat /data/rows"], volumes: ["data:/data"] }
  web: { image: busybox, command: ["true"], networks: [front] }
networks: { front: {} }
volumes: { data: {} }
`;
let rig: Rig;

beforeAll(async () => {
  mkdirSync(folder);
  writeFileSync(join(folder, "compose.yaml"), project);
  writeFileSync(join(dir, "daemon.json"), "{}");
  rig = await openRig("binp", { root: join(dir, "engine"), args: ["--config", join(dir, "daemon.json")] });
});
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true, force: true });
});

const act = (what: object): Promise<void> =>
  call(rig.client, "POST", "/slipway/compose/act", { json: { Folder: folder, Files: [join(folder, "compose.yaml")], Home: dir, ...what } });
const trash = (): Promise<TrashList> => rig.client.json("GET", "/slipway/trash");
const restore = (name: string): Promise<TrashProjectRestored> => rig.client.json("POST", "/slipway/trash/restore", { query: { project: name } });

/** Everything of the project that is there: names with ids. */
async function there(): Promise<Record<string, string>> {
  const containers = await rig.client.json<ContainerSummary[]>("GET", "/containers/json", { query: { all: 1 } });
  const networks = await rig.client.json<{ Name: string; Id: string }[]>("GET", "/networks");
  const { Volumes } = await rig.client.json<{ Volumes: { Name: string; CreatedAt: string }[] }>("GET", "/volumes");
  return Object.fromEntries([
    ...containers.map(({ Names, Id }) => [Names[0]!.slice(1), Id]),
    ...networks.filter(({ Name }) => Name.startsWith("shop")).map(({ Name, Id }) => [Name, Id]),
    ...Volumes.map(({ Name, CreatedAt }) => [Name, CreatedAt]),
  ]) as Record<string, string>;
}

test("down -v, and all of it is back under its names and ids, the volume with its data; what another project has in the trash stays there", async () => {
  await rig.client.json("POST", "/volumes/create", { json: { Name: "other", Labels: { "com.docker.compose.project": "others" } } });
  await rig.client.call("DELETE", "/volumes/other");
  await act({ Verb: "up" });
  await wait(rig.client, "shop-db-1");
  const before = await there();
  expect(Object.keys(before).toSorted()).toEqual(["shop-db-1", "shop-web-1", "shop_data", "shop_default", "shop_front"]);
  await act({ Verb: "down", Volumes: true });
  expect(await there()).toEqual({});
  const { Items } = await trash();
  expect(Items.filter(({ Project }) => Project === "shop")).toHaveLength(5);
  const restored = await restore("shop");
  expect(restored).toMatchObject({ Project: "shop", Warnings: [] });
  expect(restored.Items.map(({ Name }) => Name).toSorted()).toEqual(Object.keys(before).toSorted());
  expect(await there()).toEqual(before);
  expect((await trash()).Items.map(({ Name }) => Name)).toEqual(["other"]);
  await rig.client.call("POST", "/containers/shop-db-1/start");
  await wait(rig.client, "shop-db-1");
  expect((await logs(rig.client, "shop-db-1")).stdout).toBe("row\nrow\nrow\n");
});

test("of what went twice under one name the last comes back, under another name where that is taken, and the answer says so", async () => {
  await act({ Verb: "down", Volumes: true });
  await act({ Verb: "up" });
  await wait(rig.client, "shop-db-1");
  const last = await there();
  await act({ Verb: "down" });
  await rig.client.json("POST", "/containers/create", { query: { name: "shop-web-1" }, json: { Image: "busybox" } });
  const { Warnings } = await restore("shop");
  expect(Warnings).toContain("the name shop-web-1 is taken by now: it is called shop-web-1-2");
  expect(await there()).toMatchObject({ "shop-db-1": last["shop-db-1"], "shop-web-1-2": last["shop-web-1"] });
  await rig.client.call("DELETE", "/containers/shop-web-1");
});

test("a project of which the trash has nothing is not found", async () => {
  await expect(restore("nobody")).rejects.toMatchObject({ class: "notFound", message: "Nothing of a project nobody is in the trash" });
  await expect(restore("")).rejects.toMatchObject({ class: "notFound" });
});

test("system df has one row for all that the trash holds, and images do not count what only it has", async () => {
  interface Usage {
    readonly LayersSize: number;
    readonly BuildCache: { readonly Type: string; readonly Size: number; readonly UsageCount: number }[];
  }
  const df = (): Promise<Usage> => rig.client.json("GET", "/system/df");
  await rig.client.json("POST", "/commit", { query: { container: "shop-db-1", repo: "taken" }, json: {} });
  await rig.client.json("DELETE", "/images/taken");
  await rig.client.json("DELETE", "/slipway/trash");
  const { LayersSize: before, BuildCache: none } = await df();
  expect(none.filter(({ Type }) => Type === "trash")).toEqual([]);
  await rig.client.call("PUT", "/containers/shop-db-1/archive", { query: { path: "/" }, body: oneFile() });
  await rig.client.json("POST", "/commit", { query: { container: "shop-db-1", repo: "made" }, json: {} });
  expect((await df()).LayersSize).toBeGreaterThan(before);
  await rig.client.json("DELETE", "/images/made");
  const { LayersSize: after, BuildCache } = await df();
  expect(after).toBe(before);
  const { Bytes, Items } = await trash();
  expect(Bytes).toBeGreaterThan(100_000);
  expect(BuildCache.filter(({ Type }) => Type === "trash")).toMatchObject([{ Size: Bytes, UsageCount: Items.length }]);
});

async function* oneFile(): AsyncGenerator<Uint8Array> {
  yield await tarOf([{ name: "big", data: randomBytes(100_000).toString("hex") }]);
}
