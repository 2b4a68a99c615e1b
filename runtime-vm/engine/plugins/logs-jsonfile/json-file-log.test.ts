import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { ContainerLog, LogQuery } from "#core/logs/logs.ts";
import type { TaskStdio } from "#core/tasks/tasks.ts";
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
const output = (...lines: string[]): TaskStdio => spooled({ stdout: Readable.from(lines.map((line) => Buffer.from(line))) });

async function texts(log: ContainerLog, query: Partial<LogQuery> = {}): Promise<string[]> {
  const found: string[] = [];
  for await (const chunk of log.read({ ...all, ...query })) found.push(chunk.bytes.toString());
  return found;
}

async function numbered(log: ContainerLog, from: number, to: number): Promise<void> {
  const stdout = new PassThrough();
  const consumed = log.consume(spooled({ stdout }));
  for (let n = from; n <= to; n++) if (!stdout.write(`line ${n}\n`)) await new Promise((resolve) => stdout.once("drain", resolve));
  stdout.end();
  await consumed;
}

const lines = (from: number, to: number): string[] => Array.from({ length: to - from + 1 }, (_, n) => `line ${from + n}\n`);

test("both streams are kept with their names, and read back in order of time", async () => {
  await using log = await open();
  await log.consume(spooled({ stdout: Readable.from([Buffer.from("a\nb\n")]), stderr: Readable.from([Buffer.from("e\n")]) }));
  const found = await Array.fromAsync(log.read(all));
  expect(found.filter((chunk) => chunk.stream === "stdout").map((chunk) => chunk.bytes.toString())).toEqual(["a\n", "b\n"]);
  expect(found.filter((chunk) => chunk.stream === "stderr").map((chunk) => chunk.bytes.toString())).toEqual(["e\n"]);
  const times = found.map((chunk) => chunk.timeNano);
  expect(times.every((time, n) => n === 0 || time > (times[n - 1] as bigint))).toBe(true);
  expect(await texts(log, { stdout: false })).toEqual(["e\n"]);
});

test("frames carry stream and length, and with a terminal the bare bytes", async () => {
  await using log = await open();
  await log.consume(spooled({ stdout: Readable.from([Buffer.from("out\n")]), stderr: Readable.from([]) }));
  const framed = Buffer.concat(await Array.fromAsync(log.readFrames(all, { raw: false, timestamps: false, details: false })));
  expect(framed).toEqual(Buffer.from([1, 0, 0, 0, 0, 0, 0, 4, ...Buffer.from("out\n")]));
  const raw = Buffer.concat(await Array.fromAsync(log.readFrames(all, { raw: true, timestamps: true, details: false }))).toString();
  expect(raw).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z out\n$/);
});

test("labels, environment and tag are written with each line and shown with details", async () => {
  await using log = await open({ labels: "a", env: "B", tag: "{{.Name}} & co" });
  await log.consume(output('x,"attrs":{"a":"1"},"time"\n', "two\n"));
  expect(readFileSync(log.path, "utf8")).toContain(String.raw`two\n","stream":"stdout","attrs":{"B":"2","a":"1","tag":"name-of-c1 \u0026 co"},"time":"`);
  expect(await texts(log)).toEqual(['x,"attrs":{"a":"1"},"time"\n', "two\n"]);
  const shown = Buffer.concat(await Array.fromAsync(log.readFrames(all, { raw: true, timestamps: false, details: true }))).toString();
  expect(shown.split("\n")[1]).toBe("B=2,a=1,tag=name-of-c1+%26+co two");
});

test("tail counts from the end, over rotated files", async () => {
  await using log = await open({ "max-size": "2k", "max-file": "50" });
  await numbered(log, 1, 500);
  expect(readdirSync(join(directory, "c1")).length).toBeGreaterThan(10);
  for (const tail of [0, 1, 7, 30, 31, 499, 500, 9999]) expect(await texts(log, { tail })).toEqual(lines(Math.max(1, 501 - tail), 500));
});

