import { appendFileSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import type { ContainerLog, LogDress, LogQuery } from "#core/logs/logs.ts";
import { spooled } from "#core/tasks/test-spools.ts";
import { all, lines, numbered, openFilesIn, output, testLogs, texts } from "./test-logs.ts";

const logs = testLogs();

/** Each block is good until the next: they are copied. */
const frames = async (log: ContainerLog, dress: LogDress, query: Partial<LogQuery> = {}): Promise<Buffer> =>
  Buffer.concat(await Array.fromAsync(log.readFrames({ ...all, ...query }, dress), (block) => Buffer.from(block)));

test("both streams are kept with their names, and read back in order of time", async () => {
  await using log = await logs.open();
  await log.consume(spooled({ stdout: Readable.from([Buffer.from("a\nb\n")]), stderr: Readable.from([Buffer.from("e\n")]) }));
  const found = await Array.fromAsync(log.read(all));
  expect(found.filter((chunk) => chunk.stream === "stdout").map((chunk) => chunk.bytes.toString())).toEqual(["a\n", "b\n"]);
  expect(found.filter((chunk) => chunk.stream === "stderr").map((chunk) => chunk.bytes.toString())).toEqual(["e\n"]);
  const times = found.map((chunk) => chunk.timeNano);
  expect(times.every((time, n) => n === 0 || time > (times[n - 1] as bigint))).toBe(true);
  expect(await texts(log, { stdout: false })).toEqual(["e\n"]);
});

test("frames carry stream and length, and with a terminal the bare bytes", async () => {
  await using log = await logs.open();
  await log.consume(spooled({ stdout: Readable.from([Buffer.from("out\n")]), stderr: Readable.from([]) }));
  const framed = await frames(log, { raw: false, timestamps: false, details: false });
  expect(framed).toEqual(Buffer.from([1, 0, 0, 0, 0, 0, 0, 4, ...Buffer.from("out\n")]));
  const raw = (await frames(log, { raw: true, timestamps: true, details: false })).toString();
  expect(raw).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z out\n$/);
});

test("labels, environment and tag are written with each line and shown with details", async () => {
  await using log = await logs.open({ labels: "a", env: "B", tag: "{{.Name}} & co" });
  await log.consume(output('x,"attrs":{"a":"1"},"time"\n', "two\n"));
  expect(readFileSync(log.path, "utf8")).toContain(String.raw`two\n","stream":"stdout","attrs":{"B":"2","a":"1","tag":"name-of-c1 \u0026 co"},"time":"`);
  expect(await texts(log)).toEqual(['x,"attrs":{"a":"1"},"time"\n', "two\n"]);
  const shown = (await frames(log, { raw: true, timestamps: false, details: true })).toString();
  expect(shown.split("\n")[1]).toBe("B=2,a=1,tag=name-of-c1+%26+co two");
});

test("tail counts from the end, over rotated files", async () => {
  await using log = await logs.open({ "max-size": "2k", "max-file": "50" });
  await numbered(log, 1, 500);
  expect(readdirSync(join(logs.directory, "c1")).length).toBeGreaterThan(10);
  for (const tail of [0, 1, 7, 30, 31, 499, 500, 9999]) expect(await texts(log, { tail })).toEqual(lines(Math.max(1, 501 - tail), 500));
});

test("since and until cut exactly between two lines, also in a log of many blocks", async () => {
  await using log = await logs.open();
  await numbered(log, 1, 8000);
  const found = await Array.fromAsync(log.read(all));
  for (const n of [0, 1, 4321, 7999]) {
    const time = found[n]?.timeNano as bigint;
    expect((await texts(log, { sinceNano: time }))[0]).toBe(`line ${n + 1}\n`);
    expect((await texts(log, { untilNano: time })).length).toBe(n + 1);
    expect(await texts(log, { sinceNano: time, untilNano: time })).toEqual([`line ${n + 1}\n`]);
  }
  expect(await texts(log, { sinceNano: (found.at(-1)?.timeNano as bigint) + 1n })).toEqual([]);
});

test("rotation keeps the newest files and compresses the old ones when told to", async () => {
  await using log = await logs.open({ "max-size": "4k", "max-file": "3", compress: "true" });
  await numbered(log, 1, 1000);
  expect(readdirSync(join(logs.directory, "c1")).toSorted()).toEqual(["c1-json.log", "c1-json.log.1.gz", "c1-json.log.2.gz"]);
  expect(gunzipSync(readFileSync(`${log.path}.1.gz`)).length).toBeGreaterThanOrEqual(4000);
  const kept = await texts(log);
  expect(kept.at(-1)).toBe("line 1000\n");
  expect(kept).toEqual(lines(1001 - kept.length, 1000));
});

