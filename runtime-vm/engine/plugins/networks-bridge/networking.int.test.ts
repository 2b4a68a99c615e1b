import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import dns from "dns-packet";
import { expect, test } from "vitest";
import type { EventMessage } from "#api/events.ts";
import {
  addresses,
  ask,
  closeAll,
  dir,
  events,
  failure,
  id,
  inOwnNetwork,
  kernel,
  net,
  openAll,
  request,
  run,
  serve,
  talk,
  talkFrom,
  traces,
  upstreams,
} from "./rig.ts";

inOwnNetwork();

test("predefined networks answer as dockerd's do, and the default bridge is docker0", () => {
  expect(net.networks.list({}).map(({ Name, Driver }) => [Name, Driver])).toEqual([
    ["none", "null"],
    ["host", "host"],
    ["bridge", "bridge"],
  ]);
  expect(net.networks.inspect("bridge").IPAM.Config).toEqual([{ Subnet: "172.17.0.0/16", Gateway: "172.17.0.1" }]);
  expect(execFileSync("ip", ["-br", "addr", "show", "docker0"], { encoding: "utf8" })).toContain("172.17.0.1/16");
  expect(readFileSync("/proc/thread-self/net/dev", "utf8")).toContain("docker0");
});

test("two containers on the default bridge reach each other, the gateway, and are masqueraded outside", async () => {
  const a = await net.sandboxes.open(request("a"));
  const b = await net.sandboxes.open(request("b"));
  expect(a.endpoints["bridge"]).toMatchObject({ IPAddress: "172.17.0.2", IPPrefixLen: 16, Gateway: "172.17.0.1", MacAddress: "02:42:ac:11:00:02" });
  expect(b.endpoints["bridge"]).toMatchObject({ IPAddress: "172.17.0.3" });
  const server = await serve(a.netns, 80);
  expect(talkFrom(b.netns, "172.17.0.2", 80)).toBe("connected");
  expect(await talk("172.17.0.2", 80, "hi")).toBe("heard hi from 172.17.0.1");
  const own = run(a.netns, "ip", "-br", "addr", "show", "eth0");
  expect(own).toContain("172.17.0.2/16");
  expect(own).not.toContain("fe80");
  expect(run(a.netns, "ip", "route")).toContain("default via 172.17.0.1 dev eth0");
  expect(kernel.nft("list table inet slipway")).toContain('ip saddr 172.17.0.0/16 oifname != "docker0" masquerade');
  server.close();
});

test("networks are apart from each other", async () => {
  await net.networks.create({ Name: "one" });
  await net.networks.create({ Name: "two" });
  const a = await net.sandboxes.open(request("a", { mode: "one" }));
  const b = await net.sandboxes.open(request("b", { mode: "two" }));
  expect([a.endpoints["one"]?.IPAddress, b.endpoints["two"]?.IPAddress]).toEqual(["172.18.0.2", "172.19.0.2"]);
  const server = await serve(a.netns, 80);
  expect(() => run(b.netns, "timeout", "1", "bash", "-c", "exec 3<>/dev/tcp/172.18.0.2/80")).toThrow();
  server.close();
});

test("an internal network has no way out, an icc-less one none between its containers", async () => {
  await net.networks.create({ Name: "in", Internal: true });
  await net.networks.create({ Name: "noicc", Options: { "com.docker.network.bridge.enable_icc": "false" } });
  const inside = await net.sandboxes.open(request("i", { mode: "in" }));
  expect(inside.endpoints["in"]?.Gateway).toBe("");
  expect(run(inside.netns, "ip", "route")).not.toContain("default");
  const a = await net.sandboxes.open(request("a", { mode: "noicc" }));
  const b = await net.sandboxes.open(request("b", { mode: "noicc" }));
  const server = await serve(a.netns, 80);
  expect(() => run(b.netns, "timeout", "1", "bash", "-c", `exec 3<>/dev/tcp/${a.endpoints["noicc"]?.IPAddress}/80`)).toThrow();
  server.close();
});

