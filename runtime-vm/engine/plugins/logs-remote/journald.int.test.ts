import { closeSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { ContainerLog } from "#core/logs/logs.ts";
import { spooled } from "#core/tasks/test-spools.ts";
import { createKernel } from "#plugins/kernel-koffi/kernel.ts";
import { c, check } from "#plugins/kernel-koffi/libc.ts";
import { unixAddress } from "#plugins/kernel-koffi/sockaddr.ts";
import { createLogDrivers } from "#plugins/logs-jsonfile/drivers.ts";
import { createRemoteLogDrivers } from "./drivers.ts";

// Each test starts a thread: on a busy machine that alone takes seconds.
vi.setConfig({ testTimeout: 60_000 });

const [AF_UNIX, SOCK_DGRAM, MSG_DONTWAIT] = [1, 2, 0x40];
const subject = {
  id: "acf0f0f2be1a05f5fafa03294a1aa46534c6ed30ac7324c5eb5444fda977a750",
  name: "box",
  imageId: "sha256:01",
  imageName: "busybox",
  createdAt: "2026-01-02T03:04:05Z",
  command: ["echo"],
  env: ["E=a\nb"],
  labels: { l: "v", "_x.y": "w" },
};

/** A host's file system with a journal that somebody may listen to. */
let host: string;
let undo: AsyncDisposableStack;
let reports: string[];
beforeEach(() => {
  host = mkdtempSync(join(tmpdir(), "slipway-journal-"));
  mkdirSync(join(host, "run/systemd/journal"), { recursive: true });
  reports = [];
  undo = new AsyncDisposableStack();
  undo.defer(() => rmSync(host, { recursive: true }));
});
afterEach(() => undo.disposeAsync());

/** journald's socket. `next` is the next datagram that came, its fields by name. */
function journal(): { next(): Record<string, string>; close(): void } {
  const path = join(host, "run/systemd/journal/socket");
  const fd = check(c.socket(AF_UNIX, SOCK_DGRAM, 0), "socket", path);
  const name = unixAddress(path);
  check(c.bind(fd, name, name.length), "bind", path);
  const into = Buffer.alloc(256 * 1024);
  return {
    next: () => fieldsOf(into.subarray(0, check(c.recv(fd, into, into.length, MSG_DONTWAIT), "receive from", path))),
    close: () => closeSync(fd),
  };
}

/** systemd's native protocol: `NAME=value`, or the name alone, the value's length in eight bytes, and the value. */
function fieldsOf(datagram: Buffer): Record<string, string> {
  const fields: Record<string, string> = {};
  for (let at = 0; at < datagram.length; ) {
    const newline = datagram.indexOf("\n", at);
    const line = datagram.toString("utf8", at, newline);
    const equals = line.indexOf("=");
    if (equals >= 0) {
      fields[line.slice(0, equals)] = line.slice(equals + 1);
      at = newline + 1;
      continue;
    }
    const length = Number(datagram.readBigUInt64LE(newline + 1));
    fields[line] = datagram.toString("utf8", newline + 9, newline + 9 + length);
    expect(datagram[newline + 9 + length]).toBe(0x0a);
    at = newline + 10 + length;
  }
  return fields;
}

async function open(options: Record<string, string> = {}): Promise<ContainerLog> {
  const copies = undo.use(createLogDrivers({ directory: join(host, "copies"), report: (line) => void reports.push(line) }));
  const drivers = createRemoteLogDrivers({ cache: copies.cache, kernel: createKernel(), hostPrefix: host, report: (line) => void reports.push(line) });
  return undo.use((await drivers["journald"]?.open(subject, options)) as ContainerLog);
}

const output = (stdout: string, stderr: string) => spooled({ stdout: Readable.from([Buffer.from(stdout)]), stderr: Readable.from([Buffer.from(stderr)]) });

test("the journal gets an entry a line, with what dockerd says of the container", async () => {
  const { next, close } = journal();
  const log = await open({ labels: "l,_x.y", env: "E", tag: "{{.Name}}" });
  await log.connect?.();
  await log.consume(output("hi\n\nno newline", ""));
  const first = next();
  expect(first).toEqual({
    PRIORITY: "6",
    MESSAGE: "hi",
    CONTAINER_ID: "acf0f0f2be1a",
    CONTAINER_ID_FULL: subject.id,
    CONTAINER_NAME: "box",
    CONTAINER_TAG: "box",
    IMAGE_NAME: "busybox",
    SYSLOG_IDENTIFIER: "box",
    SYSLOG_TIMESTAMP: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/) as string,
    CONTAINER_LOG_EPOCH: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    CONTAINER_LOG_ORDINAL: "1",
    L: "v",
    X_Y: "w",
    E: "a\nb",
  });
  expect([next(), next()].map((fields) => [fields["MESSAGE"], fields["CONTAINER_LOG_ORDINAL"], fields["CONTAINER_LOG_EPOCH"]])).toEqual([
    ["", "2", first["CONTAINER_LOG_EPOCH"]],
    ["no newline", "3", first["CONTAINER_LOG_EPOCH"]],
  ]);
  expect(() => next()).toThrow(expect.objectContaining({ code: "EAGAIN" }));
  await log.consume(output("", "oops\n"));
  expect(next()).toMatchObject({ PRIORITY: "3", MESSAGE: "oops" });
  close();
});

