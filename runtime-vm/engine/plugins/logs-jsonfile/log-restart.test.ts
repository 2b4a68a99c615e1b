import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { EngineError } from "#base/errors.ts";
import { spooled } from "#core/tasks/test-spools.ts";
import { all, lines, numbered, testLogs, texts } from "./test-logs.ts";

const logs = testLogs();

test("a log goes on after a restart of the engine, with later times, without the line a crash cut off", async () => {
  const first = await logs.open();
  await numbered(first, 1, 5);
  await first[Symbol.asyncDispose]();
  appendFileSync(first.path, '{"log":"half a li');
  await using second = await logs.open();
  await numbered(second, 6, 7);
  const found = await Array.fromAsync(second.read(all));
  expect(found.map((chunk) => chunk.bytes.toString())).toEqual(lines(1, 7));
  expect(found.every((chunk, n) => n === 0 || chunk.timeNano > (found[n - 1]?.timeNano as bigint))).toBe(true);
});

test("a damaged line is skipped, the ones around it are read", async () => {
  await using log = await logs.open();
  await numbered(log, 1, 2);
  const size = readFileSync(log.path).length;
  truncateSync(log.path, size - 30);
  appendFileSync(log.path, "\n");
  await numbered(log, 3, 3);
  expect(await texts(log)).toEqual(["line 1\n", "line 3\n"]);
});

test("a log goes on after its engine was killed, every line there once, wherever that was", async () => {
  const printed = Readable.from(["line 1\nline 2\nli", "ne 3\nlin"].map((text) => Buffer.from(text)));
  const spool = join(logs.directory, "spool");
  mkdirSync(spool);
  // The engine lets go of a task that lives on: its unfinished line is no entry.
  const letGo = async function* (): AsyncGenerator<Buffer> {
    yield* printed as AsyncIterable<Buffer>;
    throw new EngineError("cancelled", "the engine ends");
  };
  {
    await using log = await logs.open();
    await log.consume(spooled({ stdout: Readable.from(letGo()) }, spool));
    expect(await texts(log)).toEqual(lines(1, 3));
    // Killed after it wrote entries, the last only half, and before it said so.
    appendFileSync(log.path, readFileSync(log.path, "utf8").slice(0, -20));
  }
  await using log = await logs.open();
  await log.consume(spooled({ stdout: Readable.from([Buffer.from("e 4\nline 5\n")]) }, spool));
  expect(await texts(log)).toEqual(lines(1, 5));
  // Killed before it said anything at all: all output is taken again.
  truncateSync(join(spool, "progress"), 0);
  rmSync(log.path);
  await using other = await logs.open();
  await other.consume(spooled({ stdout: Readable.from([]) }, spool));
  expect(await texts(other)).toEqual(lines(1, 5));
});

test("a log goes on in the file that was just begun when its engine was killed", async () => {
  const spool = join(logs.directory, "spool");
  mkdirSync(spool);
  await using log = await logs.open({ "max-size": "200", "max-file": "9" });
  await log.consume(spooled({ stdout: Readable.from([Buffer.from(lines(1, 4).join(""))]) }, spool));
  expect(existsSync(`${log.path}.1`)).toBe(true);
  // As if it had died between renaming the full file and going on: the progress speaks of a file that has another name now.
  renameSync(`${log.path}.1`, `${log.path}.2`);
  renameSync(log.path, `${log.path}.1`);
  await using again = await logs.open({ "max-size": "200", "max-file": "9" });
  await again.consume(spooled({ stdout: Readable.from([Buffer.from("line 5\n")]) }, spool));
  expect(await texts(again)).toEqual(lines(1, 5));
});

test("a file that was being compressed when the engine was killed is read once", async () => {
  await using log = await logs.open({ "max-size": "4k", "max-file": "3", compress: "true" });
  await log.consume(spooled({ stdout: Readable.from([Buffer.from(lines(1, 100).join(""))]) }));
  writeFileSync(`${log.path}.1`, gunzipSync(readFileSync(`${log.path}.1.gz`)));
  writeFileSync(`${log.path}.1.gz.tmp`, "half");
  await using again = await logs.open({ "max-size": "4k", "max-file": "3", compress: "true" });
  expect(await texts(again)).toEqual(lines(1, 100));
  expect(readdirSync(join(logs.directory, "c1")).toSorted()).not.toContain("c1-json.log.1.gz.tmp");
});
