import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { silentJournal } from "#core/journal/journal.ts";
import { ApiServer } from "./http.ts";
import { route } from "./router.ts";
import { raw, shape } from "./test-routes.ts";

const routes = [
  route("GET", "/ok", () => ({ status: 200, json: { a: 1 } })),
  route("POST", "/echo", async ({ json }) => ({ status: 201, json: (await json(shape)) ?? null })),
  raw,
];

let dir = "";
let socket = "";
let server: ApiServer;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "wire-"));
  socket = join(dir, "s.sock");
  server = new ApiServer(routes, silentJournal, { patience: { requestHeadMsMax: 200, requestBodyIdleMsMax: 200 } });
  await server.listen(socket, { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, mode: 0o600 });
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true });
});

/** Sends `bytes` and reads until the server closes; `end` half-closes after them. */
async function talk(bytes: string, { end = true } = {}): Promise<string> {
  const client = connect({ path: socket, allowHalfOpen: true });
  let answer = "";
  client.on("data", (chunk: Buffer) => (answer += chunk.toString("latin1")));
  // A server that refuses may close while we still write: what it answered counts.
  client.on("error", () => {});
  client.on("end", () => client.end());
  client.write(bytes);
  if (end) client.end();
  await new Promise((resolve) => client.once("close", resolve));
  return answer;
}

const bodyOf = (answer: string): unknown => JSON.parse(answer.slice(answer.indexOf("\r\n\r\n") + 4)) as unknown;
const json = "Host: x\r\nContent-Type: application/json\r\n";
const upgrade = "Connection: Upgrade\r\nUpgrade: tcp\r\n";
const expectService = async (): Promise<void> => expect(await talk("GET /ok HTTP/1.1\r\nHost: x\r\n\r\n")).toContain("200 OK");

test.each([
  ["TLS to a plain socket", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400],
  ["HTTP/2's preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400],
  ["a head that is too large", `GET /ok HTTP/1.1\r\nHost: x\r\nX: ${"y".repeat(2 * 1024 * 1024)}\r\n\r\n`, 431],
  ["a path that is too large", `GET /${"y".repeat(2 * 1024 * 1024)} HTTP/1.1\r\nHost: x\r\n\r\n`, 431],
  ["a header without a colon", "GET /ok HTTP/1.1\r\nHost x\r\n\r\n", 400],
  ["two lengths", `POST /echo HTTP/1.1\r\n${json}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`, 400],
  ["a length and chunks", `POST /echo HTTP/1.1\r\n${json}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
  ["a negative length", `POST /echo HTTP/1.1\r\n${json}Content-Length: -2\r\n\r\n{}`, 400],
  ["a length that is no number", `POST /raw HTTP/1.1\r\n${json}${upgrade}Content-Length: 0x2\r\n\r\n{}`, 400],
  ["a length beyond all measure on an upgrade", `POST /raw HTTP/1.1\r\n${json}${upgrade}Content-Length: 99999999999\r\n\r\n{}`, 400],
  ["bytes that are no UTF-8 in a body", `POST /echo HTTP/1.1\r\n${json}Content-Length: 2\r\n\r\n\xff\xfe`, 400],
])("%s is refused as JSON with a message, and the server goes on", async (_what, bytes, status) => {
  const answer = await talk(bytes);
  expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(bodyOf(answer)).toEqual({ message: expect.stringMatching(/.{8}/) });
  await expectService();
});

test.each([
  ["no hexadecimal size", "zz\r\n{}\r\n0\r\n\r\n"],
  ["a size beyond all measure", "ffffffffffffffffff\r\n{}\r\n0\r\n\r\n"],
  ["less than it says", "5\r\n{}\r\n0\r\n\r\n"],
])("a chunk with %s is refused, and the server goes on", async (_what, chunks) => {
  expect(await talk(`POST /echo HTTP/1.1\r\n${json}Transfer-Encoding: chunked\r\n\r\n${chunks}`)).toMatch(/^(HTTP\/1.1 400 |$)/);
  await expectService();
});

test("a body in chunks is read whole, one byte at a time", async () => {
  const chunks = '{"Name":"abc"}'
    .split("")
    .map((c) => `1\r\n${c}\r\n`)
    .join("");
  expect(bodyOf(await talk(`POST /echo HTTP/1.1\r\n${json}Transfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`))).toEqual({ Name: "abc" });
});

test("a head that comes too slowly is answered 408 and cut", async () => {
  const answer = await talk("GET /ok HTTP/1.1\r\nHost: x\r\n", { end: false });
  expect(answer).toMatch(/^HTTP\/1.1 408 /);
  expect(bodyOf(answer)).toEqual({ message: "the request's head did not come in time" });
});

test("a body that stops before its end is refused, and the connection does not stay", async () => {
  const answer = await talk(`POST /echo HTTP/1.1\r\n${json}Content-Length: 20\r\n\r\n{"Name":`, { end: false });
  expect(answer).toMatch(/^HTTP\/1.1 400 /);
  expect(bodyOf(answer)).toEqual({ message: expect.stringContaining("stopped before its end") });
});

test("the body of an upgrade that stops before its end ends the connection", async () => {
  expect(await talk(`POST /raw HTTP/1.1\r\n${json}${upgrade}Content-Length: 20\r\n\r\n{"Name":`, { end: false })).toBe("");
  await expectService();
});

test("a request cut in the middle costs nothing", async () => {
  for (const part of [
    "P",
    "POST /echo HTT",
    `POST /echo HTTP/1.1\r\n${json}Content-Length: 9\r\n\r\n{"N`,
    `POST /raw HTTP/1.1\r\n${json}${upgrade}Content-Length: 9\r\n\r\n{`,
  ]) {
    await talk(part);
  }
  await expectService();
});

test("an upgrade with a body in chunks is one all the same", async () => {
  const answer = await talk(`POST /raw HTTP/1.1\r\n${json}${upgrade}Transfer-Encoding: chunked\r\n\r\ne\r\n{"Name":"abc"}\r\n0\r\n\r\nrest`);
  expect(answer).toMatch(/^HTTP\/1.1 101 UPGRADED\r\nContent-Type: application\/vnd.docker.raw-stream\r\n/);
  expect(answer).toMatch(/body \{"Name":"abc"\} input rest$/);
});

test("an upgrade to what nobody speaks, on a path that does not upgrade, gets an ordinary answer", async () => {
  for (const protocol of ["websocket", "h2c", "\x01\x02"]) {
    expect(await talk(`GET /ok HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`)).toMatch(/^HTTP\/1.1 (200|400) /);
  }
  await expectService();
});

test("a hundred requests sent at once on one connection are answered in order", async () => {
  const requests = Array.from({ length: 100 }, (_, i) => {
    const body = `{"Name":"${i}"}`;
    return `POST /echo HTTP/1.1\r\n${json}Content-Length: ${body.length}\r\n\r\n${body}`;
  });
  const answer = await talk(requests.join(""));
  expect(answer.match(/"Name":"\d+"/g)).toEqual(Array.from({ length: 100 }, (_, i) => `"Name":"${i}"`));
});
