/** Files of volumes by the API of an engine of its own, and what containers find of them. */
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { FileList } from "#api/files.ts";
import { call, logs, openRig, remove, type Rig, run, sh, wait } from "./rig.ts";

let rig: Rig;
beforeAll(async () => {
  rig = await openRig("volumes");
});
afterAll(() => rig?.[Symbol.asyncDispose]());

/** What a script prints in a container that has the volume at /data. */
async function inside(volume: string, script: string): Promise<string> {
  const id = await run(rig.client, { ...sh(script), HostConfig: { Binds: [`${volume}:/data`] } });
  expect(await wait(rig.client, id)).toBe(0);
  const { stdout } = await logs(rig.client, id);
  await remove(rig.client, id);
  return stdout;
}

test("a volume is snapshot, forked, exported, imported and looked into", async () => {
  const { client } = rig;
  await inside("db", "echo one > /data/rows; chown 999:998 /data/rows; ln -s /etc /data/etc");
  await client.json("POST", "/slipway/volumes/db/snapshots", { json: { Name: "first" } });
  await inside("db", "echo two > /data/rows");
  await client.json("POST", "/slipway/volumes/db/fork", { json: { Name: "now" } });
  await client.json("POST", "/slipway/volumes/db/fork", { json: { Name: "then", Snapshot: "first" } });
  expect(await inside("now", "cat /data/rows; echo three > /data/rows")).toBe("two\n");
  expect(await inside("then", "cat /data/rows; stat -c %u:%g /data/rows")).toBe("one\n999:998\n");
  expect(await inside("db", "cat /data/rows")).toBe("two\n");
  expect(await client.json("GET", "/slipway/volumes/db/size")).toEqual({ Size: 8 });
  const { entries } = await client.json<FileList>("GET", "/slipway/volumes/db/files", { query: { path: "/" } });
  expect(entries).toMatchObject([
    { name: "etc", kind: "link", target: "/etc" },
    { name: "rows", kind: "file", size: 4, uid: 999, gid: 998 },
  ]);
  const look = (path: string) => client.json("GET", "/slipway/volumes/db/files", { query: { path } });
  await expect(look("/etc")).rejects.toMatchObject({ class: "invalidArgument", message: '"/etc" in volume db is a link that leads to itself' });
  await expect(look("/usr")).rejects.toMatchObject({ class: "notFound" });
  const { body } = await client.stream("GET", "/slipway/volumes/db/export");
  const tar = Buffer.concat(await body.toArray());
  await call(client, "POST", "/slipway/volumes/packed/import", {
    body: (async function* () {
      yield await Promise.resolve(gzipSync(tar));
    })(),
  });
  expect(await inside("packed", "cat /data/rows; stat -c %u:%g /data/rows; readlink /data/etc")).toBe("two\n999:998\n/etc\n");
  await client.call("DELETE", "/slipway/volumes/db/snapshots/first");
  expect(await client.json("GET", "/slipway/volumes/db/snapshots")).toEqual({ Snapshots: [] });
  await expect(client.json("POST", "/slipway/volumes/db/fork", { json: { Name: "later", Snapshot: "first" } })).rejects.toMatchObject({ class: "notFound" });
  for (const name of ["db", "now", "then", "packed"]) await client.call("DELETE", `/volumes/${name}`);
});

test("one file of a volume is read and written, and the volume is emptied with its snapshots kept", async () => {
  const { client } = rig;
  await inside("notes", "mkdir -p /data/deep/er; echo one > /data/deep/er/note; ln -s /etc /data/etc; touch /data/.hidden");
  const { body } = await client.stream("GET", "/slipway/volumes/notes/archive", { query: { path: "/deep/er/note" } });
  const tar = Buffer.concat(await body.toArray());
  expect(tar.subarray(0, 4).toString()).toBe("note");
  expect(tar.subarray(512, 515).toString()).toBe("one");
  await call(client, "POST", "/slipway/volumes/notes/import", {
    query: { path: "/deep" },
    body: (async function* () {
      yield await Promise.resolve(tar);
    })(),
  });
  expect(await inside("notes", "cat /data/deep/note")).toBe("one\n");
  await client.json("POST", "/slipway/volumes/notes/snapshots", { json: { Name: "before" } });
  await client.call("POST", "/slipway/volumes/notes/empty");
  expect(await inside("notes", "ls -A /data | wc -l; ls /etc/resolv.conf")).toBe("0\n/etc/resolv.conf\n");
  expect(await client.json("GET", "/slipway/volumes/notes/snapshots")).toMatchObject({ Snapshots: [{ Name: "before" }] });
  await expect(client.call("POST", "/slipway/volumes/nowhere/empty")).rejects.toMatchObject({ class: "notFound" });
  await client.call("DELETE", "/volumes/notes");
});