test("since and until cut exactly between two lines, also in a log of many blocks", async () => {
  await using log = await open();
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
  await using log = await open({ "max-size": "4k", "max-file": "3", compress: "true" });
  await numbered(log, 1, 1000);
  expect(readdirSync(join(directory, "c1")).toSorted()).toEqual(["c1-json.log", "c1-json.log.1.gz", "c1-json.log.2.gz"]);
  expect(gunzipSync(readFileSync(`${log.path}.1.gz`)).length).toBeGreaterThanOrEqual(4000);
  const kept = await texts(log);
  expect(kept.at(-1)).toBe("line 1000\n");
  expect(kept).toEqual(lines(1001 - kept.length, 1000));
});

test("a follower loses nothing, however fast files are rotated away under it", async () => {
  await using log = await open({ "max-size": "1k", "max-file": "1" });
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
  expect(openFilesIn(directory)).toBe(1);
});

test("a follower ends with the output; one of a log that nobody writes ends at once", async () => {
  await using log = await open();
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
  await using log = await open();
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
  expect(openFilesIn(directory)).toBe(1);
  stdout.end();
  await consumed;
});

test("a log goes on after a restart of the engine, with later times, without the line a crash cut off", async () => {
  const first = await open();
  await numbered(first, 1, 5);
  await first[Symbol.asyncDispose]();
  appendFileSync(first.path, '{"log":"half a li');
  await using second = await open();
  await numbered(second, 6, 7);
  const found = await Array.fromAsync(second.read(all));
  expect(found.map((chunk) => chunk.bytes.toString())).toEqual(lines(1, 7));
  expect(found.every((chunk, n) => n === 0 || chunk.timeNano > (found[n - 1]?.timeNano as bigint))).toBe(true);
});

test("a damaged line is skipped, the ones around it are read", async () => {
  await using log = await open();
  await numbered(log, 1, 2);
  const size = readFileSync(log.path).length;
  truncateSync(log.path, size - 30);
  appendFileSync(log.path, "\n");
  await numbered(log, 3, 3);
  expect(await texts(log)).toEqual(["line 1\n", "line 3\n"]);
});

test("an attached client sees output from its attaching on, byte for byte, and the end of the task", async () => {
  await using log = await open();
  await log.consume(output("before\n"));
  const attached = log.attach({ stdout: true, stderr: false, signal: all.signal });
  await log.consume(spooled({ stdout: Readable.from([Buffer.from("par"), Buffer.from("tial")]), stderr: Readable.from([Buffer.from("not me")]) }));
  const bytes = Buffer.concat((await Array.fromAsync(attached)).map((chunk) => chunk.bytes));
  expect(bytes.toString()).toBe("partial");
});

test("with replay what was logged comes first, an unfinished line included, once", async () => {
  await using log = await open();
  await log.consume(output("old\n"));
  const stdout = new PassThrough();
  const consumed = log.consume(spooled({ stdout }));
  stdout.write("begun ");
  await new Promise((resolve) => setTimeout(resolve, 20));
  const attached = log.attach({ stdout: true, stderr: true, replay: true, signal: all.signal })[Symbol.asyncIterator]();
  let text = "";
  while (!text.endsWith("begun ")) text += String((await attached.next()).value?.bytes);
  expect(text).toBe("old\nbegun ");
  stdout.end("ended\n");
  await consumed;
  for (let next = await attached.next(); !next.done; next = await attached.next()) text += String(next.value.bytes);
  expect(text).toBe("old\nbegun ended\n");
});

test("a client that stops reading gets everything from the file, and nobody waits for it", async () => {
  await using log = await open();
  const attached = log.attach({ stdout: true, stderr: true, signal: all.signal })[Symbol.asyncIterator]();
  const sent: string[] = [];
  const stdout = new PassThrough();
  const consumed = log.consume(spooled({ stdout }));
  const send = async (from: number, to: number): Promise<void> => {
    for (let n = from; n < to; n++) {
      // Chunks that end inside lines, so that marks fall there too.
      const text = `${"x".repeat(n % 900)}\n${n}`;
      sent.push(text);
      if (!stdout.write(text)) await new Promise((resolve) => stdout.once("drain", resolve));
    }
  };
  await send(0, 6000);
  const received: string[] = [];
  for (let n = 0; n < 8; n++) received.push(String((await attached.next()).value?.bytes));
  await send(6000, 12_000);
  stdout.end();
  await consumed;
  for (let next = await attached.next(); !next.done; next = await attached.next()) received.push(String(next.value.bytes));
  expect(received.join("") === sent.join("")).toBe(true);
});

