import { mkdtempSync, rmSync } from "node:fs";
import { type IncomingMessage, type Server, createServer } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { EngineClient, type Endpoint } from "./client.ts";

/** What the server of these tests heard, and what it says by path. */
let dir = "";
let socket = "";
let server: Server;
const heard: string[] = [];

async function answer(request: IncomingMessage): Promise<{ status: number; body: string }> {
  heard.push(`${request.method} ${request.url} ${await text(request)}`);
  const path = (request.url ?? "").replace(/^\/v1\.\d+/, "").replace(/\?.*/, "");
  if (path === "/json") return { status: 200, body: '{"a":1}\n' };
  if (path === "/none") return { status: 204, body: "" };
  if (path === "/lines") return { status: 200, body: '{"n":1}\n{"n":2}\n{"n":3}' };
  if (path === "/plain") return { status: 500, body: "it broke\n" };
  return { status: 404, body: '{"message":"No such container: x"}' };
}

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "client-"));
  socket = join(dir, "s.sock");
  server = createServer((request, response) => {
    if (request.url?.includes("/forever") === true) {
      response.write('{"n":1}\n');
      return;
    }
    void answer(request).then(({ status, body }) => response.writeHead(status).end(body));
  });
  server.on("upgrade", (request, stream, head) => {
    const body = head.toString();
    stream.write("HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nearly ");
    void text(stream).then((input) => stream.end(`${request.url} body ${body} input ${input}`));
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(dir, { recursive: true });
});

const endpoints: [string, () => Endpoint][] = [
  ["a socket", () => ({ kind: "socket", path: socket })],
  [
    "a dialled stream",
    () => ({
      kind: "dial",
      dial: () =>
        new Promise((resolve) => {
          const stream = connect({ path: socket, allowHalfOpen: true }, () => resolve(stream));
        }),
    }),
  ],
];

test.each(endpoints)("JSON goes both ways over %s", async (_name, endpoint) => {
  const client = new EngineClient(endpoint(), { version: "1.44" });
  heard.length = 0;
  expect(await client.json("POST", "/json", { json: { b: 2 }, query: { all: true, name: "x y", absent: undefined } })).toEqual({ a: 1 });
  expect(heard).toEqual(['POST /v1.44/json?all=true&name=x+y {"b":2}']);
  expect(await client.json("DELETE", "/none")).toBeUndefined();
});

test("a body that is a stream is sent chunk by chunk", async () => {
  const client = new EngineClient({ kind: "socket", path: socket });
  heard.length = 0;
  await client.call("POST", "/json", {
    body: (async function* () {
      yield Buffer.from("one ");
      yield Buffer.from("two");
    })(),
  });
  expect(heard).toEqual(["POST /v1.51/json one two"]);
});

test("a refusal rejects with the class of its status and the engine's sentence", async () => {
  const client = new EngineClient({ kind: "socket", path: socket });
  await expect(client.json("GET", "/what")).rejects.toMatchObject({ class: "notFound", message: "No such container: x" });
  await expect(client.json("GET", "/plain")).rejects.toMatchObject({ class: "internal", message: "it broke" });
});

test("an engine that is not there is unavailable, with its address", async () => {
  const client = new EngineClient({ kind: "socket", path: join(dir, "nobody.sock") });
  await expect(client.json("GET", "/json")).rejects.toMatchObject({ class: "unavailable", message: expect.stringContaining("nobody.sock") as string });
});

test("lines come one by one, also without a last newline", async () => {
  const client = new EngineClient({ kind: "socket", path: socket });
  const seen: unknown[] = [];
  for await (const line of client.lines("GET", "/lines")) seen.push(line);
  expect(seen).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
});

test("aborting ends a stream that would go on", async () => {
  const client = new EngineClient({ kind: "socket", path: socket });
  const stop = new AbortController();
  const seen: unknown[] = [];
  for await (const line of client.lines("GET", "/forever", { signal: stop.signal })) {
    seen.push(line);
    stop.abort();
  }
  expect(seen).toEqual([{ n: 1 }]);
  await expect(client.json("GET", "/forever", { signal: AbortSignal.timeout(20) })).rejects.toBeDefined();
});

test.each(endpoints)("a hijacked connection over %s hands over what came early, and half-closes", async (_name, endpoint) => {
  const { stream, multiplexed } = await new EngineClient(endpoint()).hijack("/attach", { query: { stdin: 1 }, json: { Tty: false } });
  expect(multiplexed).toBe(true);
  stream.end("typed");
  expect(await text(stream)).toBe('early /v1.51/attach?stdin=1 body {"Tty":false} input typed');
});

test("a hijack that is refused rejects with the engine's sentence", async () => {
  const refusing = createServer((_request, response) => response.writeHead(409).end('{"message":"is paused"}'));
  const path = join(dir, "refusing.sock");
  await new Promise<void>((resolve) => refusing.listen(path, resolve));
  await expect(new EngineClient({ kind: "socket", path }).hijack("/x")).rejects.toMatchObject({ class: "conflict", message: "is paused" });
  await new Promise((resolve) => refusing.close(resolve));
});
