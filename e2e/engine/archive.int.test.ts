import { once } from "node:events";
import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { FileList } from "#api/files.ts";
import type { EngineClient } from "#client/client.ts";
import { type ImageEntry, tarOf } from "../fixtures/image.ts";
import { type Answered, getArchive, once1, putArchive } from "./archives.ts";
import { type Rig, create, logs, openRig, remove, run, sh, wait } from "./rig.ts";

let rig: Rig;
let client: EngineClient;
beforeAll(async () => {
  rig = await openRig("ar");
  client = rig.client;
});
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
});

const put = (id: string, path: string, entries: readonly ImageEntry[], query: Record<string, string | number> = {}): Promise<void> =>
  putArchive(client, { id, path, entries, query });
const get = (id: string, path: string): Promise<Answered> => getArchive(client, id, path);

test("what is put in comes out again, from a container that runs and from one that does not", async () => {
  const id = await create(client, { ...sh("cat /data/in/file; sleep 100"), HostConfig: { Binds: ["cpvol:/data"] } });
  await put(id, "/data", [
    { name: "in/", type: "directory" },
    { name: "in/file", data: "content\n", mode: 0o640 },
    { name: "in/link", type: "symlink", linkname: "file" },
  ]);
  const expected = ["in/ directory", "in/file file content\n", "in/link symlink file"];
  expect((await get(id, "/data/in")).entries).toEqual(expected);
  await client.call("POST", `/containers/${id}/start`);
  await expect.poll(() => logs(client, id)).toMatchObject({ stdout: "content\n" });
  const running = await get(id, "/data/in");
  expect(running.entries).toEqual(expected);
  expect(running.stat).toMatchObject({ name: "in", mode: 2 ** 31 + 0o755, linkTarget: "" });
  expect((await get(id, "/data/in/.")).entries).toEqual(["./ directory", "./file file content\n", "./link symlink file"]);
  expect((await get(id, "/data/in/link")).stat).toMatchObject({ name: "link", linkTarget: "/data/in/file" });
  await remove(client, id);
  await client.call("DELETE", "/volumes/cpvol");
});

test("a copy keeps mode and owner, or takes the container's user", async () => {
  const id = await run(client, { Cmd: ["sleep", "100"], User: "user" });
  await put(id, "/tmp", [{ name: "own", data: "x", mode: 0o4711 }]);
  await put(id, "/tmp", [{ name: "given", data: "x" }], { copyUIDGID: 1 });
  const exec = await client.json<{ Id: string }>("POST", `/containers/${id}/exec`, {
    json: { Cmd: ["stat", "-c", "%n %a %u", "/tmp/own", "/tmp/given"], AttachStdout: true },
  });
  const { stream } = await client.hijack(`/exec/${exec.Id}/start`, { json: { Tty: false } });
  const output = (await buffer(stream)).toString();
  expect(output).toContain("/tmp/own 4711 0");
  expect(output).toContain("/tmp/given 644 1000");
  await remove(client, id);
});

test("missing paths, files as targets and read-only roots are refused in dockerd's words", async () => {
  const id = await create(client, { Cmd: ["true"] });
  await expect(get(id, "/nowhere")).rejects.toMatchObject({ class: "notFound", message: `Could not find the file /nowhere in container ${id}` });
  await expect(put(id, "/nowhere", [])).rejects.toMatchObject({ class: "notFound" });
  await expect(put(id, "/etc/passwd", [])).rejects.toMatchObject({ class: "invalidArgument", message: "extraction point is not a directory" });
  await expect(put(id, "/", [{ name: "etc", data: "x" }], { noOverwriteDirNonDir: 1 })).rejects.toMatchObject({
    class: "internal",
    message: 'cannot overwrite directory "etc" with non-directory "/"',
  });
  await expect(get(id, "")).rejects.toMatchObject({ class: "invalidArgument" });
  await remove(client, id);
  const fixed = await create(client, { Cmd: ["true"], HostConfig: { ReadonlyRootfs: true } });
  await expect(put(fixed, "/tmp", [{ name: "a", data: "x" }])).rejects.toMatchObject({
    class: "invalidArgument",
    message: "container rootfs is marked read-only",
  });
  await remove(client, fixed);
});

