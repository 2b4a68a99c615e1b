import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer as createHttp } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ContainerLog, LogCache, LogQuery, LogTap } from "#core/logs/logs.ts";
import type { LogSubject } from "#core/logs/subject.ts";
import type { TaskStdio } from "#core/tasks/tasks.ts";
import { spooled } from "#core/tasks/test-spools.ts";
import { createRemoteLogDrivers } from "./drivers.ts";

const subject: LogSubject = {
  id: "acf0f0f2be1a05f5fafa03294a1aa46534c6ed30ac7324c5eb5444fda977a750",
  name: "box",
  imageId: "sha256:01",
  imageName: "busybox",
  createdAt: "2026-01-02T03:04:05Z",
  command: ["echo", "hi"],
  env: ["E=w"],
  labels: { l: "v" },
};

/** A copy that is kept in memory: what the drivers need of one, and no more. */
class MemoryCopy implements ContainerLog {
  readonly path = "";
  readonly lines: string[] = [];
  readonly #tap: LogTap;
  constructor(tap: LogTap) {
    this.#tap = tap;
  }
  async consume({ stdout, stderr }: TaskStdio): Promise<void> {
    for (const [stream, from] of [["stdout", stdout] as const, ["stderr", stderr] as const]) {
      for await (const chunk of from ?? []) {
        this.lines.push(String(chunk));
        await this.#tap(stream, chunk as Buffer);
      }
    }
  }
  attach(): never {
    throw new Error("nobody attaches here");
  }
  async *read(_query: LogQuery): AsyncGenerator<never> {}
  async *readFrames(): AsyncGenerator<Buffer> {
    yield* this.lines.map((line) => Buffer.from(line));
  }
  async [Symbol.asyncDispose](): Promise<void> {}
}

const reports: string[] = [];
const cache: LogCache = { open: (_subject, _options, { tap }) => Promise.resolve(new MemoryCopy(tap)), remove: () => Promise.resolve() };
const kernel = {
  connectDatagram: (): never => {
    throw new Error("no unix datagrams here");
  },
};
const drivers = createRemoteLogDrivers({ cache, kernel, hostPrefix: "/", report: (line) => void reports.push(line) });

let undo: AsyncDisposableStack;
beforeEach(() => {
  undo = new AsyncDisposableStack();
  reports.length = 0;
});
afterEach(() => undo.disposeAsync());

async function log(
  driver: string,
  options: Record<string, string>,
  output: { stdout?: string | string[]; stderr?: string } = { stdout: "hi\n", stderr: "err\n" },
): Promise<void> {
  const opened = undo.use((await drivers[driver]?.open(subject, options)) as ContainerLog);
  await opened.connect?.();
  const [out = []] = [output.stdout].map((given) => (typeof given === "string" ? [given] : given));
  const readable = (texts: string[]): Readable => Readable.from(texts.map((text) => Buffer.from(text)));
  await opened.consume(spooled({ stdout: readable(out), stderr: readable(output.stderr === undefined ? [] : [output.stderr]) }));
}

async function udp(): Promise<{ port: number; next(): Promise<Buffer> }> {
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  await once(socket, "listening");
  undo.defer(() => void socket.close());
  const seen: Buffer[] = [];
  socket.on("message", (message) => void seen.push(message));
  const next = async (): Promise<Buffer> => {
    await expect.poll(() => seen.length).toBeGreaterThan(0);
    return seen.shift() as Buffer;
  };
  return { port: socket.address().port, next };
}

/** Everything that arrives over any connection; `answer` may reply. */
async function stream(
  at: { path: string } | undefined,
  answer?: (bytes: Buffer) => Buffer | undefined,
): Promise<{ port: number; seen(): Buffer; server: Server }> {
  const chunks: Buffer[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    undo.defer(() => void socket.destroy());
    socket.on("data", (bytes) => {
      chunks.push(bytes);
      const said = answer?.(bytes);
      if (said) socket.write(said);
    });
  });
  await once(at ? server.listen(at.path) : server.listen(0, "127.0.0.1"), "listening");
  undo.defer(() => void server.close());
  return { port: at ? 0 : (server.address() as AddressInfo).port, seen: () => Buffer.concat(chunks), server };
}

const short = subject.id.slice(0, 12);
const clock = String.raw`[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d`;

test("syslog over udp: one datagram a line, facility daemon, severity by stream", async () => {
  const receiver = await udp();
  await log("syslog", { "syslog-address": `udp://127.0.0.1:${receiver.port}` });
  expect(String(await receiver.next())).toMatch(new RegExp(`^<30>${clock} ${short}\\[${process.pid}\\]: hi\n$`));
  expect(String(await receiver.next())).toMatch(new RegExp(`^<27>${clock} ${short}\\[${process.pid}\\]: err\n$`));
});

