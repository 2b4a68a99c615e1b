import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { LogHit, LogRunMark, LogSearchEnd, LogSearchLine } from "#api/log-search.ts";
import type { LogMemoryLimits, LogOwner, LogRun, LogSearch } from "#core/logs/memory.ts";
import { FileLogMemory } from "./log-memory.ts";

vi.setConfig({ testTimeout: 60_000 });

let root: string;
let reports: string[];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "slipway-log-memory-"));
  reports = [];
  mkdirSync(join(root, "containers"));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

const second = (at: number): string => `2026-01-02T03:04:${String(at).padStart(2, "0")}`;
const entry = (text: string, at: number, stream = "stdout"): string =>
  `${JSON.stringify({ log: `${text}\n`, stream, time: `${second(at)}.5Z` }).replace(/[<>&]/g, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`)}\n`;

const owner = (id: string, runs: readonly LogRun[] = []): LogOwner => ({ id, name: `name-${id}`, image: "busybox", createdAt: `${second(0)}Z`, runs });

/** A container's log file, each line a second after the one before. */
function wrote(id: string, lines: readonly string[], suffix = "-json.log"): string {
  mkdirSync(join(root, "containers", id), { recursive: true });
  const path = join(root, "containers", id, `${id}${suffix}`);
  writeFileSync(path, lines.map((line, index) => entry(line, index + 1)).join(""));
  return path;
}

/** As the container's removal does. */
function remove(memory: FileLogMemory, gone: LogOwner): void {
  memory.keep(gone);
  rmSync(join(root, "containers", gone.id), { recursive: true });
}

const settled = { isSettled: () => true };
const generous: LogMemoryLimits = { days: 7, maxBytes: 1024 ** 3 };
const open = (limits: LogMemoryLimits = generous, clock = settled): FileLogMemory =>
  new FileLogMemory({ containers: join(root, "containers"), memory: join(root, "memory"), limits, clock, report: (line) => void reports.push(line) });

const everything: LogSearch = {
  ignoreCase: false,
  fields: [],
  containers: [],
  limit: 1_000,
  oldestFirst: true,
  follow: false,
  signal: new AbortController().signal,
};

async function found(memory: FileLogMemory, search: Partial<LogSearch>, living: readonly LogOwner[] = []): Promise<LogSearchLine[]> {
  const pieces: Buffer[] = [];
  for await (const piece of memory.search({ ...everything, ...search }, () => living)) pieces.push(Buffer.from(piece));
  const lines = Buffer.concat(pieces).toString().trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line) as LogSearchLine);
}

const isHit = (line: LogSearchLine): line is LogHit => "Text" in line;
const texts = async (...args: Parameters<typeof found>): Promise<string[]> => (await found(...args)).filter(isHit).map(({ Text }) => Text);
const endOf = (lines: readonly LogSearchLine[]): LogSearchEnd | undefined => lines.flatMap((line) => ("End" in line ? [line.End] : []))[0];

test("output is found after its container was removed, under its name and marked as gone", async () => {
  const memory = open();
  wrote("c1", ["starting", "needle here", "done"]);
  wrote("c2", ["another needle"]);
  remove(memory, owner("c1"));
  const lines = (await found(memory, { text: "needle" }, [owner("c2")])).filter(isHit);
  expect(lines.toSorted((a, b) => (a.Id < b.Id ? -1 : 1))).toEqual([
    { Id: "c1", Name: "name-c1", Removed: true, Stream: "stdout", Time: `${second(2)}.500000000Z`, Text: "needle here" },
    { Id: "c2", Name: "name-c2", Stream: "stdout", Time: `${second(1)}.500000000Z`, Text: "another needle" },
  ]);
});

test("keeping makes a further name of the same file, and copies nothing", () => {
  const memory = open();
  const { ino } = statSync(wrote("c1", ["one"]));
  remove(memory, owner("c1"));
  expect(statSync(join(root, "memory", "c1", "c1-json.log")).ino).toBe(ino);
});

test("a container without output leaves nothing, and neither does one when it is off", () => {
  wrote("c1", []);
  wrote("c2", ["one"]);
  remove(open(), owner("c1"));
  remove(open({ days: 0, maxBytes: 1024 }), owner("c2"));
  expect(readdirSync(join(root, "memory"))).toEqual([]);
});

test("an engine that starts again remembers, and drops what was half kept", async () => {
  wrote("c1", ["needle"]);
  remove(open(), owner("c1"));
  mkdirSync(join(root, "memory", "c9.tmp"));
  const memory = open();
  expect(await texts(memory, { text: "needle" })).toEqual(["needle"]);
  await expect.poll(() => existsSync(join(root, "memory", "c9.tmp"))).toBe(false);
  expect(reports).toEqual(["log memory: c9.tmp is dropped: it was being kept when the engine ended"]);
});

test("past the cap the oldest removal goes first", async () => {
  const line = "x".repeat(500);
  const memory = open({ days: 7, maxBytes: 1_500 });
  for (const id of ["c1", "c2", "c3"]) {
    wrote(id, [`${id} ${line}`]);
    remove(memory, owner(id));
  }
  expect((await texts(memory, {})).map((text) => text.slice(0, 2)).toSorted()).toEqual(["c2", "c3"]);
  await expect.poll(() => readdirSync(join(root, "memory"))).toEqual(["c2", "c3"]);
});

test("what was removed longer ago than the days kept is gone, once the clock can be trusted", async () => {
  wrote("c1", ["needle"]);
  remove(open(), owner("c1"));
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 8 * 24 * 60 * 60 * 1_000 });
  try {
    expect(await texts(open(generous, { isSettled: () => false }), { text: "needle" })).toEqual(["needle"]);
    expect(await texts(open(), { text: "needle" })).toEqual([]);
  } finally {
    vi.useRealTimers();
  }
});

test("a container that came back is searched once", async () => {
  const memory = open();
  wrote("c1", ["needle"]);
  memory.keep(owner("c1"));
  expect(await texts(memory, { text: "needle" }, [owner("c1")])).toEqual(["needle"]);
});

test("rotated and compressed files are looked through in order", async () => {
  const { gzipSync } = await import("node:zlib");
  wrote("c1", ["third"]);
  wrote("c1", ["second"], "-json.log.1");
  writeFileSync(join(root, "containers", "c1", "c1-json.log.2.gz"), gzipSync(entry("first", 0)));
  expect(await texts(open(), {}, [owner("c1")])).toEqual(["first", "second", "third"]);
  expect(await texts(open(), { oldestFirst: false }, [owner("c1")])).toEqual(["third", "second", "first"]);
});

test("starts and ends stand between the lines they lie between", async () => {
  wrote("c1", ["boot", "work", "boot", "work"]);
  const runs = [{ startedAt: `${second(1)}Z`, finishedAt: `${second(3)}.1Z`, exitCode: 3 }, { startedAt: `${second(3)}.2Z` }];
  const shown = (line: LogSearchLine): string => (isHit(line) ? line.Text : "Event" in line ? shownMark(line) : "");
  const shownMark = ({ Event, ExitCode }: LogRunMark): string => `${Event}${ExitCode === undefined ? "" : ` ${ExitCode}`}`;
  const told = async (search: Partial<LogSearch>): Promise<string[]> =>
    (await found(open(), search, [owner("c1", runs)])).map(shown).filter((text) => text !== "");
  expect(await told({ text: "boot" })).toEqual(["start", "boot", "die 3", "start", "boot"]);
  expect(await told({ text: "boot", oldestFirst: false })).toEqual(["boot", "start", "die 3", "boot"]);
});

test("a search that follows tells what is written later, by containers that come later too", async () => {
  const memory = open();
  const path = wrote("c1", ["needle one"]);
  const living = [owner("c1")];
  const stop = new AbortController();
  const seen: string[] = [];
  const told: number[] = [];
  const reading = (async () => {
    for await (const piece of memory.search({ ...everything, text: "needle", follow: true, signal: stop.signal }, () => living)) {
      for (const text of piece.toString().trimEnd().split("\n")) {
        const line = JSON.parse(text) as LogSearchLine;
        if ("Told" in line) told.push(line.Told.Hits);
        else if (isHit(line)) seen.push(line.Text);
      }
    }
  })();
  await expect.poll(() => seen, { timeout: 20_000 }).toEqual(["needle one"]);
  writeFileSync(path, entry("needle two", 9), { flag: "a" });
  wrote("c2", ["hay", "needle three"]);
  living.push(owner("c2"));
  await expect.poll(() => seen.toSorted(), { timeout: 20_000 }).toEqual(["needle one", "needle three", "needle two"]);
  writeFileSync(path, entry("needle four", 10), { flag: "a" });
  remove(memory, owner("c1"));
  living.shift();
  await expect.poll(() => seen.at(-1), { timeout: 20_000 }).toBe("needle four");
  stop.abort();
  await reading;
  expect(seen).toHaveLength(4);
  expect(told[0]).toBe(1);
  expect(told.at(-1)).toBe(4);
});

test("the limit is kept, and said to have been reached", async () => {
  wrote("c1", ["a", "a", "a"]);
  const lines = await found(open(), { text: "a", limit: 2, oldestFirst: false }, [owner("c1")]);
  expect(lines.filter(isHit).map(({ Time }) => Time)).toEqual([`${second(3)}.500000000Z`, `${second(2)}.500000000Z`]);
  expect(endOf(lines)).toMatchObject({ Hits: 2, Containers: 1, Truncated: true });
  expect(endOf(await found(open(), { text: "a" }, [owner("c1")]))).not.toHaveProperty("Truncated");
});

test("a regular expression without end is stopped and says so, and the next search works", async () => {
  const memory = open();
  wrote("c1", [`${"a".repeat(60)}!`]);
  const lines = await found(memory, { regex: "^(a|aa|a?)+$" }, [owner("c1")]);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({ error: expect.stringMatching(/regular expression takes longer than 5 s/) as string });
  expect(await texts(memory, { text: "a!" }, [owner("c1")])).toHaveLength(1);
});

test("what is wrong with a search is refused before anything is read", () => {
  const memory = open();
  expect(() => memory.search({ ...everything, regex: "(" }, () => [])).toThrow(/^regex: Invalid regular expression/);
  expect(() => memory.search({ ...everything, containers: ["web"] }, () => [])).toThrow("no container web is there, and none is remembered");
});

test("a reader that takes its time holds the search up, and gets every line", async () => {
  const path = wrote("c1", []);
  writeFileSync(path, Array.from({ length: 60_000 }, (_, index) => entry(`line ${index} ${"x".repeat(60)}`, 1)).join(""));
  let count = 0;
  for await (const piece of open().search({ ...everything, limit: 100_000 }, () => [owner("c1")])) {
    await new Promise((resolve) => setImmediate(resolve));
    count += piece.toString().split("\n").length - 1;
  }
  expect(count).toBe(60_001);
});
