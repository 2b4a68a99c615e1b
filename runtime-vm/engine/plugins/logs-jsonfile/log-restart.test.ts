import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { EngineError } from "#base/errors.ts";
import type { ContainerLog, LogQuery } from "#core/logs/logs.ts";
import { spooled } from "#core/tasks/test-spools.ts";
import { createLogDrivers, type LogDrivers } from "./drivers.ts";
import { subject } from "./test-subject.ts";

// Each test starts a thread: on a busy machine that alone takes seconds.
vi.setConfig({ testTimeout: 60_000 });

let directory: string;
let made: ReturnType<typeof createLogDrivers>;
let reports: string[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "slipway-logs-"));
  reports = [];
  made = createLogDrivers({ directory, report: (line) => void reports.push(line) });
});

afterEach(async () => {
  await made[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

const open = (options: Record<string, string> = {}, driver: keyof LogDrivers = "json-file"): Promise<ContainerLog> =>
  made.drivers[driver].open(subject("c1"), options);
const all = { stdout: true, stderr: true, follow: false, signal: new AbortController().signal } satisfies LogQuery;

async function texts(log: ContainerLog, query: Partial<LogQuery> = {}): Promise<string[]> {
  const found: string[] = [];
  for await (const chunk of log.read({ ...all, ...query })) found.push(chunk.bytes.toString());
  return found;
}

const lines = (from: number, to: number): string[] => Array.from({ length: to - from + 1 }, (_, n) => `line ${from + n}\n`);

test("a log goes on after its engine was killed, every line there once, wherever that was", async () => {
  const printed = Readable.from(["line 1\nline 2\nli", "ne 3\nlin"].map((text) => Buffer.from(text)));
  const spool = join(directory, "spool");
  mkdirSync(spool);
  // The engine lets go of a task that lives on: its unfinished line is no entry.
  const letGo = async function* (): AsyncGenerator<Buffer> {
    yield* printed as AsyncIterable<Buffer>;
    throw new EngineError("cancelled", "the engine ends");
  };
  {
    await using log = await open();
    await log.consume(spooled({ stdout: Readable.from(letGo()) }, spool));
    expect(await texts(log)).toEqual(lines(1, 3));
    // Killed after it wrote entries, the last only half, and before it said so.
    appendFileSync(log.path, readFileSync(log.path, "utf8").slice(0, -20));
  }
  await using log = await open();
  await log.consume(spooled({ stdout: Readable.from([Buffer.from("e 4\nline 5\n")]) }, spool));
  expect(await texts(log)).toEqual(lines(1, 5));
  // Killed before it said anything at all: all output is taken again.
  truncateSync(join(spool, "progress"), 0);
  rmSync(log.path);
  await using other = await open();
  await other.consume(spooled({ stdout: Readable.from([]) }, spool));
  expect(await texts(other)).toEqual(lines(1, 5));
});

test("a log goes on in the file that was just begun when its engine was killed", async () => {
  const spool = join(directory, "spool");
  mkdirSync(spool);
  await using log = await open({ "max-size": "200", "max-file": "9" });
  await log.consume(spooled({ stdout: Readable.from([Buffer.from(lines(1, 4).join(""))]) }, spool));
  expect(existsSync(`${log.path}.1`)).toBe(true);
  // As if it had died between renaming the full file and going on: the progress speaks of a file that has another name now.
  renameSync(`${log.path}.1`, `${log.path}.2`);
  renameSync(log.path, `${log.path}.1`);
  await using again = await open({ "max-size": "200", "max-file": "9" });
  await again.consume(spooled({ stdout: Readable.from([Buffer.from("line 5\n")]) }, spool));
  expect(await texts(again)).toEqual(lines(1, 5));
});

test("a file that was being compressed when the engine was killed is read once", async () => {
  await using log = await open({ "max-size": "4k", "max-file": "3", compress: "true" });
  await log.consume(spooled({ stdout: Readable.from([Buffer.from(lines(1, 100).join(""))]) }));
  writeFileSync(`${log.path}.1`, gunzipSync(readFileSync(`${log.path}.1.gz`)));
  writeFileSync(`${log.path}.1.gz.tmp`, "half");
  await using again = await open({ "max-size": "4k", "max-file": "3", compress: "true" });
  expect(await texts(again)).toEqual(lines(1, 100));
  expect(readdirSync(join(directory, "c1")).toSorted()).not.toContain("c1-json.log.1.gz.tmp");
});
