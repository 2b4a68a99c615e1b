import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { EngineClient } from "#client/client.ts";
import { create, remove } from "../engine/rig.ts";
import { type StockDocker, stockDocker } from "../fixtures/docker.ts";
import { busybox, dockerArchive } from "../fixtures/image.ts";
import { type Holdings, holdings, atRest } from "../fixtures/leaks.ts";
import { daemonOf } from "../fixtures/processes.ts";
import { type Program, startEngine } from "../fixtures/program.ts";

const netns = `slipway-l${process.pid}`;
const root = mkdtempSync("/var/tmp/slipway-leaks-");
const long = process.env.SLIPWAY_TEST_LONG === "1";
const rounds = long ? 200 : 6;
let engine: Program;
let docker: StockDocker;
let clean: Holdings;

/** Shims come with containers and stay for the next ones, one or another of them. */
const now = (): Holdings => {
  const held = holdings({ socket: engine.socket, root, netns });
  return { ...held, files: held.files.filter((path) => !path.startsWith("/run/shims/hot-")) };
};
/** Teardown goes on after `rm` has answered: ask again until it is quiet or the deadline has passed. */
const expectClean = (): Promise<void> => expect.poll(now, { timeout: 20_000, interval: 250 }).toEqual(clean);

beforeAll(async () => {
  engine = await startEngine({ isolate: netns, root });
  docker = stockDocker({ socket: engine.socket, netns });
  const archive = join(root, "..", `slipway-leaks-${process.pid}.tar`);
  writeFileSync(archive, await dockerArchive([await busybox("busybox:latest")]));
  await docker.ok("load", "-i", archive);
  rmSync(archive);
  // What is made once and kept (the shared mount of the layer, the bridge, the log worker) is no leak.
  await docker.ok("run", "--rm", "busybox", "true");
  clean = await atRest(now);
});
afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
  rmSync(root, { recursive: true, force: true });
});

test("containers that ran and were removed leave nothing", async () => {
  for (let i = 0; i < rounds; i += 1) await docker.ok("run", "--rm", "-v", "/data", "-p", "127.0.0.1:0:80", "busybox", "sh", "-c", "echo hi > /data/x");
  await expectClean();
});

test("runs that fail at every stage leave nothing", async () => {
  for (let i = 0; i < rounds; i += 1) {
    expect((await docker("run", "--rm", "busybox", "no-such-program")).code).toBe(127);
    expect((await docker("run", "--rm", "-u", "no-such-user", "busybox", "true")).code).not.toBe(0);
    expect((await docker("run", "--rm", "-w", "/etc/passwd", "busybox", "true")).code).not.toBe(0);
    expect((await docker("run", "--rm", "--network", "no-such-network", "busybox", "true")).code).not.toBe(0);
    expect((await docker("run", "--rm", "--mount", "type=bind,src=/no/such/dir,dst=/x", "busybox", "true")).code).not.toBe(0);
  }
  await docker.ok("run", "-d", "--name", "holder", "-p", "127.0.0.1:19090:80", "busybox", "sleep", "60");
  for (let i = 0; i < rounds; i += 1) expect((await docker("run", "--rm", "-p", "127.0.0.1:19090:80", "busybox", "true")).code).toBe(125);
  await docker.ok("rm", "-f", "holder");
  await expectClean();
});

test("networks, volumes and execs that are gone leave nothing", async () => {
  await docker.ok("network", "create", "lan");
  await docker.ok("volume", "create", "vol");
  await docker.ok("run", "-d", "--name", "worker", "--network", "lan", "-v", "vol:/v", "busybox", "sleep", "60");
  for (let i = 0; i < rounds; i += 1) await docker.ok("exec", "worker", "true");
  await docker.ok("rm", "-f", "worker");
  await docker.ok("network", "rm", "lan");
  await docker.ok("volume", "rm", "vol");
  await expectClean();
});

