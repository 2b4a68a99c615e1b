import { once } from "node:events";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { Agent, get, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { EngineError } from "#base/errors.ts";
import { silentJournal } from "#core/journal/journal.ts";
import { ApiServer } from "./http.ts";
import { route } from "./router.ts";
import { raw, shape } from "./test-routes.ts";

const seen: unknown[] = [];
const routes = [
  route("GET", "/ok", () => ({ status: 200, json: { a: 1 } })),
  route("GET", "/none", () => ({ status: 204 })),
  route("GET", "/fail/{class}", ({ params }) => {
    throw new EngineError(params.class as "notFound", `no such thing: ${params.class}`);
  }),
  route("GET", "/bug", () => {
    throw new TypeError("x is undefined");
  }),
  route("POST", "/echo", async ({ json }) => ({ status: 201, json: await json(shape) })),
  route("GET", "/wait", async ({ signal }) => {
    seen.push("waiting");
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    seen.push("gone");
    return { status: 200 };
  }),
  route("GET", "/cut", () => ({
    status: 200,
    stream: (async function* () {
      yield "first\n";
      await new Promise((resolve) => setImmediate(resolve));
      throw new Error("disk on fire");
    })(),
  })),
  route("GET", "/again", () => ({ status: 200, stream: sameMemory() })),
  raw,
];

/** 64 pieces of 16 KiB, a letter each. */
async function* sameMemory(): AsyncGenerator<Buffer> {
  const memory = Buffer.alloc(16 * 1024);
  for (let piece = 0; piece < 64; piece++) yield memory.fill(0x40 + piece);
}

let dir = "";
let socket = "";
let server: ApiServer;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "http-"));
  socket = join(dir, "s.sock");
  server = new ApiServer(routes, silentJournal);
  await server.listen(socket, { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, mode: 0o600 });
  seen.length = 0;
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true });
});

/** Sends `parts` one after another on one connection, half-closes, and reads to the end. */
async function talk(...parts: string[]): Promise<string> {
  const client = connect({ path: socket, allowHalfOpen: true });
  let answer = "";
  client.on("data", (chunk: Buffer) => (answer += chunk.toString()));
  // A server that refuses may close while we still write: what it answered counts.
  client.on("error", () => {});
  for (const part of parts) {
    client.write(part);
    await new Promise((resolve) => setImmediate(resolve));
  }
  client.end();
  await new Promise((resolve) => client.once("close", resolve));
  return answer;
}
const request = (method: string, path: string, headers = "", body = "") => `${method} ${path} HTTP/1.1\r\nHost: x\r\n${headers}\r\n${body}`;
const jsonHeaders = (body: string) => `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n`;
const post = (path: string, body: string, more = "") => request("POST", path, jsonHeaders(body) + more, body);

test("the socket is its owner's alone", () => {
  expect(statSync(socket).mode & 0o777).toBe(0o600);
});

test("an answer carries the engine's headers, with and without a version in the path", async () => {
  for (const path of ["/ok", "/v1.24/ok", "/v1.51/ok"]) {
    const answer = await talk(request("GET", path));
    expect(answer).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    expect(answer).toContain("Api-Version: 1.51\r\n");
    expect(answer).toContain("Ostype: linux\r\n");
    expect(answer).toMatch(/Server: Docker\/28\.5\.\d+ \(linux\)\r\n/);
    expect(answer).toContain("Content-Type: application/json\r\n");
    expect(answer).toMatch(/\r\n\r\n\{"a":1\}\n$/);
  }
});

