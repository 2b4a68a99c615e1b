/** What an engine that is killed leaves of a volume it was at, as the next one takes it. */
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { dir, inOwnDirectory, reopen, volumes } from "./rig.ts";

inOwnDirectory();

const path = (...names: string[]): string => join(dir, "volumes", ...names);
const there = (): string[] => volumes.list({}).map(({ Name }) => Name);

function leave(...names: string[]): void {
  mkdirSync(path(...names.slice(0, -1)), { recursive: true });
  writeFileSync(path(...names), "x");
}

test("what was being made or removed is not taken for data whose record got lost", () => {
  mkdirSync(path("made", "_data"), { recursive: true });
  leave("forked", ".half-data", "file");
  leave("removed", "_data", "file");
  leave("removed", ".half-removed");
  leave("lost", "_data", "file");
  mkdirSync(path("kept", "_data"), { recursive: true });
  leave("kept", "snapshots", "then", "_data", "file");
  reopen();
  expect(there()).toEqual(["kept", "lost"]);
  expect(readdirSync(path()).toSorted()).toEqual(["kept", "lost"]);
});

test("a recorded volume gets what was filled in for it when it has nothing yet, and nothing half", async () => {
  for (const name of ["whole", "half", "stays"]) await volumes.create({ Name: name });
  leave("half", ".half-data", "file");
  leave("half", "snapshots", ".half-now", "_data", "file");
  leave("stays", "_data", "file");
  leave("stays", ".half-removed");
  mkdirSync(path("whole", "snapshots"));
  await volumes.create({ Name: "other" }, { fill: async (directory) => await Promise.resolve(writeFileSync(join(directory, "file"), "")) });
  expect(readdirSync(path("other"))).toEqual(["_data"]);
  reopen();
  expect(readdirSync(path("half"))).toEqual(["_data", "snapshots"]);
  expect([readdirSync(path("half", "_data")), readdirSync(path("half", "snapshots"))]).toEqual([[], []]);
  expect([readdirSync(path("stays")), readdirSync(path("other", "_data"))]).toEqual([["_data"], ["file"]]);
});

test("an anonymous volume goes with a container that never came, or that it was removed with, and with no other", async () => {
  const made = async (user: string): Promise<string> => (await volumes.create({}, { user })).Name;
  const [never, stayed, shared, went] = [await made("never"), await made("removed"), await made("never"), await made("removed with them")];
  await volumes.acquire(shared, "there");
  await volumes.create({ Name: "named" }, { user: "never" });
  volumes.leave("removed", []);
  volumes.leave("removed with them", [went]);
  reopen();
  await volumes.retain(new Set(["there"]));
  expect(there().toSorted()).toEqual([stayed, shared, "named"].toSorted());
  expect(there()).not.toContain(never);
  await expect(volumes.remove(shared, { force: false })).rejects.toThrow("[there]");
  reopen();
  await volumes.retain(new Set(["there"]));
  expect(there().toSorted()).toEqual([stayed, shared, "named"].toSorted());
});

test("what is looked at for a while has no user after that", async () => {
  const { Name } = await volumes.create({});
  await using held = await volumes.hold(Name);
  expect(held.path).toBe(path(Name, "_data"));
  await expect(volumes.remove(Name, { force: false })).rejects.toMatchObject({ class: "conflict" });
  reopen();
  await volumes.retain(new Set());
  expect(there()).toEqual([Name]);
});
