import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { extract, type Header, pack } from "tar-stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Rig, inspect, openRig, remove, run, sh } from "../engine/rig.ts";
import { type StockDocker, stockDocker } from "../fixtures/docker.ts";
import { busyboxLayer, imageOf, tarOf } from "../fixtures/image.ts";
import { type TestRegistry, startRegistry } from "../fixtures/registry.ts";
import { startReferenceDockerd } from "../reference/dockerd.ts";

/** An image with everything that a layer can hold, pulled and run: its root is the tree that GNU tar makes of the layers. */
const root = mkdtempSync("/var/tmp/slipway-rootfs-");
const reference = join(root, "reference");
let rig: Rig;
let docker: StockDocker;
let registry: TestRegistry;
let name: string;
let id: string;

beforeAll(async () => {
  rig = await openRig("rf");
  docker = stockDocker({ socket: rig.program.socket, netns: rig.netns });
  registry = await startRegistry({ dir: join(root, "registry"), port: 5080, netns: rig.netns });
  const layers = [await tarOf(busyboxLayer()), packed("lower", lower), packed("holes", holes), await upperLayer()];
  name = `${registry.address}/odd/tree:1`;
  const compressed = layers.map((tar) => ({ tar, gzip: gzipSync(tar, { level: 1 }) }));
  await registry.push("odd/tree", "1", imageOf(name, compressed, { Cmd: ["sleep", "1000"] }));
  await docker.ok("pull", name);
  id = await run(rig.client, { Image: name });
  mkdirSync(reference);
  for (const [i, tar] of layers.entries()) {
    if (i === 3) for (const path of ["gone", "gone.d", "opaque", "replaced"]) rmSync(join(reference, path), { recursive: true });
    const kept = ["--exclude=.wh.*", "--xattrs", "--xattrs-include=*", "--same-owner", "-p", "--delay-directory-restore"];
    execFileSync("tar", [...kept, "-C", reference, "-xf", "-"], { input: tar, stdio: ["pipe", "ignore", "ignore"] });
  }
}, 400_000);
afterAll(async () => {
  if (id !== undefined) await remove(rig.client, id);
  await registry?.[Symbol.asyncDispose]();
  await rig?.[Symbol.asyncDispose]();
  rmSync(root, { recursive: true, force: true });
});

/** A layer by GNU tar, of what a script makes on the disk. */
function packed(label: string, script: string): Buffer {
  const tree = join(root, label);
  mkdirSync(tree);
  execFileSync("sh", ["-ec", script], { cwd: tree });
  execFileSync("tar", ["--format=posix", "--sparse", "--sort=name", "-C", tree, "-cf", `${tree}.tar`, "."], { stdio: "ignore" });
  return readFileSync(`${tree}.tar`);
}

/** Kinds, permissions, names and times; and what the layer above takes away. */
const lower = `
  mkdir -p sbin many gone.d/sub opaque/sub replaced kept; cd sbin
  printf su > su; chown 12:34 su; chmod 6755 su; ln su again; ln su ../kept/third; mkdir -m 3777 sticky; mkdir -m 0000 closed
  mkfifo -m 640 pipe; mknod -m 666 null c 1 3; mknod -m 600 disk b 259 300; chown 7:4000000 pipe
  ln -s ../../../etc out; ln -s ${"l".repeat(3000)} far; touch -h -d '1999-01-01 00:00:00.5' out; cd ..
  : > zero; printf x > "$(printf 'n\\303\\244me and space')"; printf x > "$(printf 'tab\\tand "quote')"
  mkdir -p ${"deep/".repeat(60)}; printf x > ${"deep/".repeat(60)}${"z".repeat(255)}
  printf x > old; touch -d '1970-01-01 00:00:00 UTC' old; printf x > before; touch -d '1955-11-05 06:15:00 UTC' before
  printf x > late; touch -d '2242-03-04 05:06:07.123456789 UTC' late; touch -d '2001-02-03 04:05:06.000000007 UTC' sbin/su
  for name in gone gone.d/sub/x opaque/x opaque/sub/y replaced/x kept/x; do printf lower > $name; done
  i=0; while [ $i -lt 300 ]; do : > many/$i; i=$((i+1)); done
  touch -d '2005-05-05 05:05:05.5 UTC' kept many sbin`;

