import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect as connectPlain } from "node:net";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { EngineClient } from "#client/client.ts";
import { startEngine } from "../fixtures/program.ts";
import { type Rig, create, events, inspect, logs, openRig, remove, run, sh, wait } from "./rig.ts";

const dir = mkdtempSync("/var/tmp/slipway-daemon-");
const place = (name: string): string => join(dir, name);
const file = place("daemon.json");
const ca = place("ca");
const port = 2376;

const settings = {
  labels: ["tier=test"],
  "cgroup-parent": "/mine",
  "default-shm-size": "32M",
  "default-ipc-mode": "shareable",
  "default-ulimits": { nofile: { Name: "nofile", Hard: 200, Soft: 100 } },
  "dns-opts": ["attempts:7"],
  "fixed-cidr": "172.17.9.0/24",
  hosts: [`unix://${place("second.sock")}`, `tcp://0.0.0.0:${port}`],
  init: true,
  "log-opts": { "max-size": "1m" },
  "metrics-addr": "0.0.0.0:9323",
  "no-new-privileges": true,
  nobody: 1,
  pidfile: place("engine.pid"),
  runtimes: {
    argued: { path: "/usr/bin/crun", runtimeArgs: ["--debug"] },
    own: { runtimeType: "io.containerd.runc.v2", options: { BinaryName: "crun" } },
    absent: { path: "/no/such/runtime" },
  },
  "seccomp-profile": "unconfined",
  "selinux-enabled": true,
  tlsverify: true,
  tlscacert: `${ca}.pem`,
  tlscert: place("server.pem"),
  tlskey: place("server.key"),
};

let rig: Rig;
let address = "";
const openssl = (...args: string[]): Buffer => execFileSync("openssl", args, { cwd: dir, stdio: ["ignore", "pipe", "ignore"] });

/** What every key and its request, or its certificate, is made with. */
const request = (name: string, subject: string): string[] =>
  `req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ${name}.key -subj /CN=${subject}`.split(" ");

/** A key and a certificate of its own making. */
const selfSigned = (name: string, subject: string): Buffer => openssl(...request(name, subject), "-x509", "-out", `${name}.pem`, "-days", "2");

/** A key and a certificate by our authority for `name`. */
function certify(name: string): void {
  openssl(...request(name, name), "-out", `${name}.csr`);
  openssl("x509", "-req", "-in", `${name}.csr`, "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", `${name}.pem`, "-days", "2");
}

const write = (value: unknown): void => writeFileSync(file, JSON.stringify(value));

beforeAll(async () => {
  selfSigned("ca", "ca");
  for (const name of ["server", "client"]) certify(name);
  write(settings);
  rig = await openRig("daemon", { root: place("root"), args: ["--config", file] });
  const shown = execFileSync("ip", ["-n", rig.netns, "-o", "-4", "addr", "show", "eth0"], { encoding: "utf8" });
  address = /inet ([\d.]+)/.exec(shown)?.[1] ?? "";
});

afterAll(async () => {
  await rig[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true, force: true });
});

const log = async (query: Record<string, string | number> = {}): Promise<string> => {
  const { body } = await rig.client.stream("GET", "/slipway/log", { query });
  return Buffer.concat(await body.toArray()).toString();
};

test("info shows what the file says, and warns of what has no effect", async () => {
  const info = await rig.client.json<Record<string, unknown> & { Warnings: string[] }>("GET", "/info");
  expect(info).toMatchObject({
    Labels: ["tier=test"],
    Runtimes: { argued: { path: "/usr/bin/crun", runtimeArgs: ["--debug"] }, own: { runtimeType: "io.containerd.runc.v2", options: { BinaryName: "crun" } } },
    SecurityOptions: expect.arrayContaining(["name=seccomp,profile=unconfined", "name=no-new-privileges", "name=cgroupns"]),
  });
  const about = info.Warnings.filter((warning) => warning.includes("daemon.json"));
  expect(await log()).toContain('unknown key "nobody" is ignored');
  expect(about).toEqual([expect.stringContaining('unknown key "nobody" is ignored'), expect.stringContaining('"selinux-enabled" has no effect: ')]);
});