test("names of the same network resolve, others are asked of the upstream resolver, and nobody there fails fast", async () => {
  const upstream = createSocket("udp4", (message, from) => {
    const query = dns.decode(message);
    upstream.send(
      dns.encode({ ...query, type: "response", answers: [{ type: "A", name: query.questions?.[0]?.name ?? "", data: "203.0.113.9" }] }),
      from.port,
      from.address,
    );
  });
  upstream.bind(5353, "127.0.0.1");
  await once(upstream, "listening");
  await net.networks.create({ Name: "n" });
  const a = await net.sandboxes.open(request("a", { mode: "n", endpoints: { n: { Aliases: ["web"] } } }));
  const b = await net.sandboxes.open(request("b", { mode: "n", endpoints: { n: { Aliases: ["web"] } } }));
  expect(a.files.resolvConf).toContain("nameserver 127.0.0.11\noptions ndots:0\n");
  expect(addresses(await ask(b.netns, "a"))).toEqual(["172.18.0.2"]);
  expect(addresses(await ask(a.netns, "b.n"))).toEqual(["172.18.0.3"]);
  expect(addresses(await ask(a.netns, "web")).toSorted()).toEqual(["172.18.0.2", "172.18.0.3"]);
  expect(addresses(await ask(a.netns, id("b").slice(0, 12)))).toEqual(["172.18.0.3"]);
  expect(addresses(await ask(a.netns, "3.0.18.172.in-addr.arpa", "PTR"))).toEqual(["b.n"]);
  expect(failure(await ask(a.netns, "example.org"))).toBe("SERVFAIL");
  upstreams.push("127.0.0.1");
  expect(addresses(await ask(a.netns, "example.org"))).toEqual(["203.0.113.9"]);
  await new Promise<void>((resolve) => upstream.close(() => resolve()));
  expect(failure(await ask(a.netns, "example.org"))).toBe("SERVFAIL");
  net.sandboxes.rename(id("b"), "bee");
  expect(addresses(await ask(a.netns, "bee"))).toEqual(["172.18.0.3"]);
});

test("without a way out nothing is asked outside, but of a resolver on the container's own network", async () => {
  const heard: string[] = [];
  const answering = (socket: ReturnType<typeof createSocket>, data: string) =>
    socket.on("message", (message, from) => {
      const query = dns.decode(message);
      heard.push(query.questions?.[0]?.name ?? "");
      socket.send(dns.encode({ ...query, type: "response", answers: [{ type: "A", name: heard.at(-1) ?? "", data }] }), from.port, from.address);
    });
  const outside = answering(createSocket("udp4"), "203.0.113.9");
  outside.bind(5353, "127.0.0.1");
  await once(outside, "listening");
  upstreams.push("127.0.0.1");
  await net.networks.create({ Name: "in", Internal: true });
  await net.networks.create({ Name: "out" });
  const a = await net.sandboxes.open(request("a", { mode: "in" }));
  const b = await net.sandboxes.open(request("b", { mode: "in", dns: { servers: ["172.18.0.2", "192.0.2.1"], search: [], options: [] } }));
  expect(failure(await ask(a.netns, "secret.example.org"))).toBe("SERVFAIL");
  const near = answering(createSocket("udp4"), "203.0.113.8");
  near.bind({ fd: kernel.inNetns(a.netns ?? "", () => kernel.boundSocket({ kind: "udp", address: "0.0.0.0", port: 53 })).fd });
  expect(addresses(await ask(b.netns, "near.example.org"))).toEqual(["203.0.113.8"]);
  await net.sandboxes.connect(id("a"), "out", {});
  expect(addresses(await ask(a.netns, "open.example.org"))).toEqual(["203.0.113.9"]);
  await net.sandboxes.disconnect(id("a"), "out");
  expect(failure(await ask(a.netns, "shut.example.org"))).toBe("SERVFAIL");
  expect(heard).toEqual(["near.example.org", "open.example.org"]);
  near.close();
  outside.close();
});

test("a container can serve DNS on every address itself", async () => {
  await net.networks.create({ Name: "n" });
  const a = await net.sandboxes.open(request("a", { mode: "n" }));
  const own = kernel.inNetns(a.netns ?? "", () => kernel.boundSocket({ kind: "udp", address: "0.0.0.0", port: 53 }));
  const socket = createSocket("udp4");
  socket.bind({ fd: own.fd });
  expect(addresses(await ask(a.netns, "a"))).toEqual(["172.18.0.2"]);
  socket.close();
});