test.each([
  ["GET", "/nope", 404, '{"message":"page not found"}'],
  ["PUT", "/ok", 404, '{"message":"page not found"}'],
  ["GET", "/v1.99/ok", 400, '{"message":"client version 1.99 is too new. Maximum supported API version is 1.51"}'],
  ["GET", "/v1.1/ok", 400, "is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version"],
  ["GET", "/fail/notFound", 404, '{"message":"no such thing: notFound"}'],
  ["GET", "/fail/conflict", 409, '{"message":"no such thing: conflict"}'],
  ["GET", "/bug", 500, '{"message":"x is undefined"}'],
  ["GET", "/fail/%zz", 400, "percent-encoding"],
])("%s %s answers %i", async (method, path, status, body) => {
  const answer = await talk(request(method, path));
  expect(answer).toContain(`HTTP/1.1 ${status} `);
  expect(answer).toContain(body);
});

test("204 and 304 have no body", async () => {
  expect(await talk(request("GET", "/none"))).toMatch(/^HTTP\/1.1 204 No Content\r\n[^]*\r\n\r\n$/);
  expect(await talk(request("GET", "/fail/notModified"))).toMatch(/^HTTP\/1.1 304 Not Modified\r\n[^]*\r\n\r\n$/);
});

test.each([
  ["{bad", "invalid JSON: invalid character 'b' looking for beginning of object key string"],
  ["", "invalid JSON: got EOF while reading request body"],
  ['{"Name":5}', "invalid JSON: json: cannot unmarshal number into Go struct field Request.Name of type string"],
])("a body of %s is refused as dockerd refuses it", async (body, message) => {
  const chunked = body === "" ? request("POST", "/echo", "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n") : post("/echo", body);
  const answer = await talk(chunked);
  expect(answer).toContain("HTTP/1.1 400 ");
  expect(answer).toContain(JSON.stringify({ message }));
});

test("a body that is no JSON by its type is refused", async () => {
  const answer = await talk(request("POST", "/echo", "Content-Type: text/plain\r\nContent-Length: 2\r\n", "{}"));
  expect(answer).toContain("unsupported Content-Type header (text/plain): must be 'application/json'");
});

test("a body over the limit is refused, and the server goes on", async () => {
  const large = `{"Name":"${"x".repeat(5 * 1024 * 1024)}"}`;
  expect(await talk(post("/echo", large))).toContain("larger than");
  expect(await talk(request("GET", "/ok"))).toContain("200 OK");
});

test("two requests on one connection are answered in order", async () => {
  const answer = await talk(post("/echo", '{"Name":"a"}') + post("/echo", '{"Name":"b"}'));
  expect(answer.match(/"Name":"."/g)).toEqual(['"Name":"a"', '"Name":"b"']);
});

test("a handler learns that its client is gone", async () => {
  const client = connect(socket);
  client.write(request("GET", "/wait"));
  await expect.poll(() => seen).toEqual(["waiting"]);
  client.destroy();
  await expect.poll(() => seen).toEqual(["waiting", "gone"]);
});

test("a stream may hand out the same memory again and again; the connection stays good for the next request", async () => {
  using agent = Object.assign(new Agent({ keepAlive: true, maxSockets: 1 }), { [Symbol.dispose]: () => agent.destroy() });
  const whole = Array.from({ length: 64 }, (_, piece) => String.fromCharCode(0x40 + piece).repeat(16 * 1024)).join("");
  for (const reused of [false, true]) {
    const sent = get({ socketPath: socket, path: "/again", agent });
    const [answer] = (await once(sent, "response")) as [IncomingMessage];
    const body = (await Array.fromAsync(answer as AsyncIterable<Buffer>)).join("");
    expect({ whole: body === whole, reused: sent.reusedSocket }).toEqual({ whole: true, reused });
  }
});

test("a stream that fails is cut, not ended", async () => {
  const answer = await talk(request("GET", "/cut"));
  expect(answer).toContain("first\n");
  expect(answer).not.toMatch(/\r\n0\r\n\r\n$/);
});

test("junk is refused and the server goes on", async () => {
  expect(await talk("\x16\x03\x01 this is no HTTP\r\n\r\n")).toContain("HTTP/1.1 400 Bad Request");
  expect(await talk(`GET /ok HTTP/1.1\r\nX: ${"y".repeat(2 * 1024 * 1024)}\r\n\r\n`)).toContain("HTTP/1.1 431 ");
  expect(await talk("GET /ok")).not.toContain("200 OK");
  expect(await talk(request("GET", "/ok"))).toContain("200 OK");
});