test("a container gets the daemon's defaults, and may say otherwise", async () => {
  const script =
    "ulimit -n; ulimit -Hn; grep -E 'NoNewPrivs|Seccomp:' /proc/self/status; cat /proc/1/comm; df -k /dev/shm | tail -1; grep options /etc/resolv.conf; hostname -i";
  const id = await run(rig.client, sh(script));
  expect(await wait(rig.client, id)).toBe(0);
  const { stdout } = await logs(rig.client, id);
  expect(stdout).toMatch(/^100\n200\nNoNewPrivs:\t1\nSeccomp:\t0\ndocker-init\nshm +32768 /);
  expect(stdout).toContain("attempts:7");
  expect(stdout).toMatch(/^172\.17\.9\.\d+ *$/m);
  expect(await inspect(rig.client, id)).toMatchObject({
    HostConfig: {
      ShmSize: 32 * 1024 * 1024,
      IpcMode: "shareable",
      Ulimits: [{ Name: "nofile", Hard: 200, Soft: 100 }],
      LogConfig: { Config: { "max-size": "1m" } },
    },
  });
  const other = await run(rig.client, {
    ...sh("ulimit -n; cat /proc/1/comm; exit 0"),
    HostConfig: { Ulimits: [{ Name: "nofile", Soft: 50, Hard: 60 }], Init: false, SecurityOpt: ["no-new-privileges=false"] },
  });
  await wait(rig.client, other);
  expect((await logs(rig.client, other)).stdout).toBe("50\nsh\n");
  for (const one of [id, other]) await remove(rig.client, one);
});

test.each(["argued", "own", "runc"])("runtime %s runs a container and executes in it", async (Runtime) => {
  const id = await run(rig.client, { ...sh("echo running; exit 3"), HostConfig: { Runtime } });
  expect(await wait(rig.client, id)).toBe(3);
  expect((await logs(rig.client, id)).stdout).toBe("running\n");
  await remove(rig.client, id);
});

test("a runtime that nobody named is refused, one whose program is not there fails at start", async () => {
  await expect(create(rig.client, { HostConfig: { Runtime: "nobody" } })).rejects.toMatchObject({
    message: expect.stringContaining("unknown or invalid runtime name: nobody"),
  });
  const id = await create(rig.client, { HostConfig: { Runtime: "absent" } });
  await expect(rig.client.call("POST", `/containers/${id}/start`)).rejects.toMatchObject({ message: expect.stringContaining("/no/such/runtime") });
  await remove(rig.client, id);
});

test("the second socket answers, and is its owner's alone", async () => {
  const second = new EngineClient({ kind: "socket", path: place("second.sock") });
  expect((await second.json<{ ID: string }>("GET", "/info")).ID).toBe((await rig.client.json<{ ID: string }>("GET", "/info")).ID);
  expect(statSync(place("second.sock")).mode & 0o777).toBe(0o600);
});

const pem = (name: string): Buffer => readFileSync(place(name));
const trusting = () => ({ host: address, port, ca: pem("ca.pem"), servername: "server", checkServerIdentity: () => undefined });

test("over tcp a client with a certificate is served, exec included", async () => {
  const dial = (): Promise<Duplex> =>
    new Promise((resolve, reject) => {
      const socket = connectTls({ ...trusting(), cert: pem("client.pem"), key: pem("client.key"), allowHalfOpen: true } as never, () => resolve(socket));
      socket.once("error", reject);
    });
  const client = new EngineClient({ kind: "dial", dial });
  const id = await run(client, sh("echo over tls; sleep 100"));
  await expect.poll(async () => (await logs(client, id)).stdout).toBe("over tls\n");
  await remove(client, id);
});

test("over tcp nobody else is: not without a certificate, not with one of another authority, not without TLS", async () => {
  selfSigned("stranger", "client");
  const strangers = [{}, { cert: pem("stranger.pem"), key: pem("stranger.key") }].map((own) => () => connectTls({ ...trusting(), ...own }));
  for (const open of [...strangers, () => connectPlain({ host: address, port })]) {
    const socket = open();
    socket.on("error", () => {});
    socket.write("GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n");
    let answer = "";
    socket.on("data", (chunk: Buffer) => (answer += chunk.toString("latin1")));
    await new Promise((resolve) => socket.once("close", resolve));
    expect(answer).not.toContain("HTTP/1.1");
  }
});

