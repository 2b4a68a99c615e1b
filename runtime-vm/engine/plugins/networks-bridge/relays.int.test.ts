/** Published ports of a machine within another: the one around forwards to a port of this one's address, and packet rules lead on. */
import { execFileSync, spawn } from "node:child_process";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { beforeEach, expect, test } from "vitest";
import { prefixOf } from "#core/networks/address.ts";
import type { PortPublisher } from "#core/networks/networks.ts";
import { closeAll, dir, id, inOwnNetwork, kernel, net, openAll, request, run, serve } from "./rig.ts";

inOwnNetwork();

const own = "10.0.2.15";
const router = "10.0.2.2";
/** A client elsewhere, one whose network has the numbers of the containers', and one with the very address that their bridge has. */
const clients = { far: "198.51.100.7", stray: "172.17.0.99", twin: "172.17.0.1" };
let around: string;
let published: Parameters<PortPublisher["publish"]>[0][];

const ip = (...args: string[]): string => execFileSync("ip", args, { encoding: "utf8" });
const publisher: PortPublisher = {
  relayAddress: own,
  publish: async (what) => {
    published.push(what);
    return { hostPort: what.hostPort, [Symbol.asyncDispose]: async () => {} };
  },
};

beforeEach(async () => {
  published = [];
  await closeAll();
  openAll({}, publisher, { forbidden: [prefixOf("10.0.2.0/24")], router: { address: router, interface: "eth0" } });
  around = join(dir, "netns", "around");
  kernel.createNetns(around);
  ip("link", "add", "eth0", "type", "veth", "peer", "name", "tap0", "netns", around);
  ip("addr", "add", `${own}/24`, "dev", "eth0");
  ip("link", "set", "eth0", "up");
  ip("route", "add", "default", "via", router);
  kernel.inNetns(around, () => {
    ip("addr", "add", `${router}/24`, "dev", "tap0");
    for (const client of Object.values(clients)) ip("addr", "add", `${client}/32`, "dev", "lo");
    ip("link", "set", "tap0", "up");
  });
});

/** What a server of this machine answers to a client of the one around. */
async function asked(port: number, from: string): Promise<string> {
  const script = `const socket = require("node:net").connect({ host: "${own}", port: ${port}, localAddress: "${from}", allowHalfOpen: true });
    socket.end("hi"); socket.pipe(process.stdout); socket.on("error", (error) => console.log(error.code));`;
  const child = kernel.inNetns(around, () => spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] }));
  return (await text(child.stdout)).trim();
}

test("the machine around is told a port for each it binds of IPv4, the host's number where that is free", async () => {
  const at = (HostIp: string) => ({ "80/tcp": [{ HostIp, HostPort: "8080" }], "53/udp": [{ HostIp: "127.0.0.1", HostPort: "8053" }] });
  await net.sandboxes.open(request("a", { ports: at("127.0.0.1") }));
  await net.sandboxes.open(request("b", { ports: { "80/tcp": [{ HostIp: "192.0.2.9", HostPort: "8080" }] } }));
  await net.sandboxes.open(request("c", { ports: { "80/tcp": [{ HostIp: "", HostPort: "8081" }] } }));
  const told = published.map(({ proto, hostIp, hostPort, relayPort }) => [proto, hostIp, hostPort, relayPort]);
  expect(told).toEqual([
    ["tcp", "127.0.0.1", 8080, 8080],
    ["udp", "127.0.0.1", 8053, undefined],
    ["tcp", "192.0.2.9", 8080, 32_768],
    ["tcp", "0.0.0.0", 8081, 8081],
    ["tcp", "::", 8081, undefined],
  ]);
});

test("who comes from its loopback is the gateway for containers, others are who they are, whatever numbers their networks have", async () => {
  const a = await net.sandboxes.open(request("a", { ports: { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "8080" }] } }));
  const server = await serve(a.netns, 80);
  expect(await asked(8080, router)).toBe("heard hi from 172.17.0.1");
  expect(await asked(8080, clients.far)).toBe(`heard hi from ${clients.far}`);
  for (const client of [clients.stray, clients.twin]) expect(await asked(8080, client)).toBe("heard hi from 172.17.0.1");
  expect(await asked(8081, router)).toBe("ECONNREFUSED");
  server.close();
  await net.sandboxes.close(id("a"));
  expect(await asked(8080, router)).toBe("ECONNREFUSED");
});

test("answering is all that a container can send there", async () => {
  const a = await net.sandboxes.open(request("a", { ports: { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "8080" }] } }));
  const servers = [await serve(around, 9_000), await serve(a.netns, 80)];
  expect(await asked(8080, router)).toContain("heard hi");
  expect(() => run(a.netns, "timeout", "2", "bash", "-c", `exec 3<>/dev/tcp/${router}/9000`)).toThrow("Connection refused");
  for (const server of servers) server.close();
});

test("without packet rules nothing is led on, and the machine around carries all by itself", async () => {
  await closeAll();
  openAll({ iptables: false }, publisher, { forbidden: [prefixOf("10.0.2.0/24")], router: { address: router, interface: "eth0" } });
  await net.sandboxes.open(request("a", { ports: { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "8080" }] } }));
  expect(published.map(({ relayPort }) => relayPort)).toEqual([undefined]);
});