test("published ports pass on half-closes, hairpin from containers, and show where they are", async () => {
  const a = await net.sandboxes.open(request("a", { ports: { "80/tcp": [{ HostIp: "", HostPort: "8080" }] }, exposed: ["80/tcp", "81/tcp"] }));
  expect(a.ports).toEqual({
    "80/tcp": [
      { HostIp: "0.0.0.0", HostPort: "8080" },
      { HostIp: "::", HostPort: "8080" },
    ],
    "81/tcp": null,
  });
  const server = await serve(a.netns, 80);
  expect(await talk("127.0.0.1", 8080, "hello")).toBe("heard hello from 172.17.0.1");
  expect(await talk("::1", 8080, "six")).toContain("heard six");
  expect(talkFrom(a.netns, "172.17.0.1", 8080)).toBe("connected");
  server.close();
});

test("occupied and impossible ports fail in dockerd's words and leave nothing", async () => {
  await net.sandboxes.open(request("a", { project: "shop", ports: { "80/tcp": [{ HostIp: "", HostPort: "8080" }] } }));
  const blocker = createServer().listen(9700, "0.0.0.0");
  await once(blocker, "listening");
  const prefix = "failed to set up container networking: driver failed programming external connectivity on endpoint b \\([0-9a-f]{64}\\): ";
  const attempt = (HostIp: string, HostPort: string) =>
    net.sandboxes.open(request("b", { ports: { "80/tcp": [{ HostIp, HostPort }], "53/udp": [{ HostIp: "", HostPort: "" }] } }));
  await expect(attempt("", "8080")).rejects.toMatchObject({
    class: "internal",
    message: expect.stringMatching(`^${prefix}Bind for :::8080 failed: port is already allocated by container a of project shop$`) as string,
  });
  await expect(attempt("", "9700")).rejects.toMatchObject({
    message: expect.stringMatching(
      `^${prefix}failed to bind host port for 0.0.0.0:9700:172.17.0.3:80/tcp: address already in use by .+ \\(process ${process.pid}\\)$`,
    ) as string,
  });
  await expect(attempt("10.1.2.3", "9701")).rejects.toThrow("failed to bind host port for 10.1.2.3:9701:172.17.0.3:80/tcp: cannot assign requested address");
  await expect(attempt("zz", "1")).rejects.toMatchObject({ class: "invalidArgument" });
  expect(readdirSync(join(dir, "netns"))).toEqual([id("a")]);
  const b = await net.sandboxes.open(request("b", { ports: { "80/tcp": [{ HostIp: "", HostPort: "9700-9702" }] } }));
  expect(b.ports["80/tcp"]?.[0]).toEqual({ HostIp: "0.0.0.0", HostPort: "9701" });
  blocker.close();
});

test("closing leaves no namespace, veth, rule or record behind, after failures too", async () => {
  net.networks.prepare();
  const before = await traces();
  await net.networks.create({ Name: "n" });
  const blocker = createServer().listen(9700, "0.0.0.0");
  await once(blocker, "listening");
  for (let i = 0; i < 5; i += 1) {
    await net.sandboxes.open(request(`c${i}`, { mode: "n", ports: { "80/tcp": [{ HostIp: "", HostPort: "" }] } }));
    await expect(net.sandboxes.open(request(`f${i}`, { mode: "n", ports: { "80/tcp": [{ HostIp: "", HostPort: "9700" }] } }))).rejects.toThrow("in use");
  }
  for (let i = 0; i < 5; i += 1) await net.sandboxes.close(id(`c${i}`));
  await net.networks.remove("n");
  blocker.close();
  expect(await traces()).toEqual(before);
  await net.sandboxes.close(id("c0"));
});

test("an engine that ends with no container takes its bridges and rules along", async () => {
  await net.networks.create({ Name: "n" });
  await closeAll();
  expect(kernel.nft("list ruleset")).toBe("");
  expect(execFileSync("ip", ["-br", "link"], { encoding: "utf8" }).trim().split("\n")).toHaveLength(1);
  openAll();
  expect(net.networks.inspect("n").IPAM.Config?.[0]?.Subnet).toBe("172.18.0.0/16");
  expect(kernel.nft("list ruleset")).toBe("");
  net.networks.prepare();
  expect(kernel.nft("list table inet slipway")).toContain("172.18.0.0/16");
});

