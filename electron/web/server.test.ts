import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { WebSocket } from "ws";
import type { HostInfo } from "#bridge/bridge.ts";
import { encodeFrame, encodeJson } from "#bridge/frames.ts";
import { contentSecurityPolicy } from "#bridge/policy.ts";
import type { HostApi } from "#bridge/serve.ts";
import { type WebServer, serveWeb } from "./server.ts";
import { readFiles } from "./static.ts";

const info: HostInfo = { version: "1", platform: "linux", mode: "browser", socketPath: "/s", home: "/home/me", portHost: "localhost" };
let dir = "";
let server: WebServer;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "slipway-web-"));
  mkdirSync(join(dir, "site", "assets"), { recursive: true });
  writeFileSync(join(dir, "site", "index.html"), "<title>Slipway</title>");
  writeFileSync(join(dir, "site", "assets", "main-abc.js"), "export {};");
  writeFileSync(join(dir, "secret.txt"), "outside");
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));
beforeEach(async () => {
  server = await serveWeb({
    port: 0,
    files: await readFiles(join(dir, "site")),
    bridge: {
      calls: { "host.info": async () => info } as Partial<HostApi> as HostApi,
      stream: async () => undefined,
      onEvent: () => ({ [Symbol.dispose]: () => undefined }),
    },
  });
});
afterEach(() => server[Symbol.asyncDispose]());

const authority = (): string => `127.0.0.1:${server.port}`;
const origin = (): string => `http://${authority()}`;
const token = (): string => new URL(server.url()).hash.slice("#token=".length);

interface Got {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
}

async function ask(method: string, path: string, headers: Record<string, string> = {}, body?: string): Promise<Got> {
  const call = request({ host: "127.0.0.1", port: server.port, method, path, headers: { host: authority(), ...headers } });
  call.end(body);
  const [answer] = (await once(call, "response")) as [IncomingMessage];
  let text = "";
  for await (const chunk of answer) text += String(chunk);
  return { status: answer.statusCode ?? 0, headers: answer.headers, text };
}

const exchange = (given: string, headers: Record<string, string> = {}): Promise<Got> =>
  ask("POST", "/session", { origin: origin(), "content-type": "application/json", ...headers }, JSON.stringify({ token: given }));
const newKey = async (): Promise<string> => (JSON.parse((await exchange(token())).text) as { key: string }).key;

test("the page comes with its policy, without cookies and without leave for other origins", async () => {
  const { status, headers, text } = await ask("GET", "/");
  expect([status, text]).toEqual([200, "<title>Slipway</title>"]);
  expect(headers).toMatchObject({
    "content-security-policy": contentSecurityPolicy,
    "x-content-type-options": "nosniff",
    "content-type": "text/html; charset=utf-8",
    "referrer-policy": "no-referrer",
  });
  expect(headers["set-cookie"]).toBeUndefined();
  expect(headers["access-control-allow-origin"]).toBeUndefined();
  expect((await ask("GET", "/assets/main-abc.js")).headers["content-type"]).toBe("text/javascript; charset=utf-8");
});

test("an open page finds its parts after a build has replaced the folder", async () => {
  const built = join(dir, "site", "assets", "main-abc.js");
  rmSync(built);
  try {
    expect(await ask("GET", "/assets/main-abc.js")).toMatchObject({ status: 200, text: "export {};" });
  } finally {
    writeFileSync(built, "export {};");
  }
});

test.each(["/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/assets/../../secret.txt", "//etc/passwd", "/assets"])(
  "%s leads nowhere",
  async (path) => {
    const { status, text } = await ask("GET", path);
    expect(status).toBe(404);
    expect(text).not.toContain("outside");
  },
);

test("a token opens one session only, and the next address has another", async () => {
  const first = token();
  let used = 0;
  server.onUsed(() => (used += 1));
  const opened = await exchange(first);
  expect(opened.status).toBe(200);
  expect((JSON.parse(opened.text) as { key: string }).key).toMatch(/^[\w-]{43}$/);
  expect(used).toBe(1);
  expect((await exchange(first)).status).toBe(403);
  expect(token()).not.toBe(first);
  expect((await exchange(token())).status).toBe(200);
});