test("a follower loses nothing, however fast files are rotated away under it", async () => {
  await using log = await logs.open({ "max-size": "1k", "max-file": "1" });
  const stdout = new PassThrough();
  const consumed = log.consume(spooled({ stdout }));
  const followed = texts(log, { follow: true });
  stdout.write("line 1\n");
  await new Promise((resolve) => setTimeout(resolve, 50));
  for (let n = 2; n <= 5000; n++) {
    if (!stdout.write(`line ${n}\n`)) await new Promise((resolve) => stdout.once("drain", resolve));
  }
  stdout.end();
  await consumed;
  expect(await followed).toEqual(lines(1, 5000));
  expect(openFilesIn(logs.directory)).toBe(1);
});

test("followers that do not read keep a few files between them, and go on with what is newest", async () => {
  await using log = await logs.open({ "max-size": "20m", "max-file": "1" });
  const stdout = new PassThrough();
  const consumed = log.consume(spooled({ stdout }));
  stdout.write("first\n");
  const giveUp = new AbortController();
  const followers = [1, 2, 3].map(() => log.read({ ...all, follow: true, signal: giveUp.signal })[Symbol.asyncIterator]());
  for (const follower of followers) expect((await follower.next()).value?.bytes.toString()).toBe("first\n");
  const block = `${"x".repeat(999)}\n`.repeat(1_000);
  for (let n = 0; n < 130; n++) if (!stdout.write(block)) await new Promise((resolve) => stdout.once("drain", resolve));
  stdout.end("last\n");
  await consumed;
  // The one that is written, the one that all began with, and 60 MB of later ones.
  expect(openFilesIn(logs.directory)).toBeLessThanOrEqual(1 + 3 + 3);
  for (const follower of followers) {
    let last = "";
    for (let next = await follower.next(); !next.done; next = await follower.next()) last = next.value.bytes.toString();
    expect(last).toBe("last\n");
  }
  expect(openFilesIn(logs.directory)).toBe(1);
});

test("a follower has every line of a flood once and in order", async () => {
  await using log = await logs.open();
  const sent = Array.from({ length: 40 }, (_, n) => Buffer.from(`${n} ${"x".repeat(n)}\n`.repeat(2000)));
  const stdout = new PassThrough();
  const consumed = log.consume(spooled({ stdout }));
  const followed = frames(log, { raw: true, timestamps: false, details: false }, { follow: true });
  for (const piece of sent) if (!stdout.write(piece)) await new Promise((resolve) => stdout.once("drain", resolve));
  stdout.end();
  await consumed;
  expect((await followed).equals(Buffer.concat(sent))).toBe(true);
});

test("a follower ends with the output; one of a log that nobody writes ends at once", async () => {
  await using log = await logs.open();
  await numbered(log, 1, 3);
  expect(await texts(log, { follow: true })).toEqual(lines(1, 3));
  const stdout = new PassThrough();
  const consumed = log.consume(spooled({ stdout }));
  const followed = texts(log, { follow: true, tail: 1 });
  stdout.end("line 4\nno newline");
  await consumed;
  expect((await followed).slice(-2)).toEqual(["line 4\n", "no newline"]);
});

test("a follower that is given up lets go of its files", async () => {
  await using log = await logs.open();
  const stdout = new PassThrough();
  const consumed = log.consume(spooled({ stdout }));
  stdout.write("line 1\n");
  const giveUp = new AbortController();
  const found: string[] = [];
  for await (const chunk of log.read({ ...all, follow: true, signal: giveUp.signal })) {
    found.push(chunk.bytes.toString());
    giveUp.abort();
  }
  expect(found).toEqual(["line 1\n"]);
  expect(openFilesIn(logs.directory)).toBe(1);
  stdout.end();
  await consumed;
});

test("removing a log takes its rotated files, and nothing beside them", async () => {
  const log = await logs.open({ "max-size": "1k", "max-file": "3" });
  await numbered(log, 1, 100);
  await log[Symbol.asyncDispose]();
  appendFileSync(join(logs.directory, "c1", "hostname"), "x");
  await logs.remove();
  expect(readdirSync(join(logs.directory, "c1"))).toEqual(["hostname"]);
});
