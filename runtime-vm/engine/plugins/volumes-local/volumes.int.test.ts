import { existsSync, mkdirSync, readdirSync, readFileSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { dir, inOwnDirectory, kernel, reopen, volumes } from "./rig.ts";

inOwnDirectory();

test("a volume is made once, keeps its data and is found again", async () => {
  const made = await volumes.create({ Name: "v1", Labels: { k: "v" } });
  expect(made).toMatchObject({ Name: "v1", Driver: "local", Scope: "local", Labels: { k: "v" }, Options: null, Mountpoint: join(dir, "volumes/v1/_data") });
  writeFileSync(join(made.Mountpoint, "f"), "kept");
  expect(await volumes.create({ Name: "v1", Labels: { other: "x" }, DriverOpts: { type: "tmpfs" } })).toEqual(made);
  await volumes.acquire("v1", "c1");
  reopen();
  expect(volumes.inspect("v1")).toEqual(made);
  expect(readFileSync(join(made.Mountpoint, "f"), "utf8")).toBe("kept");
  await expect(volumes.remove("v1", { force: true })).rejects.toMatchObject({ class: "conflict", message: "remove v1: volume is in use - [c1]" });
});

test("a volume without a name is anonymous", async () => {
  const made = await volumes.create({});
  expect(made.Name).toMatch(/^[0-9a-f]{64}$/);
  expect(made.Labels).toEqual({ "com.docker.volume.anonymous": "" });
  await volumes.create({ Name: "named" });
  expect((await volumes.prune({}, { all: false })).VolumesDeleted).toEqual([made.Name]);
  expect((await volumes.prune({ all: ["true"] }, { all: false })).VolumesDeleted).toEqual(["named"]);
});

test("removal is refused while in use and leaves no data in place", async () => {
  const { Mountpoint } = await volumes.create({ Name: "v1" });
  writeFileSync(join(Mountpoint, "f"), "x");
  expect(await volumes.acquire("v1", "a")).toBe(Mountpoint);
  await volumes.acquire("v1", "a");
  await volumes.acquire("v1", "b");
  await expect(volumes.remove("v1", { force: false })).rejects.toThrow("[a, b]");
  await volumes.release("v1", "a");
  await volumes.release("v1", "a");
  await volumes.retain(new Set(["z"]));
  await volumes.remove("v1", { force: false });
  expect(readdirSync(join(dir, "volumes"))).toEqual([]);
  expect(() => volumes.inspect("v1")).toThrow("get v1: no such volume");
  await expect(volumes.remove("v1", { force: false })).rejects.toMatchObject({ class: "notFound" });
  await volumes.remove("v1", { force: true });
});

test("a tmpfs volume is mounted for its first user and unmounted after its last", async () => {
  const { Mountpoint } = await volumes.create({ Name: "t1", DriverOpts: { type: "tmpfs", device: "tmpfs", o: "size=1m,uid=1000" } });
  await volumes.acquire("t1", "a");
  await volumes.acquire("t1", "b");
  expect(statfsSync(Mountpoint).type).toBe(0x01021994);
  expect(kernel.mountsUnder(dir)).toEqual([Mountpoint]);
  await volumes.release("t1", "a");
  expect(kernel.isMountPoint(Mountpoint)).toBe(true);
  kernel.umount(Mountpoint);
  await volumes.acquire("t1", "b");
  expect(kernel.isMountPoint(Mountpoint)).toBe(true);
  await volumes.release("t1", "b");
  expect(kernel.isMountPoint(Mountpoint)).toBe(false);
});

test("a bind volume shows a directory of the host, read-only where asked", async () => {
  writeFileSync(join(dir, "host/srv/data/f"), "of the host");
  const { Mountpoint } = await volumes.create({ Name: "b1", DriverOpts: { type: "none", device: "/srv/data", o: "bind,ro" } });
  await volumes.acquire("b1", "a");
  expect(readFileSync(join(Mountpoint, "f"), "utf8")).toBe("of the host");
  expect(() => writeFileSync(join(Mountpoint, "g"), "")).toThrow("EROFS");
  await volumes.release("b1", "a");
  await volumes.remove("b1", { force: false });
  expect(existsSync(join(dir, "host/srv/data/f"))).toBe(true);
});

test("a device that is not there fails in dockerd's words and counts no user", async () => {
  const { Mountpoint } = await volumes.create({ Name: "b2", DriverOpts: { type: "none", device: "/absent", o: "bind" } });
  await expect(volumes.acquire("b2", "a")).rejects.toThrow(
    `error while mounting volume '${Mountpoint}': failed to mount local volume: mount /absent:${Mountpoint}, flags: 0x1000: no such file or directory`,
  );
  await volumes.remove("b2", { force: false });
});

/** Whether this kernel mounts NFS or SMB decides only between two words of the last part. */
const none = /: (no such device|connection refused|protocol not supported|invalid argument|operation already in progress)$/;
test.each<[string, Record<string, string>, string]>([
  [
    "nfs by address",
    { type: "nfs", o: "addr=127.0.0.1,vers=3,port=1,mountport=1,nolock,soft,ro", device: ":/x" },
    "mount :/x:AT, flags: 0x1, data: addr=127.0.0.1,vers=3,port=1,mountport=1,nolock,soft",
  ],
  [
    "nfs by name",
    { type: "nfs", o: "addr=localhost,vers=3,port=1,mountport=1,nolock,soft", device: ":/x" },
    "mount :/x:AT, data: addr=127.0.0.1,vers=3,port=1,mountport=1,nolock,soft",
  ],
  [
    "cifs by its device, its password hidden",
    { type: "cifs", o: "username=u,password=secret,port=1", device: "//localhost/s" },
    "mount //127.0.0.1/s:AT, data: username=u,password=********,port=1",
  ],
])("%s is mounted with an address, and a refusal says by what call", async (_, DriverOpts, call) => {
  const { Mountpoint } = await volumes.create({ Name: "far", DriverOpts });
  const refused = await volumes.acquire("far", "a").then(
    () => "mounted",
    (error: Error) => error.message,
  );
  expect(refused).toMatch(none);
  expect(refused.replace(none, "")).toBe(`error while mounting volume '${Mountpoint}': failed to mount local volume: ${call.replace("AT", Mountpoint)}`);
  await volumes.remove("far", { force: false });
});

test("a server that has no address, and options that a file system does not know, are named", async () => {
  const nowhere = await volumes.create({ Name: "nowhere", DriverOpts: { type: "nfs", o: "addr=nowhere.invalid", device: ":/x" } });
  await expect(volumes.acquire("nowhere", "a")).rejects.toThrow(
    `error while mounting volume '${nowhere.Mountpoint}': error resolving passed in network volume address: lookup nowhere.invalid: no`,
  );
  const { Mountpoint } = await volumes.create({ Name: "odd", DriverOpts: { type: "tmpfs", o: "size=1m,odd=1,noexec", device: "tmpfs" } });
  await expect(volumes.acquire("odd", "a")).rejects.toThrow(`mount tmpfs:${Mountpoint}, flags: 0x8, data: size=1m,odd=1: invalid argument`);
  const { Mountpoint: nul } = await volumes.create({ Name: "nul", DriverOpts: { type: "ext4", device: "/dev/null" } });
  await expect(volumes.acquire("nul", "a")).rejects.toThrow(`mount /dev/null:${nul}: block device required`);
});

test("a size that the file system cannot hold a volume to makes no volume", async () => {
  await expect(volumes.create({ Name: "small", DriverOpts: { size: "1m" } })).rejects.toThrow("create small: quota size requested but no quota support");
  expect(volumes.list({})).toEqual([]);
  expect(readdirSync(join(dir, "volumes"))).toEqual([]);
});

test("data without a record is taken up, not dropped", () => {
  mkdirSync(join(dir, "volumes/old/_data"), { recursive: true });
  writeFileSync(join(dir, "volumes/old/_data/f"), "x");
  reopen();
  expect(volumes.list({}).map(({ Name }) => Name)).toEqual(["old"]);
});

test("lists are filtered and usage is counted", async () => {
  const { Mountpoint } = await volumes.create({ Name: "one", Labels: { k: "v" } });
  await volumes.create({ Name: "two" });
  await volumes.acquire("two", "c");
  writeFileSync(join(Mountpoint, "f"), "12345");
  const names = (filters: Record<string, string[]>) => volumes.list(filters).map(({ Name }) => Name);
  expect(names({ dangling: ["true"] })).toEqual(["one"]);
  expect(names({ dangling: ["false"] })).toEqual(["two"]);
  expect(names({ label: ["k=v"] })).toEqual(["one"]);
  expect(names({ name: ["w"], driver: ["local"] })).toEqual(["two"]);
  expect(() => names({ nope: ["x"] })).toThrow("invalid filter 'nope'");
  expect(() => names({ dangling: ["x"] })).toThrow("invalid filter 'dangling=[x]'");
  expect((await volumes.usage()).map(({ Name, UsageData }) => [Name, UsageData])).toEqual([
    ["one", { Size: 5, RefCount: 0 }],
    ["two", { Size: 0, RefCount: 1 }],
  ]);
});
