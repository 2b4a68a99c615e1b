import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Headroom } from "./headroom.ts";

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "slipway-headroom-"));
  path = join(directory, "state.db");
});
afterEach(() => rmSync(directory, { recursive: true }));

function open(): DatabaseSync {
  const database = new DatabaseSync(path);
  database.exec("PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE IF NOT EXISTS t (v TEXT)");
  return database;
}
/** What the two files occupy, which is what a full disk has to hold already. */
const allocated = (): number => [path, `${path}-wal`].reduce((sum, file) => sum + statSync(file).blocks * 512, 0);

test("what the database writes afterwards takes no more of the disk, over many rounds of the log", () => {
  const headroom = new Headroom(path);
  const database = open();
  headroom.take(database);
  const before = allocated();
  // Writes the same, and does not wait for the disk 3,000 times.
  database.exec("PRAGMA synchronous=NORMAL");
  const insert = database.prepare("INSERT INTO t VALUES (?)");
  for (let i = 0; i < 3_000; i++) insert.run("x".repeat(200));
  database.exec("DELETE FROM t");
  expect(allocated()).toBe(before);
  headroom.close(database);
});

test("the room and everything written survive a close, and a crash in the middle of one", () => {
  const headroom = new Headroom(path);
  const database = open();
  headroom.take(database);
  database.exec("INSERT INTO t VALUES ('kept')");
  headroom.close(database);
  expect(statSync(`${path}-wal`).size).toBeGreaterThan(4 * 1024 * 1024);
  expect(existsSync(`${path}-wal.kept`)).toBe(false);
  const second = new Headroom(path);
  const again = open();
  expect(again.prepare("SELECT v FROM t").all()).toEqual([{ v: "kept" }]);
  expect(again.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
  again.exec("INSERT INTO t VALUES ('more')");
  second.close(again);
  const third = open();
  expect(third.prepare("SELECT count(*) n FROM t").get()).toEqual({ n: 2 });
  third.close();
});
