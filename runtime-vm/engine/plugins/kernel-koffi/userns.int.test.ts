import { execFileSync } from "node:child_process";
import { chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MNT, MS } from "#core/kernel/kernel.ts";
import { createKernel } from "./kernel.ts";

const kernel = createKernel();
const range = { container: 0, host: 100_000, size: 65_536 };
/** What the engine itself makes belongs to nobody inside until it says whose it is. */
const engine = { container: 4_294_901_760, host: 0, size: 1 };
let dir: string;
let userns: string;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "slipway-userns-"));
  kernel.mount({ source: "tmpfs", target: dir, type: "tmpfs", data: "mode=755" });
  kernel.mount({ source: "none", target: dir, flags: MS.PRIVATE });
  userns = join(dir, "userns");
  await kernel.createUserns(userns, { uid: [range, engine], gid: [range, engine] });
});
afterEach(() => {
  for (const path of kernel.mountsUnder(dir)) kernel.umount(path, MNT.DETACH);
  rmSync(dir, { recursive: true, force: true });
});

const within = (...command: string[]): string =>
  execFileSync("busybox", ["nsenter", `--user=${userns}`, "-S", "0", "-G", "0", "--", "busybox", ...command], { encoding: "utf8" });

test("a user namespace is kept with its ids", () => {
  expect(within("cat", "/proc/self/uid_map").trim().split(/\s+/).slice(0, 3)).toEqual(["0", "100000", "65536"]);
  expect(within("id", "-u").trim()).toBe("0");
});

test("a network is its user namespace's, with lo up", async () => {
  const netns = join(dir, "net");
  await kernel.createNetnsOf(netns, userns);
  expect(kernel.inNetns(netns, () => execFileSync("ip", ["-br", "link"], { encoding: "utf8" }))).toMatch(/^lo +UNKNOWN/);
  const inside = ["nsenter", `--user=${userns}`, `--net=${netns}`, "-S", "0", "-G", "0", "--", "busybox", "ip", "link", "set", "lo", "down"];
  expect(() => execFileSync("busybox", inside, { stdio: "pipe" })).not.toThrow();
  kernel.removeNetns(netns);
});

test("a mapped overlay shows its layers' owners shifted, and keeps what is written there unshifted", () => {
  const at = (name: string): string => join(dir, name);
  for (const name of ["lower", "home", "home/upper", "home/work", "l", "h", "merged"]) mkdirSync(at(name));
  writeFileSync(at("lower/own"), "x");
  chownSync(at("lower/own"), 7, 8);
  kernel.mountMapped({ source: at("lower"), target: at("l"), userns });
  kernel.mountMapped({ source: at("home"), target: at("h"), userns });
  kernel.mountOverlay({ target: at("merged"), lower: [at("l")], upper: at("h/upper"), work: at("h/work") });
  for (const name of ["l", "h"]) kernel.umount(at(name), MNT.DETACH);
  expect(statSync(at("merged/own"))).toMatchObject({ uid: 100_007, gid: 100_008 });
  within("sh", "-c", `echo y > ${at("merged/made")}; chown 5:6 ${at("merged/made")} ${at("merged/own")}`);
  expect(statSync(at("home/upper/made"))).toMatchObject({ uid: 5, gid: 6 });
  expect(statSync(at("home/upper/own"))).toMatchObject({ uid: 5, gid: 6 });
  writeFileSync(at("merged/engine"), "z");
  chownSync(at("merged/engine"), 100_003, 100_004);
  expect(statSync(at("home/upper/engine"))).toMatchObject({ uid: 3, gid: 4 });
  expect(readdirSync(at("h"))).toEqual([]);
});

test("ids that the kernel does not take leave nothing", async () => {
  const path = join(dir, "other");
  await expect(kernel.createUserns(path, { uid: [{ ...range, size: 0 }], gid: [range] })).rejects.toThrow();
  expect(readdirSync(dir)).not.toContain("other");
});