test(`${long ? 500 : 50} containers, with ports, volumes and two networks each, leave nothing, and their addresses are free`, async () => {
  const client = new EngineClient({ kind: "socket", path: engine.socket });
  await docker.ok("network", "create", "one");
  await docker.ok("network", "create", "two");
  const cycle = async (name: string): Promise<void> => {
    const HostConfig = {
      NetworkMode: "one",
      PortBindings: { "80/tcp": [{ HostIp: "", HostPort: "" }], "53/udp": [{ HostIp: "", HostPort: "" }] },
      Tmpfs: { "/t": "" },
    };
    const NetworkingConfig = { EndpointsConfig: { one: { Aliases: ["web"] }, two: {} } };
    await create(client, { name, Cmd: ["sleep", "1000"], HostConfig, NetworkingConfig, Volumes: { "/v": {} } });
    await client.call("POST", `/containers/${name}/start`);
    await remove(client, name);
  };
  for (let made = 0; made < (long ? 500 : 50); made += 10) await Promise.all(Array.from({ length: 10 }, (_, i) => cycle(`c${made + i}`)));
  const first = await docker.ok("run", "--rm", "--network", "one", "busybox", "ip", "-4", "addr", "show", "eth0");
  expect(first).toMatch(/inet \d+\.\d+\.0\.2\/16/);
  await docker.ok("network", "rm", "one", "two");
  await expectClean();
});

test(`${long ? 500 : 50} networks and volumes made, used and removed leave nothing`, async () => {
  const client = new EngineClient({ kind: "socket", path: engine.socket });
  await docker.ok("run", "-d", "--name", "worker", "busybox", "sleep", "1000");
  const cycle = async (name: string): Promise<void> => {
    await client.json("POST", "/networks/create", { json: { Name: name } });
    await client.call("POST", `/networks/${name}/connect`, { json: { Container: "worker" } });
    await client.call("POST", `/networks/${name}/disconnect`, { json: { Container: "worker" } });
    await client.json("POST", "/volumes/create", { json: { Name: name } });
    await client.json("POST", `/slipway/volumes/${name}/snapshots`, { json: { Name: "now" } });
    await client.json("POST", `/slipway/volumes/${name}/fork`, { json: { Name: `${name}-fork`, Snapshot: "now" } });
    await client.call("DELETE", `/networks/${name}`);
    for (const volume of [name, `${name}-fork`]) await client.call("DELETE", `/volumes/${volume}`);
  };
  for (let made = 0; made < (long ? 500 : 50); made += 5) await Promise.all(Array.from({ length: 5 }, (_, i) => cycle(`n${made + i}`)));
  expect(await docker.ok("inspect", "-f", "{{len .NetworkSettings.Networks}}", "worker")).toBe("1");
  await docker.ok("rm", "-f", "worker");
  await expectClean();
});

test("thousands of short connections to a published port all get their answer, and leave nothing open", async () => {
  const count = long ? 10_000 : 1_000;
  await docker.ok("run", "-d", "--name", "web", "-p", "127.0.0.1:19091:80", "busybox", "httpd", "-f", "-p", "80", "-h", "/www");
  const open = (): number => readdirSync(`/proc/${daemonOf(engine.socket)}/fd`).length;
  const ask = async (times: number): Promise<number> => {
    const asked = await docker.inside([process.execPath, join(import.meta.dirname, "../fixtures/connections.program.ts"), "19091", String(times)]);
    return Number(asked.stdout);
  };
  expect(await ask(50)).toBe(50);
  const before = open();
  expect(await ask(count)).toBe(count);
  await expect.poll(open, { timeout: 20_000 }).toBeLessThanOrEqual(before + 2);
  await docker.ok("rm", "-f", "web");
  await expectClean();
});

test("a killed engine loses no container, and what it held is given back after its restart", async () => {
  await docker.ok("run", "-d", "--name", "survivor", "busybox", "sh", "-c", "i=0; while :; do i=$((i+1)); echo tick $i; sleep 0.2; done");
  await docker.ok("run", "-d", "--name", "ends", "busybox", "sh", "-c", "sleep 2; exit 5");
  process.kill(Number(daemonOf(engine.socket)), "SIGKILL");
  await engine.exited;
  await new Promise((later) => setTimeout(later, 3_000));
  engine = await startEngine({ isolate: netns, root });
  expect(await docker.ok("inspect", "-f", "{{.State.Status}}", "survivor")).toBe("running");
  expect(await docker.ok("inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", "ends")).toBe("exited 5");
  await docker.ok("stop", "-t", "1", "survivor");
  const ticks = (await docker.ok("logs", "survivor")).split("\n").map((line) => Number(line.replace("tick ", "")));
  // A line that the engine had read and not yet written dies with it.
  expect(ticks.at(-1)).toBeLessThanOrEqual(ticks.length + 1);
  expect(ticks).toEqual(ticks.toSorted((a, b) => a - b));
  await docker.ok("rm", "survivor", "ends");
  await expectClean();
});