test("h2c offered on an ordinary request is ignored", async () => {
  expect(await talk(request("GET", "/ok", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"))).toContain("200 OK");
});

const upgrade = "Connection: Upgrade\r\nUpgrade: tcp\r\n";
test("an upgrade answers 101, reads the body, and hands over what came early and late until the client half-closes", async () => {
  const answer = await talk(`${post("/raw", '{"Name":"a"}', upgrade)}early `, "late");
  expect(answer).toMatch(/^HTTP\/1.1 101 UPGRADED\r\nContent-Type: application\/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n/);
  expect(answer).toMatch(/body \{"Name":"a"\} input early late$/);
});

test("a body that arrives in pieces is whole before the connection is taken over", async () => {
  const head = post("/raw", '{"Name":"abc"}', upgrade);
  const answer = await talk(head.slice(0, -6), head.slice(-6, -2), `${head.slice(-2)}x`);
  expect(answer).toMatch(/body \{"Name":"abc"\} input x$/);
});

const inChunks = (...chunks: readonly string[]): string =>
  request("POST", "/raw", `Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n${upgrade}`, chunks.join(""));

test("an upgrade whose body in chunks never comes to its end is refused when it is too long", async () => {
  expect(await talk(inChunks("0\r\n", "nobody: needs this\r\n".repeat(500_000)))).toMatch(/^HTTP\/1.1 400 [^]*larger than/);
});

test("a body in chunks is read before an upgrade, too, however it arrives", async () => {
  const whole = inChunks('5;x=y\r\n{"Nam\r\n', '9\r\ne":"abc"}\r\n', "0\r\nTrailer: t\r\n\r\n");
  expect(await talk(`${whole}early`)).toMatch(/^HTTP\/1.1 101 [^]*body \{"Name":"abc"\} input early$/);
  expect(await talk(...whole.match(/[^]{1,7}/g)!, "late")).toMatch(/body \{"Name":"abc"\} input late$/);
});

test.each([
  ["what is no size", "x\r\n"],
  ["a chunk that does not end", "2\r\nabc\r\n"],
  ["a size without an end", "1".repeat(2_000)],
])("an upgrade whose body in chunks has %s is refused", async (_, body) => {
  expect(await talk(inChunks(body))).toMatch(/^HTTP\/1.1 400 [^]*malformed chunked encoding/);
});

test("without an upgrade the same path answers 200 on a connection that becomes raw", async () => {
  const client = connect({ path: socket, allowHalfOpen: true });
  client.write(post("/raw", '{"Name":"a"}'));
  const reader = client[Symbol.asyncIterator]();
  let answer = String((await reader.next()).value);
  client.end("GET / HTTP/1.1 is only input here");
  for (let part = await reader.next(); part.done !== true; part = await reader.next()) answer += String(part.value);
  expect(answer).toMatch(/^HTTP\/1.1 200 OK\r\nContent-Type: application\/vnd.docker.raw-stream\r\n\r\n/);
  expect(answer).toMatch(/body \{"Name":"a"\} input GET \/ HTTP\/1.1 is only input here$/);
});

test("an upgrade of a path that fails gets its error as an ordinary answer", async () => {
  const answer = await talk(post("/raw", "{bad", upgrade));
  expect(answer).toContain("HTTP/1.1 400 ");
  expect(answer).toContain("invalid JSON");
});

test("a socket that another engine serves is not taken away; a dead one is replaced", async () => {
  await using second = new ApiServer(routes, silentJournal);
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, mode: 0o600 };
  await expect(second.listen(socket, owner)).rejects.toMatchObject({ class: "conflict" });
  const file = join(dir, "file");
  writeFileSync(file, "");
  await expect(second.listen(file, owner)).rejects.toMatchObject({ class: "invalidArgument" });
});