/** Files with holes: a layer with such files is kept in another form than the others. */
const holes = `
  truncate -s 9M holes; for k in 1 4 8; do printf "part $k" | dd of=holes bs=1 seek=$((k * 1000000)) conv=notrunc status=none; done
  truncate -s 5M hole; chmod 4700 hole; mkfifo -m 600 beside; ln holes linked; mkdir -m 1700 aside; ln -s hole soft
  touch -h -d '1944-06-06 06:30:00 UTC' hole beside soft; touch -d '1912-04-15 02:20:00 UTC' aside; touch -d '2044-04-04 04:04:04.25 UTC' holes`;

/** CAP_NET_BIND_SERVICE, permitted and effective (linux/capability.h, revision 2). */
const capability = Buffer.from([1, 0, 0, 2, 0, 4, 0, 0, ...Array<number>(12).fill(0)]);

/** Extended attributes, whiteouts and opaque directories. */
async function upperLayer(): Promise<Buffer> {
  const layer = pack();
  const xattrs = (of: Record<string, string>): { pax: Record<string, string> } => ({
    pax: Object.fromEntries(Object.entries(of).map(([key, value]) => [`SCHILY.xattr.${key}`, value])),
  });
  const mtime = new Date(1_111_111_111_000);
  const add = (header: Partial<Header> & { readonly name: string }, body = ""): void =>
    void layer.entry({ mtime, ...header, mode: header.mode ?? (header.type === "directory" ? 0o755 : 0o644) }, body);
  add({ name: ".wh.gone" });
  add({ name: ".wh.gone.d" });
  add({ name: "opaque/", type: "directory", mode: 0o2711, uid: 5, gid: 6 });
  add({ name: "opaque/.wh..wh..opq" });
  add({ name: "opaque/new" }, "upper");
  add({ name: ".wh.replaced" });
  add({ name: "replaced" }, "a file now");
  add({ name: "capable", mode: 0o755, ...xattrs({ "security.capability": capability.toString("latin1"), "user.color": "blue" }) }, "x");
  add({ name: "attributed/", type: "directory", ...xattrs({ "user.empty": "", "user.long": "v".repeat(1_000), "trusted.note": "a\0b\n=c" }) });
  layer.finalize();
  return await buffer(layer);
}

/** What the engine mounts or makes in every root, and the directories that this changes. */
const given = /^(\.dockerenv|proc|sys|dev|etc|etc\/(hosts|hostname|resolv\.conf|mtab))?(\/.*)?$/;