test("neither a tar nor a container leads a copy out of its root", async () => {
  const id = await create(client, sh("ls -la /; cat /etc/escaped /inside 2>/dev/null; true"));
  await put(id, "/", [
    { name: "out", type: "symlink", linkname: "/../../../../host/tmp" },
    { name: "up", type: "symlink", linkname: "../../../../../../etc" },
  ]);
  await put(id, "/", [
    { name: "inside", data: "inside\n" },
    { name: "up/escaped", data: "kept in\n" },
    { name: "out/escaped-from-a-test", data: "x" },
  ]);
  await expect(put(id, "/tmp", [{ name: "../../x", data: "x" }])).rejects.toMatchObject({ message: 'invalid entry name "../../x"' });
  await client.call("POST", `/containers/${id}/start`);
  expect(await wait(client, id)).toBe(0);
  expect((await logs(client, id)).stdout).toContain("kept in\ninside\n");
  const { existsSync } = await import("node:fs");
  expect(existsSync("/tmp/escaped-from-a-test")).toBe(false);
  expect(existsSync("/etc/escaped")).toBe(false);
  await remove(client, id);
});

test("a client that stops reading holds nothing: the container can be removed at once", async () => {
  const id = await run(client, sh("head -c 50000000 /dev/zero > /big"));
  await wait(client, id);
  const { body } = await client.stream("GET", `/containers/${id}/archive`, { query: { path: "/big" } });
  await once(body, "readable");
  body.destroy();
  await remove(client, id);
  await expect(client.json("GET", `/containers/${id}/json`)).rejects.toMatchObject({ class: "notFound" });
});

test("links are followed as dockerd follows them: to the end for the answer's head, never for the last name alone", async () => {
  const id = await run(
    client,
    sh("mkdir -p /d/sub; echo x > /d/f; cd /d; ln -s f a; ln -s a b; ln -s loop loop; ln -s /d/sub abs; ln -s ../../../etc up; ln -s no gone"),
  );
  await wait(client, id);
  const linkTarget = async (path: string): Promise<unknown> => (await get(id, path)).stat["linkTarget"];
  expect(await Promise.all(["/d/b", "/d/abs", "/d/up", "/d/gone"].map(linkTarget))).toEqual(["/d/f", "/d/sub", "/etc", "/d/no"]);
  expect((await get(id, "/d/abs/")).entries).toEqual(["abs/ directory"]);
  const refusals = {
    "/d/loop": ["internal", "evalSymlinksInScope: too many links in /d/loop"],
    "/d/loop/x": ["internal", "lstat /d/loop/x: too many levels of symbolic links"],
    "/d/f/": ["internal", "lstat /d/f/: not a directory"],
    "/d/gone/": ["notFound", `Could not find the file /d/gone/ in container ${id}`],
  };
  for (const [path, [kind, message]] of Object.entries(refusals)) await expect(get(id, path)).rejects.toMatchObject({ class: kind, message });
  await remove(client, id);
});

test("copies see volumes and the root, running or not; what the runtime mounts besides is not there", async () => {
  const id = await run(client, {
    ...sh("echo t > /t/tmp; exec sleep 100"),
    HostConfig: { Binds: ["cprw:/rw", "cpro:/ro:ro"], Tmpfs: { "/t": "" } },
  });
  const check = async (): Promise<void> => {
    expect((await get(id, "/t")).entries).toEqual(["t/ directory"]);
    expect((await get(id, "/proc")).entries).toEqual(["proc/ directory"]);
    expect((await get(id, "/.dockerenv")).stat).toMatchObject({ mode: 0o755, size: 0 });
    expect((await get(id, "/etc/hostname")).entries).toEqual([`hostname file ${id.slice(0, 12)}\n`]);
    await expect(put(id, "/ro", [{ name: "a", data: "x" }])).rejects.toMatchObject({ class: "invalidArgument", message: "mounted volume is marked read-only" });
    await put(id, "/rw", [{ name: "a", data: "x" }]);
  };
  await check();
  await client.call("POST", `/containers/${id}/kill`);
  await check();
  await remove(client, id);
  for (const name of ["cprw", "cpro"]) await client.call("DELETE", `/volumes/${name}`);
});

