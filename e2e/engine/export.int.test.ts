import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { buffer } from "node:stream/consumers";
import { extract } from "tar-stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { EngineClient } from "#client/client.ts";
import { type Answered, getArchive } from "./archives.ts";
import { type Rig, inspect, logs, openRig, remove, run, sh, wait } from "./rig.ts";

let rig: Rig;
let client: EngineClient;
beforeAll(async () => {
  rig = await openRig("ex");
  client = rig.client;
});
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
});

const get = (id: string, path: string): Promise<Answered> => getArchive(client, id, path);

test("large files and hard links come through whole; export holds the whole root", async () => {
  const id = await run(client, sh("mkdir /big; head -c 5000001 /dev/urandom > /big/a; ln /big/a /big/b; wc -c < /big/a"));
  await wait(client, id);
  const { entries } = await get(id, "/big");
  expect(entries).toHaveLength(3);
  expect(entries.find((line) => line.startsWith("big/b ") || line.startsWith("big/a link"))).toContain("link big/");
  const { body } = await client.stream("GET", `/containers/${id}/export`);
  const names: string[] = [];
  const unpack = extract();
  unpack.on("entry", (header, stream, next) => {
    names.push(header.name);
    stream.resume();
    stream.on("end", next);
  });
  body.pipe(unpack);
  await once(unpack, "finish");
  expect(names).toEqual(expect.arrayContaining(["bin/busybox", "etc/passwd", "big/a"]));
  await remove(client, id);
});

test("export holds what the container's root holds: kinds, modes, owners, links, sizes", async () => {
  const id = await run(client, {
    ...sh(
      "mkdir -m 2750 /x; cd /x; echo a > f; chown 7:8 f; chmod 4711 f; ln f g; ln -s ../etc l; mkfifo -m 600 p 2>/dev/null || mknod p p; mknod c c 1 3; touch 'a b' ü; rm /www/index.html; touch /tmp/done; exec sleep 100",
    ),
  });
  const present = (): Promise<string> => get(id, "/tmp/done").then(() => "there", String);
  await expect.poll(present).toBe("there");
  const { Pid } = (await inspect(client, id)).State;
  // What is mounted over the root has other attributes than what is below it.
  const mounted = /^(proc|sys|dev|etc\/(hosts|hostname|resolv\.conf))(\/|\||$)/;
  const found = execFileSync("find", [`/proc/${Pid}/root/`, "-xdev", "-mindepth", "1", "-printf", "%P|%y|%m|%U|%G|%l\\n"], { encoding: "utf8" });
  const listed = found.split("\n").filter((line) => line !== "" && !mounted.test(line));
  const kinds: Readonly<Record<string, string>> = {
    file: "f",
    link: "f",
    directory: "d",
    symlink: "l",
    fifo: "p",
    "character-device": "c",
    "block-device": "b",
  };
  const exported: string[] = [];
  const unpack = extract();
  unpack.on("entry", ({ name, type, mode, uid, gid, linkname }, stream, next) => {
    const target = type === "symlink" ? linkname : "";
    exported.push([name.replace(/\/$/, ""), kinds[type ?? ""], (type === "symlink" ? 0o777 : (mode ?? 0)).toString(8), uid, gid, target].join("|"));
    stream.resume();
    stream.on("end", next);
  });
  const { body } = await client.stream("GET", `/containers/${id}/export`);
  body.pipe(unpack);
  await once(unpack, "finish");
  expect(exported.filter((line) => !mounted.test(line)).toSorted()).toEqual(listed.toSorted());
  await remove(client, id);
});

test("a removal by force waits for the copies and exports that are being read, and they come through whole", async () => {
  const id = await run(client, sh("head -c 50000000 /dev/zero > /big; echo up; sleep 100"));
  await expect.poll(() => logs(client, id), { timeout: 30_000 }).toMatchObject({ stdout: "up\n" });
  const archive = await client.stream("GET", `/containers/${id}/archive`, { query: { path: "/big" } });
  const whole = await client.stream("GET", `/containers/${id}/export`);
  const removed = remove(client, id);
  await expect.poll(async () => (await inspect(client, id)).State.Status).toBe("removing");
  expect((await buffer(archive.body)).length).toBeGreaterThan(50_000_000);
  expect((await inspect(client, id)).State.Status).toBe("removing");
  expect((await buffer(whole.body)).length).toBeGreaterThan(50_000_000);
  await removed;
  await expect(inspect(client, id)).rejects.toMatchObject({ class: "notFound" });
});