test.each([
  ["rfc3164", new RegExp(`^<158>${clock} ${hostname()} mine\\[\\d+\\]: hi\n<155>.*: err\n$`, "s")],
  ["rfc5424", new RegExp(`^<158>1 \\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ ${hostname()} mine \\d+ mine - hi\n<155>.* - err\n$`, "s")],
  ["rfc5424micro", /^<158>1 \S{19}\.\d{6}Z \S+ mine \d+ mine - hi\n/],
])("syslog over tcp in format %s", async (format, expected) => {
  const receiver = await stream(undefined);
  const options = { "syslog-address": `tcp://127.0.0.1:${receiver.port}`, "syslog-format": format, "syslog-facility": "local3", tag: "mine" };
  await log("syslog", options);
  await expect.poll(() => String(receiver.seen())).toMatch(expected);
});

test("syslog over a unix stream", async () => {
  const directory = mkdtempSync(join(tmpdir(), "slipway-syslog-"));
  undo.defer(() => rmSync(directory, { recursive: true }));
  const path = join(directory, "log");
  const receiver = await stream({ path });
  await log("syslog", { "syslog-address": `unix://${path}` });
  await expect.poll(() => String(receiver.seen())).toContain(": hi\n");
});

test("a receiver that went away gets the lines when it is back", async () => {
  const receiver = await stream(undefined);
  const cut = new Promise<void>((resolve) => receiver.server.once("connection", (socket) => resolve(void socket.destroy())));
  const opened = undo.use((await drivers["syslog"]?.open(subject, { "syslog-address": `tcp://127.0.0.1:${receiver.port}` })) as ContainerLog);
  await opened.connect?.();
  await cut;
  await new Promise<void>((resolve) => receiver.server.close(() => resolve()));
  const stdout = new Readable({ read: () => undefined });
  const consumed = opened.consume(spooled({ stdout }));
  // What a connection had taken when it broke is lost, as with TCP; what comes next is not.
  const report = (): string => {
    stdout.push("one\n");
    return reports.join();
  };
  await expect.poll(report, { timeout: 10_000 }).toContain("trying again");
  let seen = "";
  const again = createServer((socket) => void socket.on("data", (bytes) => (seen += String(bytes)))).listen(receiver.port, "127.0.0.1");
  undo.defer(() => void again.close());
  await expect.poll(() => seen, { timeout: 10_000 }).toContain(": one\n");
  stdout.push(null);
  await consumed;
});

test("fluentd: tag, time, record and options as its forward protocol has them", async () => {
  const receiver = await stream(undefined);
  await log("fluentd", { "fluentd-address": `127.0.0.1:${receiver.port}`, labels: "l", env: "E" }, { stdout: "hi\n" });
  const text = (): string => receiver.seen().toString("latin1");
  await expect.poll(() => text().endsWith("\x80")).toBe(true);
  expect(text().slice(0, 15)).toBe(`\x94\xac${short}\xce`);
  expect(text().slice(19)).toBe(`\x86\xaccontainer_id\xd9\x40${subject.id}\xaecontainer_name\xa4/box\xa6source\xa6stdout\xa3log\xa2hi\xa1E\xa1w\xa1l\xa1v\x80`);
});

test("fluentd: with acknowledgements an entry is sent again until the receiver has named its chunk", async () => {
  let refused = 0;
  const chunkOf = (bytes: Buffer): string => /chunk\xb8([\w+/=]{24})/.exec(bytes.toString("latin1"))?.[1] ?? "";
  const receiver = await stream(undefined, (bytes) => {
    if (refused++ === 0) return undefined;
    return Buffer.concat([Buffer.from("\x81\xa3ack\xb8", "latin1"), Buffer.from(chunkOf(bytes))]);
  });
  receiver.server.once("connection", (socket) => socket.once("data", () => socket.destroy()));
  await log("fluentd", { "fluentd-address": `127.0.0.1:${receiver.port}`, "fluentd-request-ack": "true", "fluentd-retry-wait": "10ms" }, { stdout: "hi\n" });
  expect(refused).toBe(2);
});

test("gelf over udp is compressed, and a long line comes in chunks that make the whole", async () => {
  const receiver = await udp();
  const address = { "gelf-address": `udp://127.0.0.1:${receiver.port}` };
  await log("gelf", { ...address, labels: "l" }, { stderr: "err\n" });
  expect(JSON.parse(String(gunzipSync(await receiver.next())))).toMatchObject({
    version: "1.1",
    host: hostname(),
    short_message: "err",
    level: 3,
    _container_id: subject.id,
    _container_name: "box",
    _command: "echo hi",
    _image_name: "busybox",
    _l: "v",
    _tag: short,
  });
  const long = Array.from({ length: 900 }, (_, n) => n).join(" ");
  await log("gelf", { ...address, "gelf-compression-type": "none" }, { stdout: `${long}\n` });
  const chunks = [await receiver.next()];
  while (chunks.length < (chunks[0]?.[11] ?? 0)) chunks.push(await receiver.next());
  expect(chunks.map((chunk) => chunk[10])).toEqual(chunks.map((_, n) => n));
  const whole = JSON.parse(String(Buffer.concat(chunks.map((chunk) => chunk.subarray(12))))) as { short_message: string };
  expect(whole.short_message).toBe(long);
});