test("metrics are Prometheus text", async () => {
  const answer = await fetch(`http://${address}:9323/metrics`);
  expect(answer.headers.get("content-type")).toContain("version=0.0.4");
  const text = await answer.text();
  expect(text).toMatch(/^# TYPE engine_daemon_container_states_containers gauge\nengine_daemon_container_states_containers\{state="running"\} 0$/m);
  for (const line of text.trimEnd().split("\n")) expect(line).toMatch(/^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{[^}]*\})? [\d.e+-]+)$/);
  expect((await fetch(`http://${address}:9323/containers/json`)).status).toBe(404);
});

test("the pid file names the engine", () => {
  expect(readFileSync(`/proc/${readFileSync(settings.pidfile, "utf8")}/cmdline`).toString()).toContain("main.mjs");
});

test("SIGHUP takes over what may change and tells of it; a broken file changes nothing and is left alone", async () => {
  const followed = events(rig.client, { type: ["daemon"] });
  await followed.ready;
  write({ ...settings, labels: ["tier=new"], "default-shm-size": "16M", mtu: 1400, debug: true });
  process.kill(rig.program.pid, "SIGHUP");
  await expect.poll(() => followed.seen).toHaveLength(1);
  expect(followed.seen[0]).toMatchObject({
    Action: "reload",
    Actor: {
      Attributes: {
        labels: '["tier=new"]',
        debug: "true",
        "default-shm-size": String(16 * 1024 * 1024),
        runtimes: expect.stringContaining("argued:/usr/bin/crun"),
      },
    },
  });
  followed.stop();
  expect(await rig.client.json("GET", "/info")).toMatchObject({ Labels: ["tier=new"], Debug: true });
  expect(await log()).toContain("these settings count from the next start on: mtu");
  const id = await create(rig.client, {});
  expect((await inspect(rig.client, id)).HostConfig.ShmSize).toBe(16 * 1024 * 1024);
  await remove(rig.client, id);
  writeFileSync(file, '{\n  "labels": ["tier=bad"],\n');
  process.kill(rig.program.pid, "SIGHUP");
  await expect.poll(() => log()).toMatch(/the configuration was not reloaded.*invalid JSON at line 3, column 1/);
  expect(await rig.client.json("GET", "/info")).toMatchObject({ Labels: ["tier=new"] });
  expect(readFileSync(file, "utf8")).toBe('{\n  "labels": ["tier=bad"],\n');
  write(settings);
});

test("the engine's log is read by its end, and followed", async () => {
  const stop = new AbortController();
  const { body } = await rig.client.stream("GET", "/slipway/log", { query: { follow: 1, tail: 1 }, signal: stop.signal });
  let seen = "";
  body.on("data", (chunk: Buffer) => (seen += chunk.toString()));
  body.on("error", () => {});
  await expect.poll(() => seen).toMatch(/^\S+ \w+ .+\n$/);
  process.kill(rig.program.pid, "SIGHUP");
  await expect.poll(() => seen).toContain("configuration reloaded");
  stop.abort();
  expect((await log({ tail: 2 })).trimEnd().split("\n")).toHaveLength(2);
  await expect(log({ tail: "some" })).rejects.toMatchObject({ message: expect.stringContaining("tail must be") });
});

test.each([
  ['{"debug": true,\n "mtu" 3}', /invalid JSON at line 2, column 8: invalid character '3' after object key/],
  ['{"hosts": ["tcp://0.0.0.0:2375"]}', /tcp:\/\/0\.0\.0\.0:2375 is refused without client certificates/],
  ['{"group": "nobody-has-this"}', /group nobody-has-this does not exist/],
])("an engine does not start with %s, and says why", async (text, reason) => {
  const bad = place("bad.json");
  writeFileSync(bad, text);
  const starting = startEngine({ isolate: `${rig.netns}x`, root: place("never"), args: ["--config", bad] });
  await expect(starting).rejects.toThrow(reason);
  expect(readFileSync(bad, "utf8")).toBe(text);
});
