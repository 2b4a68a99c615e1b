import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { EngineError } from "#base/errors.ts";
import type { Bridge, StreamOpen } from "#bridge/bridge.ts";
import { createBridge } from "#bridge/client.ts";
import { domPort, portTransport } from "#bridge/messageport.ts";
import { type HostApi, serveBridge } from "#bridge/serve.ts";
import { dialPath } from "./dial.ts";
import { type Dial, EngineConnection } from "./engine.ts";

// The whole way from a window's bridge to a real HTTP server on a unix socket.
let dir = "";
let engine: Server;
let bridge: Bridge & Disposable;
let serve: (request: IncomingMessage, response: ServerResponse) => void;
let upgraded: (request: IncomingMessage, socket: Socket, head: Buffer) => void;
let dial: Dial;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "slipway-engine-"));
  const path = join(dir, "engine.sock");
  engine = createServer((request, response) => serve(request, response));
  engine.on("upgrade", (request, socket, head) => upgraded(request, socket as Socket, head));
  engine.listen(path);
  await once(engine, "listening");
  dial = () => dialPath(path);
  const connection = new EngineConnection((opts) => dial(opts));
  bridge = createBridge(async () => {
    const { port1, port2 } = new MessageChannel();
    serveBridge(portTransport(domPort(port2)), {
      calls: { "engine.request": (request, opts) => connection.request(request, opts) } as Partial<HostApi> as HostApi,
      stream: (open, stream) => connection.stream(open, stream),
      onEvent: () => ({ [Symbol.dispose]: () => undefined }),
    });
    return portTransport(domPort(port1));
  });
});
afterEach(async () => {
  bridge[Symbol.dispose]();
  const closed = new Promise((resolve) => engine.close(resolve));
  engine.closeAllConnections();
  await closed;
  rmSync(dir, { recursive: true, force: true });
});

async function textOf(source: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const bytes of source) parts.push(bytes);
  return Buffer.concat(parts).toString();
}
const open = (kind: StreamOpen["kind"], request: Partial<StreamOpen["request"]> = {}): StreamOpen => ({
  kind,
  request: { method: "POST", path: "/x", ...request },
  windowBytes: 64 * 1024,
});

test("a request carries its method, path, headers and JSON body, and the answer its status, headers and JSON", async () => {
  serve = (request, response) => {
    void textOf(request).then((body) => {
      response.writeHead(201, { "content-type": "application/json", "docker-experimental": "false" });
      response.end(
        JSON.stringify({ method: request.method, url: request.url, type: request.headers["content-type"], auth: request.headers["x-registry-auth"], body }),
      );
    });
  };
  const answer = await bridge.call("engine.request", {
    method: "POST",
    path: "/containers/create?name=a%20b",
    headers: { "X-Registry-Auth": "e30=" },
    body: { Image: "ü" },
  });
  expect(answer).toMatchObject({ status: 201, headers: { "docker-experimental": "false" } });
  expect(answer.body).toEqual({ method: "POST", url: "/containers/create?name=a%20b", type: "application/json", auth: "e30=", body: '{"Image":"ü"}' });
});

test.each([
  [204, undefined, "", undefined],
  [200, "text/plain", "OK", "OK"],
  [404, "application/json", '{"message":"No such container: x"}', { message: "No such container: x" }],
  [200, "application/json", '{"status":"a"}\n{"status":"b"}\n', '{"status":"a"}\n{"status":"b"}\n'],
])("an answer of status %i and type %s is given as it is", async (status, type, text, body) => {
  serve = (_request, response) => {
    if (type !== undefined) response.setHeader("content-type", type);
    response.statusCode = status;
    response.end(text);
  };
  const answer = await bridge.call("engine.request", { method: "GET", path: "/x" });
  expect([answer.status, answer.body]).toEqual([status, body]);
});

test("an engine that is not there is unavailable, for a request and for a stream", async () => {
  dial = () => dialPath(join(dir, "nobody.sock"));
  await expect(bridge.call("engine.request", { method: "GET", path: "/x" })).rejects.toMatchObject({ class: "unavailable" });
  await expect(bridge.stream(open("download")).head).rejects.toMatchObject({ class: "unavailable" });
});

test("the reason a machine gives for not connecting reaches the window", async () => {
  dial = () => Promise.reject(new EngineError("unavailable", "the machine is stopped"));
  await expect(bridge.call("engine.request", { method: "GET", path: "/x" })).rejects.toMatchObject({ class: "unavailable", message: "the machine is stopped" });
});

test("an engine that dies in the middle of an answer is an error, never a short answer", async () => {
  serve = (_request, response) => {
    response.writeHead(200, { "content-type": "application/x-tar" });
    response.write("first", () => setTimeout(() => response.destroy(), 20));
  };
  await expect(bridge.call("engine.request", { method: "GET", path: "/x" })).rejects.toMatchObject({ class: "unavailable" });
  const stream = bridge.stream(open("download"));
  expect((await stream.head).status).toBe(200);
  await expect(textOf(stream.bytes)).rejects.toMatchObject({ class: "unavailable" });
});