test("a sandbox outlives the engine: addresses, names and ports come back with the next one", async () => {
  await net.networks.create({ Name: "n" });
  const asked = request("a", { mode: "n", ports: { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "" }] } });
  const a = await net.sandboxes.open(asked);
  await net.sandboxes.open(request("gone", { mode: "n" }));
  const server = await serve(a.netns, 80);
  await closeAll();
  kernel.removeNetns(join(dir, "netns", id("gone")));
  openAll();
  await expect(net.networks.remove("n")).rejects.toMatchObject({
    class: "forbidden",
    message: expect.stringMatching(/^error while removing network: network n has active endpoints \(name:"a" id:"[0-9a-f]{12}"/) as string,
  });
  const again = await net.sandboxes.restore(asked);
  expect(again).toEqual(a);
  expect(await net.sandboxes.restore(request("gone", { mode: "n" }))).toBeUndefined();
  expect(await net.sandboxes.restore(request("never", { mode: "n" }))).toBeUndefined();
  expect(addresses(await ask(a.netns, "a"))).toEqual(["172.18.0.2"]);
  expect(await talk("127.0.0.1", Number(again?.ports["80/tcp"]?.[0]?.HostPort), "back")).toContain("heard back");
  const b = await net.sandboxes.open(request("b", { mode: "n" }));
  expect(b.endpoints["n"]?.IPAddress).toBe("172.18.0.3");
  server.close();
});

test("what was not taken up again is swept", async () => {
  await net.sandboxes.open(request("a"));
  await closeAll();
  openAll();
  await net.sandboxes.sweep();
  expect(readdirSync(join(dir, "netns"))).toEqual([]);
  expect((await net.sandboxes.open(request("b"))).endpoints["bridge"]?.IPAddress).toBe("172.17.0.2");
});

test("a half-made bridge, left by an engine killed between its two steps, is finished by the next one", async () => {
  const { Id } = await net.networks.create({ Name: "half" });
  const bridge = `br-${Id.slice(0, 12)}`;
  const shown = (): string => execFileSync("ip", ["-o", "link", "show", bridge], { encoding: "utf8" });
  const [, mac = ""] = /link\/ether (\S+)/.exec(shown()) ?? [];
  await closeAll();
  execFileSync("ip", ["link", "add", bridge, "address", mac, "type", "bridge"]);
  openAll();
  net.networks.prepare();
  expect(shown()).toContain(`alias slipway:${Id}`);
});

test("a bridge of somebody else's Docker is left alone", async () => {
  await closeAll();
  execFileSync("ip", ["link", "add", "docker0", "type", "bridge"]);
  execFileSync("ip", ["addr", "add", "172.17.0.1/16", "dev", "docker0"]);
  execFileSync("ip", ["link", "set", "docker0", "up"]);
  rmSync(join(dir, "state.db"));
  openAll();
  const bridge = net.networks.inspect("bridge");
  expect(bridge.Options["com.docker.network.bridge.name"]).toBe("slipway0");
  expect(bridge.IPAM.Config?.[0]?.Subnet).toBe("172.18.0.0/16");
  await closeAll();
  expect(execFileSync("ip", ["-br", "link"], { encoding: "utf8" })).toContain("docker0");
  openAll();
});

test("host mode shares, none has only a loopback, container mode joins", async () => {
  const host = await net.sandboxes.open(request("h", { mode: "host", ports: { "80/tcp": [{ HostIp: "", HostPort: "80" }] } }));
  expect(host.netns).toBeUndefined();
  expect([host.ports, Object.keys(host.endpoints)]).toEqual([{}, ["host"]]);
  expect(host.files.resolvConf).toContain("nameserver 192.0.2.53");
  const none = await net.sandboxes.open(request("n", { mode: "none" }));
  expect(run(none.netns, "ip", "-br", "link").trim().split("\n")).toHaveLength(1);
  const joined = await net.sandboxes.open(request("j", { mode: `container:${id("n")}` }));
  expect(joined.netns).toBe(none.netns);
  await net.sandboxes.close(id("j"));
  expect(existsSync(none.netns ?? "")).toBe(true);
  await expect(net.sandboxes.open(request("x", { mode: `container:${id("absent")}` }))).rejects.toThrow("non running container");
  expect(Object.keys(net.networks.inspect("none").Containers)).toEqual([id("n")]);
});

