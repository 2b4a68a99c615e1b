import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statfsSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ContainerInspect } from "#api/containers.ts";
import type { StoreCheck } from "#api/images.ts";
import type { TrashItem, TrashList, TrashRestored } from "#api/trash.ts";
import { EngineClient } from "#client/client.ts";
import { daemonOf } from "../fixtures/processes.ts";
import { startEngine } from "../fixtures/program.ts";
import { create, frames, inspect, logs, openRig, type Rig, run, sh, wait } from "./rig.ts";

const root = mkdtempSync("/var/tmp/slipway-bin-");
const file = join(root, "daemon.json");
const configure = (trash: object): void => writeFileSync(file, JSON.stringify({ "slipway.trash": trash }));
let rig: Rig;

beforeAll(async () => {
  configure({});
  rig = await openRig("bin", { root: join(root, "engine"), args: ["--config", file] });
});
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
  rmSync(root, { recursive: true, force: true });
});

const trash = (): Promise<TrashList> => rig.client.json("GET", "/slipway/trash");
const names = async (): Promise<string[]> => (await trash()).Items.map(({ Name }) => Name);
const restore = (id: string): Promise<TrashRestored> => rig.client.json("POST", `/slipway/trash/${id}/restore`);
const rm = (id: string, query: Record<string, number> = {}): Promise<void> => rig.client.call("DELETE", `/containers/${id}`, { query });
const check = async (): Promise<StoreCheck> => await rig.client.json("GET", "/slipway/check");
const empty = (): Promise<unknown> => rig.client.json("DELETE", "/slipway/trash");
const shown = ({ Id, Name, Created, Path, Args, State, Config, HostConfig, Mounts, Image, LogPath }: ContainerInspect): object => ({
  ...{ Id, Name, Created, Path, Args, State, Config, HostConfig, Mounts, Image, LogPath },
});

/** `days` always differs from before, so that it is seen when the engine has read it. */
async function reload(limits: { days: number; bytes?: string }): Promise<void> {
  configure(limits);
  process.kill(Number(daemonOf(rig.program.socket)), "SIGHUP");
  await expect.poll(async () => (await trash()).Limits.Days).toBe(limits.days);
}

async function killed(): Promise<void> {
  process.kill(Number(daemonOf(rig.program.socket)), "SIGKILL");
  await rig.program.exited;
  await again();
}

async function again(): Promise<void> {
  const program = await startEngine({ isolate: rig.netns, root: join(root, "engine"), args: ["--config", file] });
  rig = { ...rig, program, client: new EngineClient({ kind: "socket", path: program.socket }), [Symbol.asyncDispose]: () => program[Symbol.asyncDispose]() };
}

/** A file system of its own, without blocks set aside for root. */
function smallDisk(sizeMiB: number): { readonly path: string } & AsyncDisposable {
  const [image, path] = [join(root, "disk.img"), join(root, "disk")];
  writeFileSync(image, "");
  truncateSync(image, sizeMiB * 2 ** 20);
  execFileSync("mkfs.ext4", ["-q", "-m", "0", image]);
  mkdirSync(path);
  execFileSync("mount", ["-o", "loop", image, path]);
  return { path, [Symbol.asyncDispose]: () => Promise.resolve(void execFileSync("umount", [path])) };
}

/** What a command in a started container prints. */
async function told(id: string, script: string): Promise<string> {
  const { Id } = await rig.client.json<{ Id: string }>("POST", `/containers/${id}/exec`, { json: { AttachStdout: true, ...sh(script) } });
  const { stream } = await rig.client.hijack(`/exec/${Id}/start`, { json: {} });
  return (await frames(stream)).stdout;
}

