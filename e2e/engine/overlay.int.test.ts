/** Networks between engines: two of them, each in a network namespace of its own that stands for a host, and an etcd that both reach. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { NetworkInspect } from "#api/networks.ts";
import { EngineClient } from "#client/client.ts";
import { type EtcdServer, openEtcd } from "../fixtures/etcd.ts";
import { daemonOf } from "../fixtures/processes.ts";
import { startEngine } from "../fixtures/program.ts";
import { type Rig, inspect, logs, openRig, remove, run, sh, wait } from "./rig.ts";

const dir = mkdtempSync("/var/tmp/slipway-overlay-");
const hosts = { a: "10.250.0.1", b: "10.250.0.2" } as const;
type Host = keyof typeof hosts;
const rigs = {} as Record<Host, Rig>;
let etcd: EtcdServer | undefined;

const ip = (...args: string[]): string => execFileSync("ip", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
const inHost = (host: Host, command: string, ...args: string[]): string => ip("netns", "exec", rigs[host].netns, command, ...args);
const client = (host: Host): EngineClient => rigs[host].client;
const configOf = (host: Host): string[] => ["--config", join(dir, `${host}.json`)];

async function openHost(host: Host): Promise<Rig> {
  const overlay = { etcd: [`http://${hosts.a}:2379`], advertise: hosts[host] };
  writeFileSync(join(dir, `${host}.json`), JSON.stringify({ slipway: { overlay } }));
  return await openRig(`ov${host}`, { root: join(dir, host), args: configOf(host) });
}

beforeAll(async () => {
  for (const host of ["a", "b"] as const) rigs[host] = await openHost(host);
  ip("link", "add", "wire", "netns", rigs.a.netns, "type", "veth", "peer", "name", "wire", "netns", rigs.b.netns);
  for (const host of ["a", "b"] as const) {
    ip("-n", rigs[host].netns, "addr", "add", `${hosts[host]}/24`, "dev", "wire");
    ip("-n", rigs[host].netns, "link", "set", "wire", "up");
  }
});

afterAll(async () => {
  for (const rig of Object.values(rigs)) {
    // After a failure some are left, and would outlive their engine.
    for (const { Id } of await rig.client.json<{ Id: string }[]>("GET", "/containers/json", { query: { all: 1 } }).catch(() => []))
      await remove(rig.client, Id);
    await rig[Symbol.asyncDispose]();
  }
  await etcd?.[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true, force: true });
});

function store(): EtcdServer {
  if (etcd === undefined) throw new Error("etcd was never started");
  return etcd;
}

async function kill(host: Host): Promise<void> {
  const { program } = rigs[host];
  // The kernel's list of sockets may miss one while others come and go.
  let pid: string | undefined;
  await expect.poll(() => (pid = daemonOf(program.socket))).toMatch(/^\d+$/);
  process.kill(Number(pid), "SIGKILL");
  await program.exited;
}

/** On what the killed one has left. */
async function startAgain(host: Host): Promise<void> {
  const program = await startEngine({ isolate: rigs[host].netns, root: rigs[host].program.root, args: configOf(host) });
  const own = new EngineClient({ kind: "socket", path: program.socket });
  rigs[host] = { program, netns: rigs[host].netns, client: own, [Symbol.asyncDispose]: () => program[Symbol.asyncDispose]() };
}

const overlay = (Name: string, more: object = {}) => ({ Name, Driver: "overlay", Attachable: true, ...more });
const create = (host: Host, body: object): Promise<{ Id: string }> => client(host).json("POST", "/networks/create", { json: body });
const on = (network: string, more: object = {}) => ({ HostConfig: { NetworkMode: network }, ...more });
const address = async (host: Host, id: string, network: string): Promise<string> =>
  (await inspect(client(host), id)).NetworkSettings.Networks[network]?.IPAddress ?? "";

/** What a script in a container prints, and that it went well. */
async function said(host: Host, network: string, script: string): Promise<string> {
  const id = await run(client(host), { ...on(network), ...sh(script) });
  const code = await wait(client(host), id);
  const { stdout, stderr } = await logs(client(host), id);
  await remove(client(host), id);
  expect([code, stderr]).toEqual([0, expect.anything()]);
  return stdout;
}

