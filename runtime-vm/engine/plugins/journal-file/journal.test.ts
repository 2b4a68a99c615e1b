import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FileJournal, type JournalSettings } from "./journal.ts";

let dir = "";
let path = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "journal-"));
  path = join(dir, "engine.log");
});
afterEach(() => rmSync(dir, { recursive: true }));

const usual: JournalSettings = { debug: false, logLevel: "info", logFormat: "text" };
const never = new AbortController().signal;

test("entries are lines, debug ones only when asked, and the file never passes its limit by much", () => {
  {
    using journal = new FileJournal(path, usual, { bytesMax: 500 });
    journal.debug("hidden");
    for (let i = 0; i < 50; i++) journal.info(`entry ${i}`);
  }
  expect(statSync(path).size).toBeLessThanOrEqual(500);
  const kept = readFileSync(`${path}.1`, "utf8") + readFileSync(path, "utf8");
  expect(kept).toMatch(/info {2}entry 49\n$/);
  expect(kept).not.toContain("hidden");
});

test("the level is asked at every entry", () => {
  const settings = { ...usual, logLevel: "error" as JournalSettings["logLevel"] };
  using journal = new FileJournal(path, settings);
  journal.info("not this");
  settings.logLevel = "debug";
  journal.debug("but this");
  expect(readFileSync(path, "utf8")).toMatch(/^\S+ debug but this\n$/);
});

test("as JSON an entry is one object a line", () => {
  using journal = new FileJournal(path, { ...usual, logFormat: "json" });
  journal.info('two\nlines and "quotes"');
  expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ level: "info", msg: 'two\nlines and "quotes"' });
});

test("a reader gets the last lines across a rotation, and then what comes", async () => {
  using journal = new FileJournal(path, usual, { bytesMax: 200 });
  for (let i = 0; i < 6; i++) journal.info(`entry ${i}`);
  const stop = new AbortController();
  const lines = journal.lines({ tail: 3, follow: true, signal: stop.signal });
  journal.info("entry 6");
  stop.abort();
  const seen: string[] = [];
  for await (const line of lines) seen.push(line.trim().slice(-7));
  expect(seen).toEqual(["entry 3", "entry 4", "entry 5", "entry 6"]);
});

test("without following the reader ends; tail 0 shows nothing old", async () => {
  using journal = new FileJournal(path, usual);
  journal.info("old");
  const seen: string[] = [];
  for await (const line of journal.lines({ follow: false, signal: never })) seen.push(line);
  expect(seen.length).toBe(1);
  for await (const line of journal.lines({ tail: 0, follow: false, signal: never })) seen.push(line);
  expect(seen.length).toBe(1);
});

test("a follower that never reads is ended, and a closed journal ends all", async () => {
  const journal = new FileJournal(path, usual);
  const lagging = journal.lines({ tail: 0, follow: true, signal: never });
  const other = journal.lines({ tail: 0, follow: true, signal: never });
  for (let i = 0; i < 1_500; i++) journal.info(`entry ${i}`);
  journal[Symbol.dispose]();
  for (const lines of [lagging, other]) {
    let count = 0;
    for await (const _line of lines) count += 1;
    expect(count).toBe(1_000);
  }
});
