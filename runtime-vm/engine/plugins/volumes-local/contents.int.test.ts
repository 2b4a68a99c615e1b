/** Files of volumes without a container: browse, size, fork, snapshots, export and import. */
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import { testBin } from "#core/bin/testing.ts";
import { silentJournal } from "#core/journal/journal.ts";
import { MNT } from "#core/kernel/kernel.ts";
import type { State } from "#core/state/state.ts";
import { VolumeContents } from "#core/volumes/contents.ts";
import { MemoryEventLog } from "#plugins/events-memory/events.ts";
import { createKernel } from "#plugins/kernel-koffi/kernel.ts";
import { openSqliteState } from "#plugins/state-sqlite/state.ts";
import { openTrash } from "#plugins/trash-directory/trash.ts";
import { LocalVolumes } from "./store.ts";

const kernel = createKernel();
let dir: string;
let state: State;
let volumes: LocalVolumes;
let contents: VolumeContents;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "slipway-contents-"));
  state = openSqliteState(join(dir, "state.db"));
  const trash = openTrash(join(dir, "trash"), () => {});
  const places = { directory: join(dir, "volumes"), kept: join(dir, "removed"), hostPrefix: dir };
  volumes = new LocalVolumes({ state, kernel, trash, bin: testBin(state), events: new MemoryEventLog(), journal: silentJournal, ...places });
  contents = new VolumeContents({ volumes, kernel });
  await volumes.create({ Name: "db", Labels: { app: "shop" } });
  fill(dataOf("db"));
});
afterEach(() => {
  state[Symbol.dispose]();
  for (const path of kernel.mountsUnder(dir)) kernel.umount(path, MNT.DETACH);
  rmSync(dir, { recursive: true, force: true });
});

const dataOf = (name: string): string => volumes.inspect(name).Mountpoint;

/** Owners, modes, links and names that are all unusual. */
function fill(data: string): void {
  mkdirSync(join(data, "sub dir"));
  writeFileSync(join(data, "sub dir", "ünï"), "x".repeat(100_000));
  chownSync(join(data, "sub dir", "ünï"), 999, 998);
  chmodSync(join(data, "sub dir", "ünï"), 0o4640);
  linkSync(join(data, "sub dir", "ünï"), join(data, "again"));
  symlinkSync("/etc/passwd", join(data, "out"));
  symlinkSync("sub dir", join(data, "in"));
  kernel.mkfifo(join(data, "pipe"), 0o600);
  chownSync(data, 70, 70);
  chmodSync(data, 0o2750);
}

function expectFilled(data: string): void {
  expect(statSync(data)).toMatchObject({ uid: 70, gid: 70, mode: 0o42750 });
  expect(readdirSync(data).sort()).toEqual(["again", "in", "out", "pipe", "sub dir"]);
  const file = statSync(join(data, "sub dir", "ünï"));
  expect(file).toMatchObject({ size: 100_000, uid: 999, gid: 998, mode: 0o104640, nlink: 2, ino: statSync(join(data, "again")).ino });
  expect(lstatSync(join(data, "out")).isSymbolicLink()).toBe(true);
  expect(lstatSync(join(data, "pipe")).isFIFO()).toBe(true);
}

test("a fork has all that the volume has, and goes its own way from then on", async () => {
  expect(await contents.fork("db", "db-copy", "")).toMatchObject({ Name: "db-copy", Labels: { app: "shop" } });
  expectFilled(dataOf("db-copy"));
  writeFileSync(join(dataOf("db-copy"), "again"), "changed");
  expectFilled(dataOf("db"));
  await expect(contents.fork("db", "db-copy", "")).rejects.toMatchObject({
    class: "conflict",
    message: expect.stringContaining("db-copy already exists") as string,
  });
  await expect(contents.fork("nobody", "x1", "")).rejects.toThrow("get nobody: no such volume");
  await expect(contents.fork("db", "../x", "")).rejects.toThrow("includes invalid characters for a local volume name");
  await volumes.remove("db", { force: false });
  expect(volumes.list({}).map(({ Name }) => Name)).toEqual(["db-copy"]);
});

