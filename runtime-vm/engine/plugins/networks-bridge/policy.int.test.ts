/** What daemon.json says of the default bridge and of packets, as the kernel then does it. */
import { execFile, execFileSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import type { PortPublisher, SandboxRequest } from "#core/networks/networks.ts";
import { closeAll, dir, id, inOwnNetwork, kernel, net, openAll, openOutside, request, run, talk } from "./rig.ts";

inOwnNetwork();

const ip = (...args: string[]): string => execFileSync("ip", args, { encoding: "utf8" });
const sysctl = (name: string): string => readFileSync(`/proc/sys/net/${name}`).toString().trim();

/** The engine starts anew, with this daemon.json. */
async function restart(said: Parameters<typeof openAll>[0], publisher?: PortPublisher): Promise<void> {
  await closeAll();
  openAll(said, publisher);
  net.networks.prepare();
}

const execute = promisify(execFile);

/** What a connection from a namespace is told; undefined when there is none within three seconds. */
async function heard(netns: string | undefined, host: string, port: number): Promise<string | undefined> {
  const script = `exec 3<>/dev/tcp/${host}/${port}; cat <&3`;
  try {
    return (await kernel.inNetns(netns ?? "", () => execute("timeout", ["3", "bash", "-c", script]))).stdout;
  } catch {
    return undefined;
  }
}

/** Tells who asks, from inside a container. */
async function greet(netns: string | undefined, port: number, address = "0.0.0.0"): Promise<AsyncDisposable> {
  const { fd } = kernel.inNetns(netns ?? "", () => kernel.boundSocket({ kind: "tcp", address, port }));
  const server = createServer((socket) => socket.on("error", () => {}).end(socket.remoteAddress ?? "")).listen({ fd });
  await once(server, "listening");
  return { [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())) };
}

/** Holds no port and carries nothing. */
const nobody: PortPublisher = { publish: async ({ hostPort }) => ({ hostPort, [Symbol.asyncDispose]: async () => {} }) };

const publishing = (name: string, more: Partial<SandboxRequest> = {}): SandboxRequest =>
  request(name, { ports: { "80/tcp": [{ HostIp: "", HostPort: "8080" }] }, ...more });

test("who asks from another machine is seen by the container, which is reached by its published port only", async () => {
  const outside = openOutside();
  const a = await net.sandboxes.open(publishing("a"));
  await using _published = await greet(a.netns, 80);
  await using _other = await greet(a.netns, 81);
  expect(await heard(outside, "10.77.0.1", 8080)).toBe("10.77.0.2");
  expect(await heard(outside, "172.17.0.2", 80)).toBeUndefined();
  const b = await net.sandboxes.open(request("b"));
  expect(await heard(b.netns, "10.77.0.1", 8080)).toBe("172.17.0.1");
  await net.sandboxes.close(id("a"));
  expect(kernel.nft("list table inet slipway")).not.toContain("8080");
  expect(await heard(outside, "10.77.0.1", 8080)).toBeUndefined();
});

/** What is sent to 127.0.0.1 in a namespace leaves it by this way. */
function misleadLoopback(netns: string | undefined, device: string, gateway: string): void {
  kernel.inNetns(netns ?? "", () => {
    writeFileSync(`/proc/sys/net/ipv4/conf/${device}/route_localnet`, "1");
    ip("addr", "del", "127.0.0.1/8", "dev", "lo");
    ip("route", "add", "127.0.0.1", "via", gateway, "dev", device);
  });
}

test("this machine's loopback reaches containers by packet rules alone, and nobody else reaches this machine's loopback", async () => {
  await restart({}, nobody);
  const outside = openOutside();
  const a = await net.sandboxes.open(request("a", { ports: { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "8080" }] } }));
  const b = await net.sandboxes.open(request("b"));
  await using _server = await greet(a.netns, 80);
  await using _own = await greet("/proc/thread-self/ns/net", 9090, "127.0.0.1");
  expect(await talk("127.0.0.1", 8080, "")).toBe("172.17.0.1");
  misleadLoopback(outside, "out0", "10.77.0.1");
  misleadLoopback(b.netns, "eth0", "172.17.0.1");
  expect(await heard(outside, "127.0.0.1", 8080)).toBeUndefined();
  expect(await heard(b.netns, "127.0.0.1", 9090)).toBeUndefined();
  kernel.nft("flush chain inet slipway loopback"); // that it is the rules which keep it out
  expect(await heard(b.netns, "127.0.0.1", 9090)).toBe("172.17.0.3");
});

test("with direct routing a published port is also open at the container's own address, and no other", async () => {
  await restart({ allowDirectRouting: true });
  const outside = openOutside();
  const a = await net.sandboxes.open(publishing("a"));
  await using _published = await greet(a.netns, 80);
  await using _other = await greet(a.netns, 81);
  expect(await heard(outside, "172.17.0.2", 80)).toBe("10.77.0.2");
  expect(await heard(outside, "172.17.0.2", 81)).toBeUndefined();
});

test("without communication between containers only links lead from one to another's exposed ports", async () => {
  await restart({ icc: false });
  expect(net.networks.inspect("bridge").Options["com.docker.network.bridge.enable_icc"]).toBe("false");
  const a = await net.sandboxes.open(request("a", { exposed: ["80/tcp"] }));
  const b = await net.sandboxes.open(request("b", { links: [id("a")] }));
  const c = await net.sandboxes.open(request("c"));
  await using _exposed = await greet(a.netns, 80);
  await using _other = await greet(a.netns, 81);
  await using _back = await greet(b.netns, 80);
  expect(await heard(b.netns, "172.17.0.2", 80)).toBe("172.17.0.3");
  expect(await heard(b.netns, "172.17.0.2", 81)).toBeUndefined();
  expect(await heard(a.netns, "172.17.0.3", 80)).toBeUndefined();
  expect(await heard(c.netns, "172.17.0.2", 80)).toBeUndefined();
  await net.sandboxes.close(id("b"));
  expect(kernel.nft("list table inet slipway")).not.toContain("dport 80");
});