test("a container on two networks has both addresses and leaves by the first name or the higher priority", async () => {
  await net.networks.create({ Name: "aa" });
  await net.networks.create({ Name: "bb", IPAM: { Config: [{ Subnet: "10.44.0.0/24" }] } });
  const two = await net.sandboxes.open(
    request("t", { mode: "bb", endpoints: { bb: { IPAMConfig: { IPv4Address: "10.44.0.77" }, MacAddress: "02:42:0a:2c:00:33" }, aa: {} } }),
  );
  expect(run(two.netns, "ip", "-br", "addr")).toMatch(/eth0\S* +UP +10\.44\.0\.77\/24[^]*eth1\S* +UP +172\.18\.0\.2\/16/);
  expect(two.endpoints["bb"]?.MacAddress).toBe("02:42:0a:2c:00:33");
  expect(run(two.netns, "ip", "route")).toContain("default via 172.18.0.1");
  const prior = await net.sandboxes.open(request("p", { mode: "bb", endpoints: { bb: { GwPriority: 1 }, aa: {} } }));
  expect(run(prior.netns, "ip", "route")).toContain("default via 10.44.0.1");
});

test("connecting and disconnecting a running container changes its interfaces, names and events", async () => {
  await net.networks.create({ Name: "n" });
  await net.sandboxes.open(request("other", { mode: "n" }));
  const a = await net.sandboxes.open(request("a", { ports: { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "8080" }] } }));
  const server = await serve(a.netns, 80);
  const both = await net.sandboxes.connect(id("a"), "n", { Aliases: ["x"] });
  expect(Object.keys(both.endpoints)).toEqual(["bridge", "n"]);
  expect(addresses(await ask(a.netns, "other"))).toEqual(["172.18.0.2"]);
  await expect(net.sandboxes.connect(id("a"), "n", {})).rejects.toThrow("endpoint with name a already exists in network n");
  const one = await net.sandboxes.disconnect(id("a"), "bridge");
  expect(Object.keys(one.endpoints)).toEqual(["n"]);
  expect(one.ports["80/tcp"]).toEqual([{ HostIp: "127.0.0.1", HostPort: "8080" }]);
  expect(await talk("127.0.0.1", 8080, "moved")).toBe("heard moved from 172.18.0.1");
  expect(run(a.netns, "ip", "route")).toContain("default via 172.18.0.1");
  await expect(net.sandboxes.disconnect(id("a"), "bridge")).rejects.toThrow("is not connected to network bridge");
  const told: EventMessage[] = [];
  const signal = AbortSignal.timeout(10_000);
  for await (const event of events.follow({ sinceNano: 0n, signal })) {
    told.push(event);
    if (event.Action === "disconnect") break;
  }
  expect(told.map(({ Action }) => Action)).toEqual(["create", "connect", "disconnect"]);
  server.close();
});

test("an IPv6 network gives addresses of its own prefix and a default route", async () => {
  await net.networks.create({ Name: "six", EnableIPv6: true, IPAM: { Config: [{ Subnet: "fd00:6::/64" }] } });
  const a = await net.sandboxes.open(request("a", { mode: "six" }));
  expect(a.endpoints["six"]).toMatchObject({ GlobalIPv6Address: "fd00:6::2", GlobalIPv6PrefixLen: 64, IPv6Gateway: "fd00:6::1" });
  expect(run(a.netns, "ip", "-6", "route")).toContain("default via fd00:6::1");
  const server = await serve(a.netns, 80, "::");
  expect(await talk("fd00:6::2", 80, "v6")).toBe("heard v6 from fd00:6::1");
  expect(addresses(await ask(a.netns, "a", "AAAA"))).toEqual(["fd00:6::2"]);
  server.close();
});

test("fifty containers at a time keep their addresses apart", async () => {
  const opened = await Promise.all(Array.from({ length: 50 }, (_, i) => net.sandboxes.open(request(`m${i}`))));
  expect(new Set(opened.map(({ endpoints }) => endpoints["bridge"]?.IPAddress)).size).toBe(50);
  expect(Object.keys(net.networks.inspect("bridge").Containers)).toHaveLength(50);
});