test("a removed container is gone for Docker's clients, and comes back with its id, configuration, data and log", async () => {
  const { client } = rig;
  const id = await create(client, { name: "web", ...sh("echo ran; cat /data 2>/dev/null; echo kept > /data"), Env: ["A=b"], Labels: { l: "m" } });
  await client.call("POST", `/containers/${id}/start`);
  await wait(client, id);
  const before = shown(await inspect(client, id));
  await rm(id);
  await expect(inspect(client, id)).rejects.toMatchObject({ class: "notFound" });
  const [item, ...others] = (await trash()).Items;
  expect(others).toEqual([]);
  expect(item).toMatchObject({ Kind: "container", Id: id, Name: "web", Bytes: expect.any(Number) as number });
  expect(item!.Bytes).toBeGreaterThan(0);
  expect(Math.abs(Date.parse(item!.RemovedAt) - Date.now())).toBeLessThan(60_000);
  expect(await check()).toMatchObject({ Checked: { Trash: 1 }, Problems: [] });
  expect(await restore("web")).toEqual({ Kind: "container", Id: id, Name: "web", Warnings: [], Also: [] });
  expect(shown(await inspect(client, id))).toEqual(before);
  expect((await logs(client, id)).stdout).toBe("ran\n");
  await client.call("POST", `/containers/${id}/start`);
  expect(await wait(client, id)).toBe(0);
  expect((await logs(client, id)).stdout).toBe("ran\nran\nkept\n");
  await expect(restore(id)).rejects.toMatchObject({ class: "notFound", message: `No such thing in the trash: ${id}` });
  await rm(id);
  await empty();
});

test("the name is free at once; who comes back to a taken one is called otherwise, and the answer says so", async () => {
  const { client } = rig;
  const first = await create(client, { name: "db", ...sh("true") });
  await rm(first);
  const second = await create(client, { name: "db", ...sh("true") });
  const restored = await restore(first);
  expect(restored).toMatchObject({ Id: first, Name: "db-2", Warnings: ["the name db is taken by now: it is called db-2"] });
  expect((await inspect(client, "db")).Id).toBe(second);
  expect((await inspect(client, "db-2")).Id).toBe(first);
  for (const id of [first, second]) await rm(id);
  await empty();
});

test("a running container that was removed by force, its ports taken by another, runs again when they are free", async () => {
  const { client } = rig;
  const served = {
    ...sh("echo hello > /index.html; httpd -f -p 80 -h /"),
    ExposedPorts: { "80/tcp": {} },
    HostConfig: { PortBindings: { "80/tcp": [{ HostIp: "", HostPort: "8099" }] } },
  };
  const id = await run(client, { name: "site", ...served });
  await rm(id, { force: 1 });
  const other = await run(client, { name: "site", ...served });
  await rm(other, { force: 1 });
  expect(await restore(id)).toMatchObject({ Name: "site", Warnings: [] });
  expect((await inspect(client, id)).State).toMatchObject({ Status: "exited", ExitCode: 137 });
  await client.call("POST", `/containers/${id}/start`);
  await expect.poll(() => told(id, "wget -qO- http://127.0.0.1/index.html")).toBe("hello\n");
  await rm(id, { force: 1 });
  await empty();
});

test("the address of its last run is its own again where it is free", async () => {
  const { client } = rig;
  const address = async (id: string): Promise<string | undefined> => (await inspect(client, id)).NetworkSettings.Networks["bridge"]?.IPAddress;
  const sleeper = (name: string): Promise<string> => run(client, { name, ...sh("sleep 1000") });
  const [first, second] = [await sleeper("first"), await sleeper("second")];
  const before = await address(second);
  for (const id of [first, second]) await rm(id, { force: 1 });
  await restore(second);
  await client.call("POST", `/containers/${second}/start`);
  expect(await address(second)).toBe(before);
  await rm(second, { force: 1 });
  const others = [await sleeper("third"), await sleeper("fourth")];
  expect(await address(others[1]!)).toBe(before);
  expect((await restore(second)).Warnings).toEqual([`its address ${before} on bridge is another container's by now: it gets a new one`]);
  await client.call("POST", `/containers/${second}/start`);
  expect(await address(second)).not.toBe(before);
  for (const id of [second, ...others]) await rm(id, { force: 1 });
  await empty();
});

