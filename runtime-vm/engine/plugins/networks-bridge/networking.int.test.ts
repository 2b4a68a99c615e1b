import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { EventMessage } from "#api/events.ts";
import { inOwnNetwork, addresses, ask, dir, events, id, kernel, net, request, run, serve, talk, talkFrom } from "./rig.ts";

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
