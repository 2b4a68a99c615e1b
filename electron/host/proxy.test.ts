import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { type Server, type Socket, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { EngineError } from "#base/errors.ts";
import { dialPath } from "./dial.ts";
import { serveDockerSocket } from "./proxy.ts";

let dir = "";
let engine: Server | undefined;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "slipway-proxy-"));
});
afterEach(async () => {
  if (engine !== undefined) await new Promise((resolve) => engine?.close(resolve));
  engine = undefined;
  rmSync(dir, { recursive: true, force: true });
});

/** A real server on a real socket in the engine's place, and the proxy before it. */
async function serve(onClient: (client: Socket) => void): Promise<AsyncDisposable & { readonly path: string }> {
  const behind = join(dir, "engine.sock");
  engine = createServer({ allowHalfOpen: true }, onClient).listen(behind);
  await once(engine, "listening");
  const path = join(dir, "docker.sock");
  const proxy = await serveDockerSocket({ path, dial: () => dialPath(behind) });
  return { path, [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose]() };
}

async function textOf(socket: Socket): Promise<string> {
  let text = "";
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) text += String(chunk);
  return text;
}

test("a client that ends its direction still gets the whole answer", async () => {
  await using proxy = await serve((client) => {
    void textOf(client).then((text) => client.end(`got ${text}`));
  });
  const client = connect({ path: proxy.path, allowHalfOpen: true });
  client.end("input");
  expect(await textOf(client)).toBe("got input");
});

test("an engine that ends its direction still gets what the client writes", async () => {
  const got = Promise.withResolvers<string>();
  await using proxy = await serve((client) => {
    client.end("bye");
    void textOf(client).then(got.resolve);
  });
  const client = connect({ path: proxy.path, allowHalfOpen: true });
  expect(await textOf(client)).toBe("bye");
  client.end("late input");
  expect(await got.promise).toBe("late input");
});

test("an engine that writes to a client that is gone learns of it", async () => {
  const gone = Promise.withResolvers<void>();
  await using proxy = await serve((client) => {
    client.on("error", () => undefined);
    client.once("close", () => gone.resolve());
    // A unix socket tells a full close from a half-close only to who writes: as dockerd itself finds out.
    const write = (): void => void (client.destroyed || client.write("log line\n", () => setImmediate(write)));
    write();
  });
  const client = connect(proxy.path);
  await once(client, "data");
  client.destroy();
  await gone.promise;
  expect(client.destroyed).toBe(true);
});

test("an engine that breaks the connection breaks the client's", async () => {
  await using proxy = await serve((client) => {
    client.once("data", () => client.destroy());
  });
  const client = connect({ path: proxy.path, allowHalfOpen: true });
  client.on("error", () => undefined);
  client.write("hello");
  expect(await textOf(client).catch(() => "broken")).toMatch(/^(broken)?$/);
});

test("the socket is its owner's alone and goes with the proxy", async () => {
  const proxy = await serve((client) => client.end());
  expect(statSync(proxy.path).mode & 0o777).toBe(0o600);
  await proxy[Symbol.asyncDispose]();
  expect(() => statSync(proxy.path)).toThrow("ENOENT");
});

test("while there is no engine a client is told why, in HTTP", async () => {
  const path = join(dir, "docker.sock");
  await using _proxy = await serveDockerSocket({ path, dial: () => Promise.reject(new EngineError("unavailable", "the machine is stopped: start it")) });
  const call = request({ socketPath: path, path: "/_ping" });
  call.end();
  const [answer] = (await once(call, "response")) as [IncomingMessage];
  let text = "";
  for await (const chunk of answer) text += String(chunk);
  expect(answer.statusCode).toBe(503);
  expect(JSON.parse(text)).toEqual({ message: "the machine is stopped: start it" });
});

test("a file that is no socket is left alone and named", async () => {
  const path = join(dir, "docker.sock");
  writeFileSync(path, "precious");
  await expect(serveDockerSocket({ path, dial: () => dialPath("/nowhere") })).rejects.toMatchObject({
    class: "conflict",
    message: expect.stringContaining(path) as string,
  });
});

test("a socket somebody serves is not taken from them", async () => {
  await using proxy = await serve((client) => client.end());
  await expect(serveDockerSocket({ path: proxy.path, dial: () => dialPath("/nowhere") })).rejects.toMatchObject({ class: "conflict" });
});

test("a socket whose file is taken away is put back by itself; a connection made before goes on", async () => {
  await using proxy = await serve((client) => client.pipe(client));
  const before = connect(proxy.path);
  await once(before, "connect");
  rmSync(proxy.path);
  await vi.waitFor(() => existsSync(proxy.path) || Promise.reject(new Error("not yet")), { timeout: 20_000 });
  const after = connect(proxy.path);
  for (const client of [before, after]) {
    client.end("still here");
    expect(await textOf(client)).toBe("still here");
  }
  expect(statSync(proxy.path).mode & 0o777).toBe(0o600);
});

test("what another program has put in the socket's place is left alone, and said when a repair is asked for", async () => {
  const path = join(dir, "docker.sock");
  await using socket = await serveDockerSocket({ path, dial: () => Promise.reject(new EngineError("unavailable", "none")) });
  expect(await socket.restore()).toBe(false);
  rmSync(path);
  writeFileSync(path, "theirs");
  await expect(socket.restore()).rejects.toMatchObject({ class: "conflict" });
});