test("prune goes the same way; what removes itself is not kept", async () => {
  const { client } = rig;
  const ids = [await create(client, { name: "p1", ...sh("true") }), await create(client, { name: "p2", ...sh("true") })];
  const fleeting = await create(client, { name: "fleeting", ...sh("true"), HostConfig: { AutoRemove: true } });
  const gone = wait(client, fleeting, "removed");
  await client.call("POST", `/containers/${fleeting}/start`);
  await gone;
  const { ContainersDeleted } = await client.json<{ ContainersDeleted: string[] }>("POST", "/containers/prune");
  expect(ContainersDeleted.toSorted()).toEqual(ids.toSorted());
  expect((await names()).toSorted()).toEqual(["p1", "p2"]);
  await rig.client.call("DELETE", `/slipway/trash/${ids[0]!.slice(0, 12)}`);
  expect(await names()).toEqual(["p2"]);
  expect(await rig.client.json("DELETE", "/slipway/trash")).toMatchObject({ Items: 1 });
  expect((await trash()).Items).toEqual([]);
});

test("an image may go while the trash has a container of it: that one comes back and starts", async () => {
  const { client } = rig;
  await wait(client, await run(client, { name: "base", ...sh("echo own > /own") }));
  const { Id: made } = await client.json<{ Id: string }>("POST", "/commit", { query: { container: "base", repo: "own" }, json: {} });
  const id = await create(client, { name: "ofit", Image: "own", ...sh("cat /own") });
  await rm(id);
  await client.json("DELETE", "/images/own");
  await client.json("POST", "/images/prune");
  await expect(client.json("GET", `/images/${made}/json`)).rejects.toMatchObject({ class: "notFound" });
  await restore(id);
  await client.call("POST", `/containers/${id}/start`);
  await wait(client, id);
  expect((await logs(client, id)).stdout).toBe("own\n");
  const layers = async (): Promise<number> => (await check()).Checked.Layers;
  const before = await layers();
  for (const one of [id, "base"]) await rm(one);
  expect(await layers()).toBe(before);
  await empty();
  // The layer that only that image had.
  expect(await check()).toMatchObject({ Checked: { Layers: before - 1 }, Problems: [] });
});

test("an image comes back with its id and names, over a kill, and under another where its name is taken", async () => {
  const { client } = rig;
  await empty();
  await wait(client, await run(client, { name: "maker", ...sh("echo made > /made") }));
  const { Id } = await client.json<{ Id: string }>("POST", "/commit", { query: { container: "maker", repo: "made", tag: "1" }, json: {} });
  await rm("maker");
  await empty();
  const before = await client.json("GET", "/images/made:1/json");
  const { Checked } = await check();
  expect(await client.json("DELETE", "/images/made:1")).toEqual([{ Untagged: "made:1" }, { Deleted: Id }]);
  await expect(client.json("GET", "/images/made:1/json")).rejects.toMatchObject({ class: "notFound" });
  const [item] = (await trash()).Items;
  expect(item).toMatchObject({ Kind: "image", Name: "made:1" });
  expect(item!.Bytes).toBeGreaterThan(0);
  await killed();
  await rig.client.json("POST", "/images/prune");
  expect(await check()).toMatchObject({ Checked: { ...Checked, Images: Checked.Images - 1, Trash: 1 }, Problems: [] });
  expect(await restore("made:1")).toMatchObject({ Kind: "image", Name: "made:1", Warnings: [] });
  expect(await rig.client.json("GET", "/images/made:1/json")).toEqual(before);
  const id = await run(rig.client, { Image: "made:1", Cmd: ["cat", "/made"] });
  await wait(rig.client, id);
  expect((await logs(rig.client, id)).stdout).toBe("made\n");
  await rm(id);
  const { SpaceReclaimed } = await rig.client.json<{ SpaceReclaimed: number }>("POST", "/images/prune", {
    query: { filters: JSON.stringify({ dangling: ["false"], label: ["none=here"] }) },
  });
  expect(SpaceReclaimed).toBe(0);
  await rig.client.json("DELETE", "/images/made:1");
  await rig.client.call("POST", "/images/busybox/tag", { query: { repo: "made", tag: "1" } });
  const warning = "the name made:1 is taken by now: it is called made:1-2";
  expect(await restore("made:1")).toMatchObject({ Name: "made:1-2", Warnings: [warning] });
  for (const name of ["made:1", "made:1-2"]) await rig.client.json("DELETE", `/images/${name}`);
  await rig.client.json("DELETE", "/slipway/trash");
  expect(await check()).toMatchObject({ Checked: { Images: Checked.Images - 1, Layers: Checked.Layers - 1 }, Problems: [] });
});