test("a client that reads slowly gets every byte as it was printed, however much slower it is than the program", async () => {
  await using log = await open();
  const attached = log.attach({ stdout: true, stderr: false, signal: all.signal });
  // No UTF-8: the log file could not give it back.
  const sent = Array.from({ length: 100 }, (_, n) => Buffer.alloc(64 * 1024, 0x80 + n));
  const consumed = log.consume(spooled({ stdout: Readable.from(sent.map((chunk) => Buffer.from(chunk))) }));
  const received: Buffer[] = [];
  for await (const { bytes } of attached) {
    received.push(Buffer.from(bytes));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await consumed;
  expect(Buffer.concat(received).equals(Buffer.concat(sent))).toBe(true);
});

test("a client still reading when the log is closed and deleted gets all of it, and lets go of the files", async () => {
  const log = await open();
  const attached = log.attach({ stdout: true, stderr: true, signal: all.signal })[Symbol.asyncIterator]();
  const zeros = Buffer.alloc(64 * 1024);
  const sent = 40;
  await log.consume(spooled({ stdout: Readable.from(Array.from({ length: sent }, () => Buffer.from(zeros)).values()) }));
  const first = await attached.next();
  await log[Symbol.asyncDispose]();
  await made.drivers["json-file"].remove("c1");
  expect(openFilesIn(directory)).toBeGreaterThan(0);
  let received = (first.value?.bytes.length as number) ?? 0;
  for (let next = await attached.next(); !next.done; next = await attached.next()) received += next.value.bytes.length;
  expect(received).toBe(sent * zeros.length);
  expect(openFilesIn(directory)).toBe(0);
});

test("a client that leaves after the log was closed lets go of the files", async () => {
  const log = await open();
  const leave = new AbortController();
  log.attach({ stdout: true, stderr: true, signal: leave.signal });
  await log.consume(output("x".repeat(3 * 1024 * 1024)));
  await log[Symbol.asyncDispose]();
  expect(openFilesIn(directory)).toBe(1);
  leave.abort();
  expect(openFilesIn(directory)).toBe(0);
});

test("driver none keeps nothing, serves whoever is attached, and lets go a client that does not read", async () => {
  await using log = await open({}, "none");
  const prompt = log.attach({ stdout: true, stderr: true, signal: all.signal });
  const lazy = log.attach({ stdout: true, stderr: true, signal: all.signal });
  const reading = (async () => {
    let length = 0;
    for await (const chunk of prompt) length += chunk.bytes.length;
    return length;
  })();
  const chunk = Buffer.alloc(64 * 1024, "x");
  const stdout = new PassThrough();
  const consumed = log.consume(spooled({ stdout }));
  for (let n = 0; n < 64; n++) {
    stdout.write(chunk);
    await new Promise((resolve) => setImmediate(resolve));
  }
  stdout.end();
  await consumed;
  expect(await reading).toBe(64 * chunk.length);
  expect(reports).toEqual([expect.stringContaining("did not read was let go")]);
  const kept = (await Array.fromAsync(lazy)).reduce((sum, { bytes }) => sum + bytes.length, 0);
  expect(kept).toBeLessThanOrEqual(1024 * 1024);
  expect(() => log.read(all)).toThrow("configured logging driver does not support reading");
  expect(existsSync(join(directory, "c1"))).toBe(false);
});

test("removing a log takes its rotated files, and nothing beside them", async () => {
  const log = await open({ "max-size": "1k", "max-file": "3" });
  await numbered(log, 1, 100);
  await log[Symbol.asyncDispose]();
  appendFileSync(join(directory, "c1", "hostname"), "x");
  await made.drivers["json-file"].remove("c1");
  expect(readdirSync(join(directory, "c1"))).toEqual(["hostname"]);
});

/** Descriptors of this process below `dir`. */
function openFilesIn(dir: string): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(dir);
    } catch {
      return false;
    }
  }).length;
}
