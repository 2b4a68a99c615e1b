import { once } from "node:events";
import { type Server, type ServerResponse, createServer } from "node:http";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { MachineStatus } from "#api/machine.ts";
import { Emitter } from "#base/event.ts";
import { EngineClient } from "#client/client.ts";
import { type Happening, Happenings } from "./happenings.ts";

let dir = "";
let server: Server;
let listed: { Id: string; Names: string[] }[] = [];
let following: ServerResponse | undefined;
const asked: string[] = [];

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "slipway-happenings-"));
  listed = [];
  asked.length = 0;
  server = createServer((request, response) => {
    const path = new URL(request.url ?? "", "http://engine").pathname;
    asked.push(`${request.method} ${path.replace(/^\/v[\d.]+/, "")}`);
    response.setHeader("content-type", "application/json");
    if (!path.endsWith("/events")) return void response.end(JSON.stringify(listed));
    following = response;
    response.flushHeaders();
  }).listen(join(dir, "engine.sock"));
  await once(server, "listening");
});
afterEach(async () => {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
  following = undefined;
  rmSync(dir, { recursive: true, force: true });
});

const status = (phase: MachineStatus["phase"], problem?: string): MachineStatus => ({
  phase,
  driver: "qemu",
  accelerator: "tcg",
  steps: [],
  notices: [],
  restarts: 0,
  logTail: [],
  ...(problem === undefined ? {} : { error: { message: problem } }),
});

function open(first: MachineStatus = status("running")) {
  const machine = new Emitter<MachineStatus>();
  const client = new EngineClient({ kind: "socket", path: join(dir, "engine.sock") });
  const happenings = new Happenings({ client, status: () => first, onStatus: (listener) => machine.on(listener) });
  const heard: Happening[] = [];
  const running: string[][] = [];
  happenings.onHappening((happening) => heard.push(happening));
  happenings.onRunning((containers) => running.push(containers.map(({ name }) => name)));
  return { machine, heard, running, happenings, [Symbol.dispose]: () => happenings[Symbol.dispose]() };
}

const say = (Action: string, ID: string, attributes: Record<string, string> = {}): void =>
  void following?.write(`${JSON.stringify({ Type: "container", Action, Actor: { ID, Attributes: { name: `name-${ID}`, ...attributes } } })}\n`);
const followed = (): Promise<void> => expect.poll(() => following).toBeDefined();

test("an end with an error is told once in a while, one that was asked for or without an error is not", async () => {
  using rig = open();
  await followed();
  say("die", "fine", { exitCode: "0" });
  say("kill", "stopped", { signal: "15" });
  say("die", "stopped", { exitCode: "143" });
  say("oom", "big");
  say("die", "big", { exitCode: "137" });
  say("die", "bad", { exitCode: "3" });
  say("die", "bad", { exitCode: "3" });
  say("health_status: unhealthy", "sick");
  await expect.poll(() => rig.heard).toHaveLength(3);
  expect(rig.heard).toEqual([
    { kind: "exits", what: "outOfMemory", container: "big", name: "name-big", exitCode: "137" },
    { kind: "exits", what: "exited", container: "bad", name: "name-bad", exitCode: "3" },
    { kind: "health", what: "unhealthy", container: "sick", name: "name-sick" },
  ]);
});

test("the running containers are known from the start, after each change, and are none when the machine stops", async () => {
  listed = [{ Id: "a", Names: ["/one"] }];
  using rig = open();
  await followed();
  await expect.poll(() => rig.running).toEqual([["one"]]);
  listed = [...listed, { Id: "b", Names: ["/two"] }];
  say("start", "b");
  await expect.poll(() => rig.running.at(-1)).toEqual(["one", "two"]);
  rig.machine.fire(status("stopping"));
  expect(rig.running.at(-1)).toEqual([]);
});

test("a stream of events that breaks is opened again", async () => {
  using _rig = open();
  await followed();
  const first = following;
  first?.destroy();
  await expect.poll(() => following).not.toBe(first);
});

test("nothing is asked of an engine that does not run, and a failed one is told of with its reason", async () => {
  using rig = open(status("stopped"));
  expect(asked).toEqual([]);
  rig.machine.fire(status("starting"));
  rig.machine.fire(status("failed", "the disk is full"));
  expect(rig.heard).toEqual([{ kind: "engine", what: "failed", reason: "the disk is full" }]);
  await rig.happenings.stop("web");
  expect(asked).toEqual(["POST /containers/web/stop"]);
});

test("a disk that gets fuller is told of once a level, not while it stays or gets emptier", () => {
  using seen = open();
  const filled = (freeBytes: number): void =>
    seen.machine.fire({ ...status("running"), usage: { memoryBytes: 1, memoryTotalBytes: 2, disk: { of: "machine", totalBytes: 64e9, freeBytes } } });
  for (const free of [30e9, 9e9, 8e9, 2e9, 1e9, 8e9, 30e9]) filled(free);
  expect(seen.heard).toEqual([
    { kind: "engine", what: "diskFull", percent: 85, freeBytes: 9e9 },
    { kind: "engine", what: "diskFull", percent: 96, freeBytes: 2e9 },
  ]);
});
