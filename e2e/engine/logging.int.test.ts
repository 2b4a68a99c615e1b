import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import WebSocket from "ws";
import type { EngineClient } from "#client/client.ts";
import { type Rig, create, inspect, logs, openRig, remove, run, sh, wait } from "./rig.ts";

let rig: Rig;
let client: EngineClient;
let directory: string;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "slipway-logging-"));
  rig = await openRig("lg");
  client = rig.client;
});
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

const withDriver = (Type: string, Config: Record<string, string> = {}) => ({ HostConfig: { LogConfig: { Type, Config } } });

/** A receiver at a unix socket, and all it got. */
async function receiver(name: string): Promise<{ path: string; seen(): string } & Disposable> {
  const path = join(directory, name);
  let seen = "";
  const server = createServer((socket) => {
    socket.on("data", (bytes) => (seen += bytes.toString("latin1"))).on("error", () => undefined);
  });
  await once(server.listen(path), "listening");
  return { path, seen: () => seen, [Symbol.dispose]: () => void server.close() };
}

describe("attach over a WebSocket", () => {
  const open = (id: string, query: string): WebSocket => new WebSocket(`ws+unix:${rig.program.socket}:/v1.51/containers/${id}/attach/ws?${query}`);

  /** All messages until the closing handshake. */
  async function received(socket: WebSocket): Promise<string> {
    let text = "";
    socket.on("message", (bytes: Buffer, isBinary) => (text += isBinary ? bytes.toString() : "NOT BINARY"));
    await once(socket, "close");
    return text;
  }

  test("input and output go through bare, and the program's end is the connection's", async () => {
    const id = await create(client, { ...sh("read line; echo got $line; echo err >&2"), OpenStdin: true, StdinOnce: true });
    const socket = open(id, "stream=1&stdin=1&stdout=1&stderr=1");
    const all = received(socket);
    await once(socket, "open");
    await client.call("POST", `/containers/${id}/start`);
    socket.send("words\n");
    expect(await all).toMatch(/^(got words\nerr\n|err\ngot words\n)$/);
    expect(await wait(client, id)).toBe(0);
    await remove(client, id);
  });

  test("only the streams asked for come, with what was logged before", async () => {
    const id = await run(client, sh("echo out; echo err >&2"));
    await wait(client, id);
    expect(await received(open(id, "logs=1&stderr=1"))).toBe("err\n");
    await remove(client, id);
  });

  test("a client that is gone leaves the program running", async () => {
    const id = await run(client, { ...sh("sleep 1000"), OpenStdin: true });
    const socket = open(id, "stream=1&stdin=1&stdout=1");
    await once(socket, "open");
    socket.terminate();
    await once(socket, "close");
    expect((await inspect(client, id)).State.Running).toBe(true);
    await remove(client, id);
  });

  test("a handshake that is none, and a container there is not, are answered as errors", async () => {
    const id = await create(client, { Cmd: ["true"] });
    await expect(client.json("GET", `/containers/${id}/attach/ws`, { query: { stream: 1 } })).rejects.toMatchObject({
      class: "invalidArgument",
      message: "not websocket protocol",
    });
    const [error] = (await once(open("nobody", "stream=1"), "error")) as [Error];
    expect(error.message).toContain("404");
    await remove(client, id);
  });
});

describe("log drivers", () => {
  test("output that goes to syslog can be read and followed here too", async () => {
    using syslog = await receiver("syslog");
    const id = await run(client, { ...sh("echo one; echo two >&2"), ...withDriver("syslog", { "syslog-address": `unix://${syslog.path}`, tag: "mine" }) });
    expect(await logs(client, id, { follow: 1 })).toEqual({ stdout: "one\n", stderr: "two\n" });
    await expect.poll(() => syslog.seen()).toMatch(/<30>.* mine\[\d+\]: one\n/);
    await expect.poll(() => syslog.seen()).toMatch(/<27>.* mine\[\d+\]: two\n/);
    expect((await inspect(client, id)).LogPath).toBe("");
    await remove(client, id);
  });

  test("with cache-disabled it cannot be read, and still goes out", async () => {
    using fluentd = await receiver("fluentd");
    const options = { "fluentd-address": `unix://${fluentd.path}`, "cache-disabled": "true" };
    const id = await run(client, { ...sh("echo away"), ...withDriver("fluentd", options) });
    await wait(client, id);
    await expect.poll(() => fluentd.seen()).toContain("away");
    await expect(logs(client, id)).rejects.toMatchObject({ class: "notImplemented", message: "configured logging driver does not support reading" });
    await remove(client, id);
  });

  test("a receiver that is not there keeps the container from starting, and its options are refused before there is one", async () => {
    const id = await create(client, { Cmd: ["true"], ...withDriver("fluentd", { "fluentd-address": "127.0.0.1:1" }) });
    await expect(client.call("POST", `/containers/${id}/start`)).rejects.toThrow(
      "failed to create task for container: failed to initialize logging driver: dial tcp 127.0.0.1:1: connect: connection refused",
    );
    await remove(client, id);
    await expect(create(client, { Cmd: ["true"], ...withDriver("gelf") })).rejects.toMatchObject({
      class: "invalidArgument",
      message: "gelf-address is a required parameter",
    });
    await expect(create(client, { Cmd: ["true"], ...withDriver("nodriver") })).rejects.toThrow('plugin "nodriver" not found');
  });

  test("details show labels, environment and tag", async () => {
    const LogConfig = { Type: "json-file", Config: { labels: "l", env: "E", tag: "{{.Name}}" } };
    const id = await run(client, { name: "detailed", ...sh("echo hi"), Labels: { l: "v 1" }, Env: ["E=w"], HostConfig: { LogConfig } });
    await wait(client, id);
    expect((await logs(client, id, { details: 1 })).stdout).toBe("E=w,l=v+1,tag=detailed hi\n");
    await remove(client, id);
  });
});