/** Serves `text` once a connection on port 80, again and again. */
const server = (text: string) => sh(`while :; do echo ${text} | nc -l -p 80; done`);
/** A connection that waited behind another one's is closed with nothing said. */
const fetchFrom = (name: string): string => `for i in $(seq 50); do nc -w 2 ${name} 80 </dev/null | grep . && exit 0; sleep 0.2; done; exit 1`;

test("without an etcd that answers there is no network, and it says whom it asked", async () => {
  await expect(create("a", overlay("x"))).rejects.toThrow("no etcd answers (http://10.250.0.1:2379: ");
  etcd = await openEtcd(rigs.a.netns, hosts.a);
  const encrypted = create("a", overlay("x", { Options: { encrypted: "" } }));
  await expect(encrypted).rejects.toThrow("--opt encrypted: this engine does not encrypt what it sends between hosts: ");
});

test("containers of two hosts talk by name, in frames as large as they can be, and neither has the other's address", async () => {
  const { Id } = await create("a", overlay("shop"));
  expect((await create("b", overlay("shop"))).Id).toBe(Id);
  const network = await client("b").json<NetworkInspect>("GET", "/networks/shop");
  expect(network).toMatchObject({ Scope: "global", Driver: "overlay", Attachable: true, IPAM: { Config: [{ Subnet: "10.0.0.0/24", Gateway: "10.0.0.1" }] } });
  const web = await run(client("a"), { name: "web", ...on("shop"), ...server("hello-from-a") });
  const db = await run(client("b"), {
    name: "db",
    ...on("shop", { NetworkingConfig: { EndpointsConfig: { shop: { Aliases: ["data"] } } } }),
    ...server("hello-from-b"),
  });
  expect([await address("a", web, "shop"), await address("b", db, "shop")]).toEqual(["10.0.0.2", "10.0.0.3"]);
  expect(await said("b", "shop", fetchFrom("web"))).toBe("hello-from-a\n");
  expect(await said("a", "shop", fetchFrom("data"))).toBe("hello-from-b\n");
  expect(await said("a", "shop", "nslookup 10.0.0.3 127.0.0.11 | grep name")).toContain("db.shop");
  expect(await said("a", "shop", "ping -c 1 -s 1422 -w 10 db | grep received")).toContain("1 packets received");
  const shown = await client("a").json<NetworkInspect>("GET", "/networks/shop");
  expect(Object.keys(shown.Containers)).toEqual([web]);
  const taken = run(client("a"), { ...on("pick"), ...sh("true") });
  await expect(taken).rejects.toThrow("network pick not found");
});

test("IPv6 goes from host to host as well", async () => {
  const asked = overlay("six", { EnableIPv6: true, IPAM: { Config: [{ Subnet: "fd00:79::/64" }] } });
  for (const host of ["a", "b"] as const) await create(host, asked);
  await run(client("a"), { name: "far", ...on("six"), ...server("hello-over-six") });
  expect(await said("b", "six", fetchFrom("fd00:79::2"))).toBe("hello-over-six\n");
  expect(await said("b", "six", "nslookup -type=aaaa far 127.0.0.11 | grep Address")).toContain("fd00:79::2");
  await remove(client("a"), "far");
  for (const host of ["a", "b"] as const) await client(host).call("DELETE", "/networks/six");
});

test("a static address is its holder's on every host, and what others made is joined as it is or not at all", async () => {
  const asked = overlay("fixed", { IPAM: { Config: [{ Subnet: "10.77.0.0/24" }] } });
  await create("a", asked);
  await expect(create("b", overlay("fixed", { IPAM: { Config: [{ Subnet: "10.78.0.0/24" }] } }))).rejects.toThrow(
    "network fixed is there on other engines with subnet 10.77.0.0/24, not with 10.78.0.0/24",
  );
  await create("b", asked);
  await expect(create("b", asked)).rejects.toThrow("network with name fixed already exists");
  const at = { NetworkingConfig: { EndpointsConfig: { fixed: { IPAMConfig: { IPv4Address: "10.77.0.9" } } } } };
  const first = await run(client("a"), { ...on("fixed", at), Cmd: ["sleep", "1000"] });
  await expect(run(client("b"), { name: "late", ...on("fixed", at), Cmd: ["sleep", "1000"] })).rejects.toThrow("Address already in use");
  await remove(client("a"), first);
  await expect
    .poll(
      () =>
        client("b")
          .call("POST", "/containers/late/start")
          .then(() => "started", String),
      { timeout: 60_000 },
    )
    .toBe("started");
  await remove(client("b"), "late");
  for (const host of ["a", "b"] as const) await client(host).call("DELETE", "/networks/fixed");
  await create("a", overlay("closed", { Attachable: false }));
  await expect(run(client("a"), { ...on("closed"), Cmd: ["true"] })).rejects.toThrow("network closed not manually attachable");
  await client("a").call("DELETE", "/networks/closed");
});