test("an engine that was killed has it all in the trash still, and sweeps nothing of it away", async () => {
  const id = await run(rig.client, { name: "lasting", ...sh("echo once; echo x > /x") });
  await wait(rig.client, id);
  await rm(id);
  await killed();
  expect(await names()).toEqual(["lasting"]);
  expect(await check()).toMatchObject({ Checked: { Trash: 1 }, Problems: [] });
  await restore(id);
  await killed();
  expect((await trash()).Items).toEqual([]);
  expect((await logs(rig.client, id)).stdout).toBe("once\n");
  await rig.client.call("POST", `/containers/${id}/start`);
  await wait(rig.client, id);
  await rm(id);
});

test("past its size the oldest goes; with no days at all nothing is kept, and what was is let go", async () => {
  const { client } = rig;
  await empty();
  const written = async (name: string): Promise<string> => {
    const id = await run(client, { name, ...sh("dd if=/dev/zero of=/big bs=1M count=3") });
    await wait(client, id);
    await rm(id);
    return id;
  };
  for (const name of ["old", "middle", "young"]) await written(name);
  const all = await trash();
  expect(all.Bytes).toBeGreaterThan(9 * 2 ** 20);
  expect(all.Items.map(({ Name }: TrashItem) => Name)).toEqual(["young", "middle", "old"]);
  await reload({ days: 8, bytes: "8m" });
  await expect.poll(names, { timeout: 20_000 }).toEqual(["young", "middle"]);
  await reload({ days: 0 });
  await expect.poll(names, { timeout: 20_000 }).toEqual([]);
  await rm(await create(client, { name: "unkept", ...sh("true") }));
  expect(await names()).toEqual([]);
  await reload({ days: 7 });
});

test("volumes go into the trash as well, anonymous ones with their container, and come back with it", async () => {
  const { client } = rig;
  const mounts = { Volumes: { "/anonymous": {} }, HostConfig: { Binds: ["named:/named"] } };
  const id = await run(client, { name: "stateful", ...sh("for d in anonymous named; do cat /$d/f; echo $d > /$d/f; done 2>/dev/null"), ...mounts });
  await wait(client, id);
  await rm(id, { v: 1 });
  expect((await names()).length).toBe(2);
  await client.call("DELETE", "/volumes/named");
  const there = async (): Promise<string[]> => (await client.json<{ Volumes: { Name: string }[] }>("GET", "/volumes")).Volumes.map(({ Name }) => Name);
  expect(await there()).toEqual([]);
  await killed();
  const restored = await restore(id);
  expect(restored.Warnings).toEqual([]);
  expect(restored.Also.map(({ Kind }) => Kind)).toEqual(["volume", "volume"]);
  expect((await trash()).Items).toEqual([]);
  await rig.client.call("POST", `/containers/${id}/start`);
  await wait(rig.client, id);
  expect((await logs(rig.client, id)).stdout).toBe("anonymous\nnamed\n");
  expect((await check()).Problems).toEqual([]);
  await rm(id, { v: 1 });
  await rig.client.json("DELETE", "/slipway/trash");
  await rig.client.call("DELETE", "/volumes/named");
  await rig.client.json("DELETE", "/slipway/trash");
});

test("a volume that is gone for good, or another by now, is told of when its container comes back", async () => {
  const { client } = rig;
  const id = await create(client, { name: "old", ...sh("true"), HostConfig: { Binds: ["lost:/lost", "other:/other"] } });
  await rm(id);
  for (const name of ["lost", "other"]) await client.call("DELETE", `/volumes/${name}`);
  await client.call("DELETE", "/slipway/trash/lost");
  await client.json("POST", "/volumes/create", { json: { Name: "other" } });
  const { Warnings } = await restore(id);
  expect(Warnings).toEqual([
    "volume lost is gone for good: it has an empty one in its place",
    "volume other is another by now: the one it had is in the trash",
  ]);
  await client.call("POST", `/containers/${id}/start`);
  expect(await wait(client, id)).toBe(0);
  await rm(id);
  for (const name of ["lost", "other"]) await client.call("DELETE", `/volumes/${name}`);
  await empty();
});