test("gelf over tcp ends each document with a zero", async () => {
  const receiver = await stream(undefined);
  await log("gelf", { "gelf-address": `tcp://127.0.0.1:${receiver.port}` });
  await expect.poll(() => String(receiver.seen()).split("\0").length).toBe(3);
});

test("splunk: the connection is verified, events are posted with the token, in every format", async () => {
  const seen: { method: string | undefined; authorization: string | undefined; body: string }[] = [];
  const server = createHttp((request, answer) => {
    void buffer(request).then((body) => {
      const plain = request.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body;
      seen.push({ method: request.method, authorization: request.headers.authorization, body: String(plain) });
      answer.end("{}");
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  undo.defer(() => void server.close());
  const url = { "splunk-url": `http://127.0.0.1:${(server.address() as AddressInfo).port}`, "splunk-token": "secret" };
  await log("splunk", { ...url, labels: "l", "splunk-source": "src", "splunk-gzip": "true" }, { stdout: "hi\n" });
  expect(seen[0]).toEqual({ method: "OPTIONS", authorization: undefined, body: "" });
  expect(seen[1]).toMatchObject({ method: "POST", authorization: "Splunk secret" });
  expect(seen[1]?.body).toMatch(
    new RegExp(`^{"event":{"line":"hi","source":"stdout","tag":"${short}","attrs":{"l":"v"}},"time":"\\d+\\.\\d{6}","host":"${hostname()}","source":"src"}$`),
  );
  await log("splunk", { ...url, "splunk-format": "json", "splunk-verify-connection": "false", tag: "" }, { stdout: '{"a":1}\n' });
  expect(seen.at(-1)?.body).toContain('{"event":{"line":{"a":1},"source":"stdout"}');
  await log("splunk", { ...url, "splunk-format": "raw", labels: "l" }, { stdout: "hi\n\n" });
  expect(seen.at(-1)?.body).toMatch(new RegExp(`^{"event":"${short} l=v hi","time":"[\\d.]+","host":"${hostname()}"}$`));
});

test("a line that is too long comes in pieces that say so", async () => {
  const receiver = await stream(undefined);
  await log("fluentd", { "fluentd-address": `127.0.0.1:${receiver.port}` }, { stdout: ["x".repeat(20_000), "y\n"] });
  const text = (): string => receiver.seen().toString("latin1");
  await expect.poll(() => text().includes("partial_last\xa4true")).toBe(true);
  expect(text()).toMatch(/partial_ordinal\xa11.*partial_last\xa5false.*partial_ordinal\xa12/s);
});

test("a program waits for a receiver that is slow; in mode non-blocking output is dropped instead, and that is said", async () => {
  const receiver = createServer((socket) => void socket.pause());
  await once(receiver.listen(0, "127.0.0.1"), "listening");
  undo.defer(() => void receiver.close());
  const address = { "syslog-address": `tcp://127.0.0.1:${(receiver.address() as AddressInfo).port}` };
  const opened = (await drivers["syslog"]?.open(subject, { ...address, mode: "non-blocking", "max-buffer-size": "64k" })) as ContainerLog;
  await opened.connect?.();
  let sent = 0;
  const stdout = Readable.from(
    (function* () {
      for (; sent < 400; sent++) yield Buffer.from(`${"x".repeat(60_000)}\n`);
    })(),
  );
  const consumed = opened.consume(spooled({ stdout }));
  await expect.poll(() => sent, { timeout: 10_000 }).toBe(400);
  expect(reports.join("\n")).toContain("some of it is dropped");
  await opened[Symbol.asyncDispose]();
  await consumed;
});

test("a receiver that is not there is a reason not to start, in dockerd's words", async () => {
  const gone = await stream(undefined);
  await new Promise<void>((resolve) => gone.server.close(() => resolve()));
  const refused = (driver: string, options: Record<string, string>, message: string): Promise<void> => expect(log(driver, options)).rejects.toThrow(message);
  const where = `127.0.0.1:${gone.port}`;
  await refused("syslog", { "syslog-address": `tcp://${where}` }, `dial tcp ${where}: connect: connection refused`);
  await refused("fluentd", { "fluentd-address": where }, `dial tcp ${where}: connect: connection refused`);
  await refused("fluentd", { "fluentd-address": "unix:///nope" }, "dial unix /nope: connect: no such file or directory");
  await refused("gelf", { "gelf-address": `tcp://${where}` }, `gelf: cannot connect to GELF endpoint: ${where} dial tcp ${where}: connect: connection refused`);
  const splunk = { "splunk-url": `http://${where}`, "splunk-token": "t" };
  await refused("splunk", splunk, `Options "http://${where}/services/collector/event/1.0": dial tcp ${where}: connect: connection refused`);
});