test("killed and started again an engine is a member as before, its containers are reached all the while, and etcd may be gone meanwhile", async () => {
  const probe = await run(client("b"), { name: "probe", ...on("shop"), ...sh("while :; do nc -w 1 web 80 </dev/null; sleep 0.2; done") });
  const answers = async (): Promise<number> => (await logs(client("b"), probe)).stdout.split("hello-from-a").length - 1;
  await expect.poll(answers, { timeout: 60_000 }).toBeGreaterThan(0);
  const before = store().keys("/slipway/overlay/");
  await kill("a");
  const seen = await answers();
  await expect.poll(answers, { timeout: 60_000 }).toBeGreaterThan(seen + 1);
  await store().kill();
  await startAgain("a");
  await store().start();
  await expect.poll(() => store().keys("/slipway/overlay/"), { timeout: 90_000 }).toEqual(before);
  expect(await said("b", "shop", fetchFrom("web"))).toBe("hello-from-a\n");
  expect(await said("a", "shop", fetchFrom("db"))).toBe("hello-from-b\n");
});

test("what an engine held that says nothing any more is free after a while, and its container has to give it up", async () => {
  const asked = overlay("lease", { IPAM: { Config: [{ Subnet: "10.79.0.0/24" }] } });
  for (const host of ["a", "b"] as const) await create(host, asked);
  const at = { NetworkingConfig: { EndpointsConfig: { lease: { IPAMConfig: { IPv4Address: "10.79.0.2" } } } } };
  await run(client("b"), { name: "lone", ...on("lease", at), Cmd: ["sleep", "1000"] });
  await expect(run(client("a"), { name: "heir", ...on("lease", at), ...server("hello-from-heir") })).rejects.toThrow("Address already in use");
  await kill("b");
  await expect
    .poll(
      () =>
        client("a")
          .call("POST", "/containers/heir/start")
          .then(() => "started", String),
      { timeout: 90_000, interval: 500 },
    )
    .toBe("started");
  await startAgain("b");
  const log = async (): Promise<string> => (await (await client("b").stream("GET", "/slipway/log")).body.toArray()).join("");
  await expect.poll(log, { timeout: 90_000 }).toContain("container lone leaves network lease: its address was given to another engine's container");
  await remove(client("b"), "lone");
  expect(await said("b", "lease", fetchFrom("heir"))).toBe("hello-from-heir\n");
  await remove(client("a"), "heir");
  for (const host of ["a", "b"] as const) await client(host).call("DELETE", "/networks/lease");
});

test("a container that is gone is known to nobody, and with the last network goes everything", async () => {
  const fdb = (): string => inHost("a", "bridge", "fdb", "show");
  expect(fdb()).toContain(`dst ${hosts.b}`);
  for (const name of ["db", "probe"]) await remove(client("b"), name);
  await expect.poll(fdb, { timeout: 60_000 }).not.toContain(`dst ${hosts.b}`);
  expect(inHost("a", "ip", "neigh", "show", "nud", "permanent")).not.toContain("10.0.0.3");
  expect(await said("a", "shop", "nslookup db 127.0.0.11 >/dev/null || echo unknown")).toBe("unknown\n");
  await remove(client("a"), "web");
  for (const host of ["a", "b"] as const) {
    await client(host).call("DELETE", "/networks/shop");
    expect(inHost(host, "ip", "-br", "link")).not.toMatch(/vx-|br-/);
  }
  expect(store().keys("/slipway/")).toEqual([]);
});