test("what is old by a date that may be wrong still comes back; what is let go is gone with all it held", async () => {
  const id = await run(rig.client, { name: "aged", ...sh("echo x > /x"), Volumes: { "/v": {} } });
  await wait(rig.client, id);
  await rm(id, { v: 1 });
  await rm(await create(rig.client, { name: "fresh", ...sh("true") }));
  expect((await trash()).Items.length).toBe(3);
  await rig.program.stop();
  {
    using state = new DatabaseSync(join(root, "engine/state.db"));
    state.prepare("UPDATE trash SET removed = removed - ? WHERE name <> 'fresh'").run(7 * 24 * 60 * 60 * 1_000);
  }
  await again();
  await rm(await create(rig.client, { name: "later", ...sh("true") }));
  await expect.poll(async () => (await trash()).Items.find(({ Name }) => Name === "later")?.Bytes).toBeGreaterThan(0);
  expect(await names()).toHaveLength(4);
  await restore("aged");
  await rm(id, { v: 1 });
  await rig.client.json("DELETE", "/slipway/trash");
  const left = ["containers", "snapshots", "volumes", "removed-volumes"].flatMap((name) => readdirSync(join(root, "engine", name)));
  expect(left).toEqual([]);
});

test("a disk about to be full gets back what the trash holds before a write fails for it", async () => {
  await using disk = smallDisk(96);
  await using full = await openRig("binf", { root: disk.path, args: ["--config", file] });
  const written = async (name: string, count: number): Promise<number> => {
    const id = await run(full.client, { name, ...sh(`for i in $(seq ${count}); do dd if=/dev/zero of=/big$i bs=1M count=1 || exit 9; sleep 0.15; done`) });
    const code = await wait(full.client, id);
    await full.client.call("DELETE", `/containers/${id}`);
    return code;
  };
  const { bavail, bsize } = statfsSync(disk.path);
  const half = Math.floor((bavail * bsize) / 2 ** 21);
  expect(await written("first", half)).toBe(0);
  expect(await written("second", half)).toBe(0);
  // What the first held is needed for it.
  expect(await written("third", Math.floor(half / 2))).toBe(0);
  const { Items } = await full.client.json<TrashList>("GET", "/slipway/trash");
  expect(Items.map(({ Name }) => Name)).not.toContain("first");
  expect(Items.map(({ Name }) => Name)).toContain("third");
});

test("a network comes back with its id and addresses, by itself or along with a container that was on it", async () => {
  const { client } = rig;
  const net = { Name: "shop", IPAM: { Config: [{ Subnet: "10.77.0.0/24" }] }, Labels: { l: "m" } };
  const { Id: network } = await client.json<{ Id: string }>("POST", "/networks/create", { json: net });
  const before = await client.json("GET", "/networks/shop");
  const id = await run(client, {
    name: "web",
    ...sh("sleep 1000"),
    HostConfig: { NetworkMode: "shop" },
    NetworkingConfig: { EndpointsConfig: { shop: { IPAMConfig: { IPv4Address: "10.77.0.9" } } } },
  });
  await rm(id, { force: 1 });
  await client.call("DELETE", "/networks/shop");
  await expect(client.json("GET", "/networks/shop")).rejects.toMatchObject({ class: "notFound" });
  await killed();
  expect(await restore(id)).toMatchObject({ Warnings: [], Also: [{ Kind: "network", Id: network, Name: "shop" }] });
  expect(await rig.client.json("GET", `/networks/${network}`)).toEqual(before);
  await rig.client.call("POST", `/containers/${id}/start`);
  expect((await inspect(rig.client, id)).NetworkSettings.Networks["shop"]?.IPAddress).toBe("10.77.0.9");
  await rm(id, { force: 1 });
  await rig.client.json("POST", "/networks/prune");
  expect((await restore("shop")).Id).toBe(network);
  await killed();
  expect(await rig.client.json("GET", "/networks/shop")).toEqual(before);
  await rig.client.call("DELETE", "/networks/shop");
  await rig.client.call("DELETE", "/slipway/trash/shop");
  const { Warnings } = await restore(id);
  expect(Warnings).toEqual(["network shop is gone for good: it starts once there is one of that name"]);
  await rm(id);
  await rig.client.json("DELETE", "/slipway/trash");
});
