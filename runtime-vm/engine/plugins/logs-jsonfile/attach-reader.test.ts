import { existsSync } from "node:fs";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { expect, test } from "vitest";
import { spooled } from "#core/tasks/test-spools.ts";
import { all, openFilesIn, output, testLogs } from "./test-logs.ts";

const logs = testLogs();

test("an attached client sees output from its attaching on, byte for byte, and the end of the task", async () => {
  await using log = await logs.open();
  await log.consume(output("before\n"));
  const attached = log.attach({ stdout: true, stderr: false, signal: all.signal });
  await log.consume(spooled({ stdout: Readable.from([Buffer.from("par"), Buffer.from("tial")]), stderr: Readable.from([Buffer.from("not me")]) }));
  const bytes = Buffer.concat((await Array.fromAsync(attached)).map((chunk) => chunk.bytes));
  expect(bytes.toString()).toBe("partial");
});

test("with replay what was logged comes first, an unfinished line included, once", async () => {
  await using log = await logs.open();
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
  await using log = await logs.open();
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
  await using log = await logs.open();
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
  const log = await logs.open();
  const attached = log.attach({ stdout: true, stderr: true, signal: all.signal })[Symbol.asyncIterator]();
  const zeros = Buffer.alloc(64 * 1024);
  const sent = 40;
  await log.consume(spooled({ stdout: Readable.from(Array.from({ length: sent }, () => Buffer.from(zeros)).values()) }));
  const first = await attached.next();
  await log[Symbol.asyncDispose]();
  await logs.remove();
  expect(openFilesIn(logs.directory)).toBeGreaterThan(0);
  let received = (first.value?.bytes.length as number) ?? 0;
  for (let next = await attached.next(); !next.done; next = await attached.next()) received += next.value.bytes.length;
  expect(received).toBe(sent * zeros.length);
  expect(openFilesIn(logs.directory)).toBe(0);
});

test("a client that leaves after the log was closed lets go of the files", async () => {
  const log = await logs.open();
  const leave = new AbortController();
  log.attach({ stdout: true, stderr: true, signal: leave.signal });
  await log.consume(output("x".repeat(3 * 1024 * 1024)));
  await log[Symbol.asyncDispose]();
  expect(openFilesIn(logs.directory)).toBe(1);
  leave.abort();
  expect(openFilesIn(logs.directory)).toBe(0);
});

test("driver none keeps nothing, serves whoever is attached, and lets go a client that does not read", async () => {
  await using log = await logs.open({}, "none");
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
  expect(logs.reports).toEqual([expect.stringContaining("did not read was let go")]);
  const kept = (await Array.fromAsync(lazy)).reduce((sum, { bytes }) => sum + bytes.length, 0);
  expect(kept).toBeLessThanOrEqual(1024 * 1024);
  expect(() => log.read(all)).toThrow("configured logging driver does not support reading");
  expect(existsSync(join(logs.directory, "c1"))).toBe(false);
});