test("a download's bytes come as the engine writes them, and a slow reader slows the engine", async () => {
  let written = 0;
  let blocked = false;
  serve = (_request, response) => {
    const chunk = Buffer.alloc(64 * 1024, 7);
    const write = (): void => {
      while (written < 256) {
        written += 1;
        if (!response.write(chunk)) {
          blocked = true;
          response.once("drain", write);
          return;
        }
      }
      response.end();
    };
    write();
  };
  const stream = bridge.stream(open("download", { method: "GET" }));
  await stream.head;
  for (let i = 0; i < 20; i += 1) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(blocked).toBe(true);
  expect(written).toBeLessThan(100);
  let bytes = 0;
  for await (const part of stream.bytes) bytes += part.byteLength;
  expect(bytes).toBe(256 * 64 * 1024);
});

test("a reader that leaves ends the engine's answer", async () => {
  const ended = Promise.withResolvers<void>();
  serve = (_request, response) => {
    response.once("close", () => ended.resolve());
    response.write("line\n");
  };
  for await (const _bytes of bridge.stream(open("download", { method: "GET" })).bytes) break;
  await ended.promise;
  expect(true).toBe(true);
});

test("an upload's bytes are the request's body", async () => {
  serve = (request, response) => {
    void textOf(request).then((body) => response.end(`${request.headers["content-type"]} ${body.length}`));
  };
  const stream = bridge.stream(open("upload", { headers: { "content-type": "application/x-tar" } }));
  for (let i = 0; i < 100; i += 1) await stream.write(new Uint8Array(10_000));
  stream.end();
  expect(await textOf(stream.bytes)).toBe("application/x-tar 1000000");
});

test("an upload that the window closes is broken off, not completed", async () => {
  const outcome = Promise.withResolvers<string>();
  serve = (request) => {
    textOf(request).then(
      () => outcome.resolve("whole"),
      () => outcome.resolve("broken off"),
    );
  };
  const stream = bridge.stream(open("upload"));
  await stream.write(new Uint8Array(1000));
  await new Promise((resolve) => setTimeout(resolve, 50));
  stream.close();
  expect(await outcome.promise).toBe("broken off");
});

test("an engine that refuses an upload before it is over is heard", async () => {
  serve = (request, response) => {
    request.resume();
    response.writeHead(400, { "content-type": "application/json" });
    response.end('{"message":"no"}');
  };
  const stream = bridge.stream(open("upload"));
  const writing = (async () => {
    for (let i = 0; i < 1000; i += 1) await stream.write(new Uint8Array(64 * 1024));
  })().catch(() => undefined);
  expect((await stream.head).status).toBe(400);
  expect(await textOf(stream.bytes)).toBe('{"message":"no"}');
  await writing; // nobody leaves it waiting for room
});

const accept = "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";

test("an upgraded stream sends its JSON body first and then carries bytes both ways, half-closed by the window", async () => {
  upgraded = (request, socket, head) => {
    socket.write(`${accept}first `);
    let got = head.toString();
    socket.on("data", (bytes) => (got += String(bytes)));
    socket.on("end", () => socket.end(`${request.headers["upgrade"]} got ${got}`));
  };
  const stream = bridge.stream(open("upgrade", { body: { Tty: true } }));
  expect((await stream.head).status).toBe(101);
  await stream.write(Buffer.from("typed"));
  stream.end();
  expect(await textOf(stream.bytes)).toMatch(/^first tcp got (\{"Tty":true\})?typed$/);
});

test("an upgraded stream that the engine half-closes still carries what the window writes", async () => {
  const late = Promise.withResolvers<string>();
  upgraded = (_request, socket) => {
    socket.end(accept);
    void textOf(socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>).then(late.resolve);
  };
  const stream = bridge.stream(open("upgrade"));
  await stream.head;
  await stream.write(Buffer.from("late"));
  stream.end();
  expect(await late.promise).toContain("late");
});

test("an upgrade that the engine refuses is an answer with its body", async () => {
  upgraded = (_request, socket) =>
    socket.end('HTTP/1.1 409 Conflict\r\nContent-Type: application/json\r\nContent-Length: 29\r\n\r\n{"message":"it is not running');
  const stream = bridge.stream(open("upgrade"));
  expect((await stream.head).status).toBe(409);
  expect(await textOf(stream.bytes)).toBe('{"message":"it is not running');
});

test("headers that describe the connection are not the window's to set", async () => {
  serve = (request, response) => response.setHeader("content-type", "application/json").end(JSON.stringify(request.headers));
  const headers = { Host: "evil", Connection: "keep-alive", "Transfer-Encoding": "chunked", "Content-Length": "7", "X-Own": "1" };
  const answer = await bridge.call("engine.request", { method: "GET", path: "/x", headers });
  expect(answer.body).toEqual({ host: "slipway", connection: "close", "x-own": "1" });
});
