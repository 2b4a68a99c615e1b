/** Volumes that were removed are kept for a while, with all that they were. */
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { bin, dir, inOwnDirectory, reopen, volumes } from "./rig.ts";

inOwnDirectory();

const trash = { days: 7, bytes: 2 ** 30 };

test("a removed volume's name is free at once, and it comes back with its data, labels and options under another where that is taken", async () => {
  reopen(trash);
  const made = await volumes.create({ Name: "vol", Labels: { k: "v" } });
  writeFileSync(join(made.Mountpoint, "f"), "first");
  await volumes.remove("vol", { force: false });
  expect(volumes.list({})).toEqual([]);
  const next = await volumes.create({ Name: "vol" });
  expect(readdirSync(next.Mountpoint)).toEqual([]);
  const [item] = (await bin.list()).Items;
  expect(item).toMatchObject({ Kind: "volume", Name: "vol" });
  expect(item!.Bytes).toBeGreaterThan(0);
  const warnings = ["the name vol is taken by now: it is called vol-2"];
  expect(await bin.restore(item!.Id)).toEqual({ Kind: "volume", Id: item!.Id, Name: "vol-2", Warnings: warnings, Also: [] });
  reopen(trash);
  const back = volumes.inspect("vol-2");
  expect(back).toEqual({ ...made, Name: "vol-2", Mountpoint: join(dir, "volumes/vol-2/_data") });
  expect(readFileSync(join(back.Mountpoint, "f"), "utf8")).toBe("first");
  expect(bin.size).toBe(0);
});

test("what came to nothing is not kept, and what is let go leaves nothing", async () => {
  reopen(trash);
  await volumes.create({ Name: "failed" });
  await volumes.remove("failed", { force: true, forGood: true });
  expect(bin.size).toBe(0);
  await volumes.create({ Name: "vol" });
  await volumes.prune({}, { all: true });
  expect(bin.newest("volume", "vol")).toBeDefined();
  expect(bin.faults()).toEqual([]);
  await bin.discard("vol");
  expect(bin.size).toBe(0);
  expect([...readdirSync(join(dir, "removed")), ...readdirSync(join(dir, "volumes"))]).toEqual([]);
});

test("when its days are over it goes for good, once the clock can be trusted", async () => {
  let isSettled = false;
  reopen(trash);
  await volumes.create({ Name: "vol" });
  await volumes.remove("vol", { force: false });
  reopen(trash, { isSettled: () => isSettled });
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 7 * 24 * 60 * 60 * 1_000 });
  try {
    await volumes.create({ Name: "fresh" });
    await volumes.remove("fresh", { force: false });
    await bin.tidy();
    expect(bin.size).toBe(2);
    isSettled = true;
    await bin.tidy();
  } finally {
    vi.useRealTimers();
  }
  expect((await bin.list()).Items.map(({ Name }) => Name)).toEqual(["fresh"]);
  expect(readdirSync(join(dir, "removed"))).toHaveLength(1);
});

test("what was removed while the date was years behind is not old once that is put right", async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: new Date("1990-01-01T00:00:00Z") });
  try {
    reopen(trash);
    await volumes.create({ Name: "vol" });
    await volumes.remove("vol", { force: false });
  } finally {
    vi.useRealTimers();
  }
  await bin.tidy();
  const [item] = (await bin.list()).Items;
  expect(Math.abs(Date.parse(item?.RemovedAt ?? "") - Date.now())).toBeLessThan(60 * 60 * 1_000);
  reopen(trash);
  await bin.tidy();
  expect(bin.size).toBe(1);
});

test("a directory that a crash kept from following its record, into the trash or out of it, does so at the next start", async () => {
  reopen(trash);
  const made = await volumes.create({ Name: "vol" });
  writeFileSync(join(made.Mountpoint, "f"), "kept");
  await volumes.remove("vol", { force: false });
  const { id } = bin.newest("volume", "vol")!;
  // As it is when only the database was written.
  renameSync(join(dir, "removed", id), join(dir, "volumes/vol"));
  reopen(trash);
  expect(volumes.list({})).toEqual([]);
  expect(bin.faults()).toEqual([]);
  await bin.restore(id);
  renameSync(join(dir, "volumes/vol"), join(dir, "removed", id));
  reopen(trash);
  expect(readFileSync(join(volumes.inspect("vol").Mountpoint, "f"), "utf8")).toBe("kept");
  mkdirSync(join(dir, "removed/stray/_data"), { recursive: true });
  reopen(trash);
  expect(readdirSync(join(dir, "removed"))).toEqual([]);
});