interface Entry {
  readonly [field: string]: unknown;
  readonly time: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** Every entry of a tar by name; files by their content, hard links as the file they are of. */
async function entriesOf(tar: Readable): Promise<Record<string, Entry>> {
  const entries: Record<string, Entry> = {};
  const unpack = tar.pipe(extract());
  for await (const entry of unpack) {
    const { name: path, type, mode, size, mtime, linkname, devmajor, devminor } = entry.header;
    const pax = (entry.header.pax ?? {}) as Partial<Record<string, string>>;
    const [uid, gid] = [pax["uid"] ?? String(entry.header.uid), pax["gid"] ?? String(entry.header.gid)];
    const content = createHash("sha256")
      .update(await buffer(entry))
      .digest("hex");
    const plain = path.replace(/^\.\//, "").replace(/\/$/, "");
    if (given.test(plain)) continue;
    const device = type === "character-device" || type === "block-device" ? [devmajor, devminor] : undefined;
    const attributes = Object.entries(pax as Record<string, string>).filter(([key]) => key.startsWith("SCHILY.xattr."));
    // Where layers are directories, times are set as doubles, which are good to some 200 ns.
    const time = Number(pax["mtime"] ?? (mtime?.getTime() ?? 0) / 1000).toFixed(4);
    entries[plain] = {
      type,
      mode: mode?.toString(8),
      uid,
      gid,
      size,
      time,
      linkname: linkname?.replace(/^\.\//, ""),
      device,
      content,
      attributes: Object.fromEntries(attributes),
    };
  }
  return entries;
}

/** By GNU tar. Names are sorted, so that of hard links the same one comes first everywhere. Of what changes while it reads it only warns. */
function treeOf(directory: string): Promise<Record<string, Entry>> {
  const file = join(root, "listed.tar");
  const all = ["--format=posix", "--sort=name", "--one-file-system", "--xattrs", "--xattrs-include=*", "--numeric-owner"];
  const { status, stderr } = spawnSync("tar", [...all, "-C", directory, "-cf", file, "."], { encoding: "utf8" });
  if (status !== 0 && !(status === 1 && stderr.includes("changed as we read it"))) throw new Error(`tar of ${directory}: ${status} ${stderr}`);
  return entriesOf(Readable.from([readFileSync(file)]));
}

/** What Docker makes of a tree: times before 1970 are its beginning, and administrators' attributes are left out. */
function asDocker(entries: Record<string, Entry>): Record<string, Entry> {
  const kept = ([key]: [string, string]): boolean => !key.startsWith("SCHILY.xattr.trusted.");
  return Object.fromEntries(
    Object.entries(entries).map(([path, entry]) => [
      path,
      {
        ...entry,
        time: Number(entry.time) < 0 ? "0.0000" : entry.time,
        attributes: Object.fromEntries(Object.entries(entry.attributes).filter(kept)),
      },
    ]),
  );
}

test("the root of a running container is what GNU tar makes of the layers", async () => {
  const expected = asDocker(await treeOf(reference));
  expect(Object.keys(expected).length).toBeGreaterThan(400);
  const capable = { "SCHILY.xattr.security.capability": capability.toString("latin1"), "SCHILY.xattr.user.color": "blue" };
  expect(expected).toMatchObject({ capable: { attributes: capable } });
  expect(Object.keys(expected)).toEqual(expect.not.arrayContaining(["gone", "gone.d", "opaque/x", "replaced/x"]));
  expect(await treeOf(`/proc/${(await inspect(rig.client, id)).State.Pid}/root/`)).toEqual(expected);
});

test.runIf(process.env["SLIPWAY_TEST_REFERENCE"] === "1")(
  "the root of a container of the same image on a live dockerd is the same",
  async () => {
    await using dockerd = await startReferenceDockerd("slipway-ref-rootfs");
    await using _theirs = await startRegistry({ dir: join(root, "registry"), port: 5080, netns: dockerd.netns });
    const there = stockDocker({ socket: dockerd.socket, netns: dockerd.netns });
    const box = await there.ok("run", "-d", name);
    const tree = await treeOf(`/proc/${await there.ok("inspect", "-f", "{{.State.Pid}}", box)}/root/`);
    await there.ok("rm", "-f", box);
    expect(await treeOf(`/proc/${(await inspect(rig.client, id)).State.Pid}/root/`)).toEqual(tree);
  },
  300_000,
);

test("what the root holds counts for a program in it: owners, permissions, links and holes", async () => {
  const script = "stat -c '%a %u %g %h' /sbin/su; cat /sbin/again; cat /opaque/new; wc -c < /holes; ls /opaque /sbin/closed 2>&1 | grep -c denied";
  expect(await docker.ok("run", "--rm", "-u", "1000", name, "sh", "-c", script)).toBe("6755 12 34 3\nsuupper9437184\n2");
});

test("what is copied into a container keeps its times, those before 1970 too", async () => {
  const box = await run(rig.client, sh("sleep 1000"));
  const copied = await docker.with({ input: readFileSync(join(root, "holes.tar")) }, "cp", "-", `${box}:/tmp`);
  expect(copied).toMatchObject({ code: 0 });
  const times = await docker.ok("exec", box, "stat", "-c", "%Y", "/tmp/hole", "/tmp/soft", "/tmp/aside", "/tmp/holes");
  expect(times.split("\n").map((seconds) => new Date(Number(seconds) * 1000).getUTCFullYear())).toEqual([1944, 1944, 1912, 2044]);
  await remove(rig.client, box);
});