test("a snapshot keeps what was there, is no part of the volume's files, and goes with it", async () => {
  await contents.snapshot("db", "before");
  rmSync(join(dataOf("db"), "sub dir"), { recursive: true });
  await contents.snapshot("db", "after");
  expect((await contents.snapshots("db")).map(({ Name }) => Name)).toEqual(["before", "after"]);
  await contents.fork("db", "as-before", "before");
  expectFilled(dataOf("as-before"));
  expect(await contents.size("db")).toBe(100_000 + "/etc/passwd".length + "sub dir".length);
  await expect(contents.snapshot("db", "after")).rejects.toThrow("volume db has a snapshot after already");
  await expect(contents.fork("db", "x1", "never")).rejects.toThrow('volume db has no snapshot "never"');
  await contents.removeSnapshot("db", "before");
  expect((await contents.snapshots("db")).map(({ Name }) => Name)).toEqual(["after"]);
  const place = join(dir, "volumes/db");
  await volumes.remove("db", { force: false });
  expect(existsSync(place)).toBe(false);
});

test("a snapshot that is not whole is none, and a copy that fails leaves no volume", async () => {
  mkdirSync(join(dir, "volumes/db/snapshots/.half-torn/_data"), { recursive: true });
  expect(await contents.snapshots("db")).toEqual([]);
  const failing = async (directory: string): Promise<void> => {
    writeFileSync(join(directory, "first"), "");
    await Promise.reject(new Error("the disk is full"));
  };
  await expect(volumes.create({ Name: "copy" }, { fill: failing })).rejects.toThrow("the disk is full");
  expect(() => volumes.inspect("copy")).toThrow("no such volume");
  await expect(volumes.create({ Name: "copy" })).resolves.toMatchObject({ Name: "copy" });
  expect(readdirSync(dataOf("copy"))).toEqual([]);
});

test("what is exported is what another volume has once it is imported, and while it is read the volume stays", async () => {
  const archive = contents.export("db")[Symbol.asyncIterator]();
  const first = await archive.next();
  await expect(volumes.remove("db", { force: false })).rejects.toThrow("volume is in use");
  const chunks = [first.value as Buffer];
  for (let next = await archive.next(); next.done !== true; next = await archive.next()) chunks.push(next.value);
  await contents.import("copy", Readable.from(chunks));
  chownSync(dataOf("copy"), 70, 70);
  chmodSync(dataOf("copy"), 0o2750);
  expectFilled(dataOf("copy"));
  await volumes.remove("db", { force: false });
  await expect(contents.import("copy", Readable.from([Buffer.alloc(700, 1)]))).rejects.toThrow();
  expect(() => contents.export("nobody")).toThrow("no such volume");
});

test("directories are listed by name, and no link leads out of the volume", async () => {
  const { entries } = await contents.list("db", "/");
  expect(entries.map(({ name, kind }) => [name, kind])).toEqual([
    ["again", "file"],
    ["in", "link"],
    ["out", "link"],
    ["pipe", "fifo"],
    ["sub dir", "directory"],
  ]);
  expect(await contents.list("db", "/in")).toMatchObject({ path: "/sub dir", entries: [{ name: "ünï", size: 100_000, uid: 999, gid: 998, mode: 0o4640 }] });
  symlinkSync("/", join(dataOf("db"), "root"));
  expect((await contents.list("db", "/root/../..")).entries.map(({ name }) => name)).toContain("sub dir");
  await expect(contents.list("db", "/none")).rejects.toMatchObject({ class: "notFound", message: 'no directory "/none" in volume db' });
  expect(readFileSync(join(dataOf("db"), "again"), "utf8")).toHaveLength(100_000);
});

test("a volume with a device is read with its device", async () => {
  await volumes.create({ Name: "mem", DriverOpts: { type: "tmpfs", device: "tmpfs", o: "size=1m" } });
  const data = await volumes.acquire("mem", "c".repeat(64));
  writeFileSync(join(data, "kept"), "in memory");
  await contents.fork("mem", "from-mem", "");
  expect(readFileSync(join(dataOf("from-mem"), "kept"), "utf8")).toBe("in memory");
  await volumes.release("mem", "c".repeat(64));
  expect((await contents.list("mem", "/")).entries).toEqual([]);
  expect(kernel.mountsUnder(dir)).toEqual([]);
});
