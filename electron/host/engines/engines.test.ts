import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { MachineStatus } from "#api/machine.ts";
import { isClass } from "#base/errors.ts";
import { SettingsStore } from "#host/settings.ts";
import { Engines } from "./engines.ts";

const opts = { signal: new AbortController().signal };
let dir = "";
let engine: Server;
let url = "";
let engines: Engines;
let settings: SettingsStore;

/** An engine as far as it is asked here; `version` tells it from another. */
async function serve(version: string, port = 0): Promise<Server> {
  const server = createServer((request, response) => {
    response.setHeader("api-version", "1.51");
    response.setHeader("content-type", "application/json");
    response.end(request.url === "/_ping" ? '"OK"' : JSON.stringify({ Version: version, asked: request.url }));
  });
  await once(server.listen(port, "127.0.0.1"), "listening");
  return server;
}
const portOf = (server: Server): number => (server.address() as AddressInfo).port;
async function end(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "slipway-engines-"));
  engine = await serve("27.1");
  url = `tcp://127.0.0.1:${portOf(engine)}`;
  settings = await SettingsStore.open(join(dir, "settings.json"), join(dir, "bad.json"), { memoryMiB: 4096, cpus: 2, home: dir, platform: "linux" });
  engines = new Engines(settings, join(dir, "docker"));
});
afterEach(async () => {
  await engines[Symbol.asyncDispose]();
  await end(engine);
  rmSync(dir, { recursive: true, force: true });
});

function dockerContext(name: string, docker: object, certificates: readonly string[] = []): void {
  const folder = createHash("sha256").update(name).digest("hex");
  const meta = join(dir, "docker/contexts/meta", folder);
  mkdirSync(meta, { recursive: true });
  writeFileSync(join(meta, "meta.json"), JSON.stringify({ Name: name, Metadata: {}, Endpoints: { docker } }));
  const tls = join(dir, "docker/contexts/tls", folder, "docker");
  mkdirSync(tls, { recursive: true });
  for (const file of certificates) writeFileSync(join(tls, file), "");
}

test("an engine is checked, kept in the settings, reached when it is asked for, and forgotten", async () => {
  expect(await engines.check({ url }, opts)).toEqual({ reached: true, version: "27.1" });
  expect(settings.current.engines).toEqual([]);
  const { id } = await engines.add({ name: "box", url });
  expect(JSON.parse(readFileSync(join(dir, "settings.json"), "utf8"))).toMatchObject({ engines: [{ id, name: "box", url }] });
  expect(await engines.list()).toEqual([{ id, name: "box", url, source: "added", portHost: "127.0.0.1" }]);
  const connection = await engines.connection(id);
  expect(await connection.request({ method: "GET", path: "/info" }, opts)).toMatchObject({ status: 200, body: { asked: "/info" } });
  await expect.poll(async () => (await engines.status(id)).phase).toBe("running");
  await engines.remove(id);
  expect(await engines.list()).toEqual([]);
  await expect(engines.connection(id)).rejects.toSatisfy((error: unknown) => isClass(error, "notFound"));
});

test("an engine that is away says so with the cause, and is found again by itself when it is back", async () => {
  const port = portOf(engine);
  await end(engine);
  const { id } = await engines.add({ name: "box", url });
  const seen: MachineStatus[] = [];
  using _listening = engines.onStatus((event) => event.id === id && seen.push(event.status));
  await engines.status(id);
  await expect.poll(() => seen.at(-1)).toMatchObject({ phase: "failed", driver: "remote", error: { cause: "refused" } });
  engine = await serve("27.2", port);
  await engines.connect(id, opts);
  await expect.poll(() => seen.at(-1)?.phase).toBe("running");
});

test("requests that come together share one connection to an engine", async () => {
  const { id } = await engines.add({ name: "box", url });
  const asked = await Promise.all([1, 2, 3].map(() => engines.connection(id)));
  expect(new Set(asked).size).toBe(1);
});

test.each([
  ["nobody listens", () => "tcp://127.0.0.1:1", "refused"],
  ["no such socket", () => `unix://${dir}/none.sock`, "noSocket"],
  ["a name of nobody", () => "tcp://nobody.invalid:2375", "unknownHost"],
])("a check that fails says why: %s", async (_, address, cause) => {
  expect(await engines.check({ url: address() }, opts)).toMatchObject({ reached: false, cause });
});

test("something else than an engine is told from one, and a certificate that is not there by its name", async () => {
  const web = createServer((_, response) => response.end("hello"));
  await once(web.listen(0, "127.0.0.1"), "listening");
  expect(await engines.check({ url: `tcp://127.0.0.1:${portOf(web)}` }, opts)).toMatchObject({ reached: false, cause: "notEngine" });
  await end(web);
  const missing = await engines.check({ url, tls: { ca: join(dir, "ca.pem") } }, opts);
  expect(missing).toEqual({ reached: false, cause: "file", words: `there is no file ${join(dir, "ca.pem")}` });
  expect(await engines.check({ url, tls: {} }, opts)).toMatchObject({ reached: false, cause: "noTls" });
});

test("the engines of docker's contexts are offered as they are, ours and broken ones left out", async () => {
  dockerContext("prod", { Host: "tcp://prod:2376", SkipTLSVerify: true }, ["ca.pem", "cert.pem", "key.pem"]);
  dockerContext("lab", { Host: url });
  dockerContext("slipway", { Host: "unix:///ours.sock" });
  dockerContext("odd", { Host: "ssh://-x" });
  const listed = await engines.list();
  expect(listed.map(({ id, name, source, portHost }) => [id, name, source, portHost])).toEqual([
    ["context lab", "lab", "context", "127.0.0.1"],
    ["context prod", "prod", "context", "prod"],
  ]);
  expect(listed[0]?.tls).toBeUndefined();
  expect(listed[1]?.tls).toMatchObject({ ca: expect.stringMatching(/ca\.pem$/) as string, skipVerify: true });
  await expect.poll(async () => (await engines.status("context lab")).phase).toBe("running");
  await expect(engines.remove("context lab")).rejects.toSatisfy((error: unknown) => isClass(error, "notFound"));
});