test.each([
  ["a guessed token", "AAAA"],
  ["no token", ""],
  ["a token far too long", "x".repeat(10_000)],
])("%s gives no key", async (_, given) => {
  const { status, text } = await exchange(given);
  expect(status).toBeGreaterThanOrEqual(400);
  expect(text).not.toContain("key");
  expect((await exchange(token())).status).toBe(200);
});

test.each([
  ["another name for this computer", { host: "evil.example:80" }],
  ["localhost, whose ports share a name with containers' pages", { host: "localhost" }],
  ["another origin", { origin: "http://127.0.0.1:8080" }],
  ["an opaque origin", { origin: "null" }],
  ["another site's page", { "sec-fetch-site": "cross-site" }],
  ["another port's page", { "sec-fetch-site": "same-site" }],
])("requests are refused from %s: files, session and bridge alike", async (_, headers) => {
  expect((await ask("GET", "/", headers)).status).toBe(403);
  const before = token();
  expect((await exchange(before, headers)).status).toBe(403);
  expect(token()).toBe(before);
  expect(await upgrade("/bridge", { origin: origin(), ...headers })).toBe(403);
});

test("a link on another site may lead to the page, as a document of its own only", async () => {
  const from = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" };
  expect((await ask("GET", "/", { ...from, "sec-fetch-dest": "document" })).status).toBe(200);
  expect((await ask("GET", "/", { ...from, "sec-fetch-dest": "iframe" })).status).toBe(403);
});

test("a session is not given without an origin, nor to a form", async () => {
  expect((await ask("POST", "/session", { "content-type": "application/json" }, JSON.stringify({ token: token() }))).status).toBe(403);
  expect((await exchange(token(), { "content-type": "text/plain" })).status).toBe(415);
});

test("only the bridge may be upgraded, and only by a page of ours", async () => {
  expect(await upgrade("/other", { origin: origin() })).toBe(403);
  expect(await upgrade("/bridge", {})).toBe(403);
  expect(await upgrade("/bridge", { origin: origin() })).toBe(101);
});

function upgrade(path: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const { host, ...rest } = headers;
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}${path}`, { headers: { host: host ?? authority(), ...rest } });
    socket.once("unexpected-response", (_call, answer) => {
      resolve(answer.statusCode ?? 0);
      answer.destroy();
    });
    socket.once("open", () => {
      resolve(101);
      socket.terminate();
    });
    socket.once("error", reject);
  });
}

const connect = (): WebSocket => new WebSocket(`ws://${authority()}/bridge`, { headers: { origin: origin() } });

test("the bridge answers calls after the key, and the key opens it again", async () => {
  const key = await newKey();
  for (let round = 0; round < 2; round += 1) {
    const socket = connect();
    await once(socket, "open");
    socket.send(`key ${key}`);
    const [ready] = (await once(socket, "message")) as [Buffer];
    expect(ready.toString()).toBe("ready");
    socket.send(encodeFrame("call", 1, encodeJson({ name: "host.info" })));
    const [answer] = (await once(socket, "message")) as [Buffer];
    expect(JSON.parse(answer.subarray(5).toString())).toEqual(info);
    socket.close();
    await once(socket, "close");
  }
});

test.each([
  ["a wrong key", "key AAAA"],
  ["a token in place of a key", "token"],
  ["a call before the key", encodeFrame("call", 1, encodeJson({ name: "host.info" }))],
])("%s closes the bridge as unauthorized, without an answer", async (_, first) => {
  const socket = connect();
  const messages: unknown[] = [];
  socket.on("message", (data) => messages.push(data));
  await once(socket, "open");
  socket.send(first === "token" ? `key ${token()}` : first);
  const [code] = (await once(socket, "close")) as [number];
  expect(code).toBe(4401);
  expect(messages).toEqual([]);
});

test("a port that is taken is named", async () => {
  await expect(serveWeb({ port: server.port, files: new Map(), bridge: {} as Parameters<typeof serveWeb>[0]["bridge"] })).rejects.toMatchObject({
    class: "conflict",
    message: expect.stringContaining(String(server.port)) as string,
  });
});