test("a long line comes in pieces that say so, and the copy that is kept has it too", async () => {
  const { next, close } = journal();
  const log = await open();
  await log.consume(output(`${"x".repeat(20_000)}\n`, ""));
  const [head, tail] = [next(), next()];
  expect(head).toMatchObject({
    MESSAGE: "x".repeat(16_384),
    CONTAINER_PARTIAL_MESSAGE: "true",
    CONTAINER_PARTIAL_ORDINAL: "1",
    CONTAINER_PARTIAL_LAST: "false",
  });
  expect(tail).toMatchObject({ MESSAGE: "x".repeat(3_616), CONTAINER_PARTIAL_ORDINAL: "2", CONTAINER_PARTIAL_LAST: "true" });
  expect(tail["CONTAINER_PARTIAL_ID"]).toBe(head["CONTAINER_PARTIAL_ID"]);
  expect(tail).not.toHaveProperty("CONTAINER_PARTIAL_MESSAGE");
  const query = { stdout: true, stderr: true, follow: false, signal: new AbortController().signal };
  expect(Buffer.concat(await Array.fromAsync(log.readFrames(query, { raw: true, timestamps: false, details: false }))).toString()).toBe(
    `${"x".repeat(20_000)}\n`,
  );
  close();
});

test("more than the journal takes at once waits for it, and a journal that starts again is found again", async () => {
  const first = journal();
  const log = await open();
  await log.connect?.();
  const lines = Array.from({ length: 500 }, (_, n) => `line ${n}`);
  const consumed = log.consume(output(`${lines.join("\n")}\n`, ""));
  const seen: (string | undefined)[] = [];
  const read = (): number => {
    try {
      for (;;) seen.push(first.next()["MESSAGE"]);
    } catch {
      return seen.length;
    }
  };
  await expect.poll(read, { interval: 1, timeout: 30_000 }).toBe(lines.length);
  expect(seen).toEqual(lines);
  await consumed;
  first.close();
  rmSync(join(host, "run/systemd/journal/socket"));
  const second = journal();
  await log.consume(output("after all\n", ""));
  expect(second.next()).toMatchObject({ MESSAGE: "after all" });
  expect(reports).toEqual([expect.stringContaining("sending failed, trying again")]);
  second.close();
});

test("without a journal a container is not started, in dockerd's words", async () => {
  const log = await open();
  await expect(log.connect?.()).rejects.toThrow("journald is not enabled on this host");
});