test("the default bridge has the subnets, ranges and gateways asked for, of both families", async () => {
  await restart({
    bip: "10.9.0.1/16",
    fixedCidr: "10.9.4.0/24",
    defaultGateway: "10.9.0.7",
    ipv6: true,
    bip6: "fd00:9::1/64",
    defaultGateway6: "fd00:9::9",
    mtu: 1400,
  });
  const { EnableIPv6, IPAM, Options } = net.networks.inspect("bridge");
  expect([EnableIPv6, IPAM.Config]).toEqual([
    true,
    [
      { Subnet: "10.9.0.0/16", IPRange: "10.9.4.0/24", Gateway: "10.9.0.1", AuxiliaryAddresses: { DefaultGatewayIPv4: "10.9.0.7" } },
      { Subnet: "fd00:9::/64", Gateway: "fd00:9::1", AuxiliaryAddresses: { DefaultGatewayIPv6: "fd00:9::9" } },
    ],
  ]);
  expect(Options["com.docker.network.driver.mtu"]).toBe("1400");
  const a = await net.sandboxes.open(request("a"));
  expect(a.endpoints["bridge"]).toMatchObject({ IPAddress: "10.9.4.0", Gateway: "10.9.0.7", GlobalIPv6Address: "fd00:9::2", IPv6Gateway: "fd00:9::9" });
  expect(run(a.netns, "ip", "route")).toContain("default via 10.9.0.7 dev eth0");
  expect(run(a.netns, "ip", "-6", "route")).toContain("default via fd00:9::9 dev eth0");
  expect(run(a.netns, "ip", "link", "show", "eth0")).toContain("mtu 1400");
  const { Id } = await net.networks.create({ Name: "own" });
  expect(ip("link", "show", `br-${Id.slice(0, 12)}`)).toContain("mtu 1500");
});

test("a gateway outside the default bridge's subnet is refused", async () => {
  await closeAll();
  execFileSync("rm", [join(dir, "state.db")]);
  const sentence = 'error creating default "bridge" network: auxiliary address: (DefaultGatewayIPv4:10.1.1.1) must belong to the master pool: 10.9.4.0/24';
  expect(() => openAll({ fixedCidr: "10.9.4.0/24", defaultGateway: "10.1.1.1" })).toThrow(sentence);
  openAll({ fixedCidr: "10.9.4.0/24" });
  expect(net.networks.inspect("bridge").IPAM.Config).toEqual([{ Subnet: "10.9.4.0/24", IPRange: "10.9.4.0/24", Gateway: "10.9.4.1" }]);
});

test("without packet rules of a family nothing of it is hidden, kept apart or led on; published ports are carried all the same", async () => {
  await restart({ iptables: false, ipv6: true });
  const a = await net.sandboxes.open(publishing("a"));
  await using _server = await greet(a.netns, 80);
  const rules = kernel.nft("list table inet slipway");
  expect(rules).not.toMatch(/ipv4|ip saddr|ip daddr/);
  expect(rules).toContain("ipv6");
  expect(net.networks.inspect("bridge").Options["com.docker.network.bridge.enable_ip_masquerade"]).toBe("false");
  expect(await talk("127.0.0.1", 8080, "")).toBe("172.17.0.1");
});

test("forwarding is left as it is where the engine is not to switch it on", async () => {
  writeFileSync("/proc/sys/net/ipv4/ip_forward", "0");
  await restart({ ipForward: false });
  expect(sysctl("ipv4/ip_forward")).toBe("0");
  await restart({});
  expect(sysctl("ipv4/ip_forward")).toBe("1");
});

test("without a proxy packet rules alone carry this machine's and the containers' connections", async () => {
  await restart({ userlandProxy: false }, nobody);
  const a = await net.sandboxes.open(publishing("a"));
  const b = await net.sandboxes.open(request("b"));
  await using _server = await greet(a.netns, 80);
  expect(await talk("127.0.0.1", 8080, "")).toBe("172.17.0.1");
  expect(await heard(b.netns, "172.17.0.1", 8080)).toBe("172.17.0.1");
  expect(await heard(a.netns, "172.17.0.1", 8080)).toBe("172.17.0.1");
});

test("the default bridge may be somebody else's, which is used as it is, or none at all", async () => {
  ip("link", "add", "mine0", "type", "bridge");
  ip("addr", "add", "10.8.0.1/24", "dev", "mine0");
  ip("link", "set", "mine0", "up");
  await restart({ bridge: "mine0" });
  const a = await net.sandboxes.open(request("a"));
  expect(a.endpoints["bridge"]).toMatchObject({ IPAddress: "10.8.0.2", Gateway: "10.8.0.1" });
  expect(ip("-br", "link")).not.toContain("docker0");
  await net.sandboxes.close(id("a"));
  await restart({ bridge: "none" });
  expect(net.networks.list({}).map(({ Name }) => Name)).toEqual(["none", "host"]);
  expect(ip("-br", "link")).toContain("mine0");
  await closeAll();
  expect(() => openAll({ bridge: "absent0" })).toThrow(
    'error creating default "bridge" network: bridge device with non default name absent0 must be created manually',
  );
  openAll();
});