test("a compressed tar is unpacked by its first bytes, a damaged one refused", async () => {
  const id = await create(client, { Cmd: ["true"] });
  const bytes = await tarOf([{ name: "packed", data: "content" }]);
  const send = (body: Buffer): Promise<void> => client.call("PUT", `/containers/${id}/archive`, { query: { path: "/tmp" }, body: once1(body) });
  await send(gzipSync(bytes));
  expect((await get(id, "/tmp/packed")).entries).toEqual(["packed file content"]);
  await expect(send(bytes.subarray(0, 700))).rejects.toMatchObject({ class: "internal" });
  await expect(send(Buffer.from("junk\n"))).rejects.toMatchObject({ class: "internal" });
  await expect(send(Buffer.alloc(1024, "j"))).rejects.toMatchObject({ class: "internal" });
  await send(Buffer.alloc(0));
  await remove(client, id);
});

// A tar with the one file `packed`, "slipway\n".
const packed = {
  bzip2: "QlpoOTFBWSZTWaJ2Ze8AAC/bgMqQQABlgAAQbixeoAgoIABUUDUwjTJhNpPU9BKJqGjT1GgANE4nyEahAv4e0jJbEBQ9g7YKgyiE4IM2M5O3hSkZ0V/R0Pxk4zA5B2lOxdyRThQkKJ2Ze8A=",
  xz: "/Td6WFoAAATm1rRGAgAhARwAAAAQz1jM4Af/AEVdADgYSJnNXBtXPNnDuJfR7lY9H9dhuDFDQS2KA0oSQIqwnyvPVAp59kqe0boGpWOkdzjubrxjKCf4geDl3pvC6U/qEEBwAAAAAAA1GaMDZfSc6QABYYAQAAAAL+8C4bHEZ/sCAAAAAARZWg==",
};
test.each(Object.entries(packed))("a tar in %s is unpacked, half of it refused", async (name, base64) => {
  const id = await create(client, { Cmd: ["true"] });
  const bytes = Buffer.from(base64, "base64");
  const send = (body: Buffer): Promise<void> => client.call("PUT", `/containers/${id}/archive`, { query: { path: "/tmp" }, body: once1(body) });
  await send(bytes);
  expect((await get(id, "/tmp/packed")).entries).toEqual(["packed file slipway\n"]);
  await expect(send(bytes.subarray(0, bytes.length / 2))).rejects.toThrow(`the archive is no sound ${name} file`);
  await remove(client, id);
});

test("a directory is listed with owners, modes and links, of a container that runs and of one that does not; links stay inside", async () => {
  const script = "mkdir /d && echo hi > /d/file && chown 7:8 /d/file && chmod 4750 /d/file && ln -s /d /link && ln -s /../../etc /d/out && mkfifo /d/fifo";
  const id = await run(client, sh(`${script}; sleep 1000`));
  const list = async (path: string) => client.json<FileList>("GET", `/slipway/containers/${id}/files`, { query: { path } });
  await expect.poll(async () => (await list("/link").catch(() => undefined))?.total, { timeout: 30_000 }).toBe(3);
  const check = async (): Promise<void> => {
    const { path, entries } = await list("/link");
    expect(path).toBe("/d");
    expect(entries.map(({ name, kind, mode, uid, gid, size, target }) => [name, kind, mode.toString(8), uid, gid, kind === "file" ? size : 0, target])).toEqual(
      [
        ["fifo", "fifo", "644", 0, 0, 0, undefined],
        ["file", "file", "4750", 7, 8, 3, undefined],
        ["out", "link", "777", 0, 0, 0, "/../../etc"],
      ],
    );
  };
  await check();
  await client.call("POST", `/containers/${id}/kill`);
  await wait(client, id);
  await check();
  // The container's own /etc, whatever is written in the link.
  expect((await list("/d/out")).path).toBe("/etc");
  await expect(list("/nowhere")).rejects.toMatchObject({ class: "notFound" });
  await expect(list("/d/file")).rejects.toThrow("not a directory");
  await remove(client, id);
});
