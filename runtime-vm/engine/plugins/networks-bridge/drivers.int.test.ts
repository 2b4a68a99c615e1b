/** Networks besides the usual: on interfaces of the machine, routed, isolated, with a configuration of others. */
import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { addresses, ask, closeAll, id, inOwnNetwork, kernel, net, openAll, request, run, serve, talk, talkFrom } from "./rig.ts";

inOwnNetwork();

const ip = (...args: string[]): string => execFileSync("ip", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

/** Whether this kernel can make such interfaces. */
function can(...kind: string[]): boolean {
  ip("link", "add", "p0", "type", "veth", "peer", "name", "p1");
  try {
    ip("link", "add", "link", "p0", "name", "try0", "type", ...kind);
    ip("link", "del", "try0");
    return true;
  } catch {
    return false;
  } finally {
    ip("link", "del", "p0");
  }
}

/** An interface of the machine. */
function openParent(): void {
  ip("link", "add", "up0", "type", "veth", "peer", "name", "up1");
  for (const name of ["up0", "up1"]) ip("link", "set", name, "up");
}

test("containers of a macvlan network are on the network of the machine's interface, with names and no published port", async () => {
  openParent();
  await net.networks.create({ Name: "m", Driver: "macvlan", Options: { parent: "up0" }, IPAM: { Config: [{ Subnet: "10.70.0.0/24" }] } });
  const a = await net.sandboxes.open(request("a", { mode: "m", ports: { "80/tcp": [{ HostIp: "", HostPort: "8080" }] }, exposed: ["80/tcp"] }));
  const b = await net.sandboxes.open(
    request("b", { mode: "m", endpoints: { m: { IPAMConfig: { IPv4Address: "10.70.0.9" }, MacAddress: "02:00:00:00:00:09" } } }),
  );
  expect(a.endpoints["m"]).toMatchObject({ IPAddress: "10.70.0.2", Gateway: "10.70.0.1" });
  expect([a.ports, a.interfaces]).toEqual([{}, []]);
  expect(run(a.netns, "ip", "-d", "link", "show", "eth0")).toContain("macvlan mode bridge");
  expect(run(a.netns, "ip", "route")).toContain("default via 10.70.0.1 dev eth0");
  expect(run(b.netns, "ip", "-br", "link", "show", "eth0")).toContain("02:00:00:00:00:09");
  const server = await serve(a.netns, 80);
  expect(talkFrom(b.netns, "10.70.0.2", 80)).toBe("connected");
  expect(addresses(await ask(b.netns, "a"))).toEqual(["10.70.0.2"]);
  server.close();
  await net.sandboxes.disconnect(id("b"), "m");
  expect(run(b.netns, "ip", "-br", "link").trim().split("\n")).toHaveLength(1);
  await net.sandboxes.connect(id("b"), "m", {});
  expect(run(b.netns, "ip", "-br", "addr", "show", "eth0")).toContain("10.70.0.3/24");
});

test("a sandbox on a machine's interface outlives the engine, and an interface that is gone is no reason for others to fail", async () => {
  openParent();
  await net.networks.create({ Name: "m", Driver: "macvlan", Options: { parent: "up0" } });
  const asked = request("a", { mode: "m" });
  const a = await net.sandboxes.open(asked);
  await closeAll();
  openAll();
  expect(await net.sandboxes.restore(asked)).toEqual(a);
  await net.sandboxes.close(id("a"));
  await closeAll();
  ip("link", "del", "up0");
  openAll();
  expect((await net.sandboxes.open(request("b"))).endpoints["bridge"]?.IPAddress).toBe("172.17.0.2");
  await expect(net.sandboxes.open(asked)).rejects.toThrow("-o parent interface was not found on the host: up0");
  await net.networks.remove("m");
});

test.each([
  ["l2", "default via 10.72.0.1 dev eth0"],
  ["l3", "default dev eth0"],
])("an ipvlan network in mode %s routes as it should", async (mode, route) => {
  openParent();
  const create = () =>
    net.networks.create({ Name: "i", Driver: "ipvlan", Options: { parent: "up0", ipvlan_mode: mode }, IPAM: { Config: [{ Subnet: "10.72.0.0/24" }] } });
  await create();
  if (!can("ipvlan")) {
    await expect(net.sandboxes.open(request("a", { mode: "i" }))).rejects.toThrow("this kernel has no ipvlan");
    return;
  }
  const a = await net.sandboxes.open(request("a", { mode: "i" }));
  expect(run(a.netns, "ip", "-d", "link", "show", "eth0")).toContain(`ipvlan  mode ${mode}`);
  expect(run(a.netns, "ip", "route")).toContain(route);
});

test.each([
  [{ parent: "up0.10" }, "up0.10", "vlan"],
  [{}, /^dm-[0-9a-f]{12}$/, "dummy"],
])("with %j the interface is made, and goes with the network", async (Options, name, kind) => {
  openParent();
  const possible = kind === "vlan" ? can("vlan", "id", "10") : can("dummy");
  const created = net.networks.create({ Name: "v", Driver: "macvlan", Options, IPAM: { Config: [{ Subnet: "10.73.0.0/24" }] } });
  if (!possible) {
    await expect(created).rejects.toThrow("operation not supported by this kernel");
    expect(net.networks.list({}).map(({ Name }) => Name)).not.toContain("v");
    return;
  }
  await created;
  const made = (): string[] => (JSON.parse(ip("-j", "link")) as { ifname: string }[]).map(({ ifname }) => ifname);
  expect(made()).toContainEqual(typeof name === "string" ? name : (expect.stringMatching(name) as string));
  await net.sandboxes.open(request("a", { mode: "v" }));
  await net.sandboxes.close(id("a"));
  await net.networks.remove("v");
  expect(made().filter((one) => one.startsWith("dm-") || one.includes("."))).toEqual([]);
});

test("on a routed network ports are opened and not published, and nothing is hidden", async () => {
  await net.networks.create({ Name: "r", Options: { "com.docker.network.bridge.gateway_mode_ipv4": "routed" } });
  const a = await net.sandboxes.open(request("a", { mode: "r", ports: { "80/tcp": [{ HostIp: "0.0.0.0", HostPort: "8080" }] }, exposed: ["80/tcp"] }));
  expect(a.ports).toEqual({ "80/tcp": [{ HostIp: "0.0.0.0", HostPort: "" }] });
  const rules = kernel.nft("list table inet slipway");
  expect(rules).toContain("172.18.0.2 . tcp . 80");
  expect(rules).not.toContain("172.18.0.0/16");
  expect(rules).not.toContain("8080");
});

test("an isolated network has no address of the machine, and its first one is a container's", async () => {
  await net.networks.create({ Name: "i", Internal: true, Options: { "com.docker.network.bridge.gateway_mode_ipv4": "isolated" } });
  const a = await net.sandboxes.open(request("a", { mode: "i" }));
  expect(a.endpoints["i"]).toMatchObject({ IPAddress: "172.18.0.1", Gateway: "" });
  expect(ip("-br", "-4", "addr")).not.toContain("172.18.");
});

test("a network's packets are as large as asked, and its auxiliary addresses are nobody's", async () => {
  const IPAM = { Config: [{ Subnet: "10.74.0.0/24", AuxiliaryAddresses: { printer: "10.74.0.2", router: "10.74.0.4" } }] };
  await net.networks.create({ Name: "n", Options: { "com.docker.network.driver.mtu": "1280" }, IPAM });
  const found = [await net.sandboxes.open(request("a", { mode: "n" })), await net.sandboxes.open(request("b", { mode: "n" }))];
  expect(found.map(({ endpoints }) => endpoints["n"]?.IPAddress)).toEqual(["10.74.0.3", "10.74.0.5"]);
  for (const { netns, interfaces } of found) {
    expect(run(netns, "ip", "link", "show", "eth0")).toContain("mtu 1280");
    expect(ip("link", "show", interfaces[0] ?? "")).toContain("mtu 1280");
  }
  expect(net.networks.inspect("n").IPAM.Config?.[0]).toMatchObject({ AuxiliaryAddresses: { printer: "10.74.0.2", router: "10.74.0.4" } });
});

test("what is published on 127.0.0.1 is there and nowhere else: not at other addresses, and not for containers", async () => {
  await net.networks.create({ Name: "n" });
  const a = await net.sandboxes.open(request("a", { mode: "n", ports: { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "8080" }] } }));
  const b = await net.sandboxes.open(request("b"));
  const server = await serve(a.netns, 80);
  expect(await talk("127.0.0.1", 8080, "hi")).toContain("heard hi");
  for (const address of ["127.0.0.2", "172.17.0.1", "172.18.0.1"]) await expect(talk(address, 8080, "hi")).rejects.toThrow("ECONNREFUSED");
  for (const address of ["127.0.0.1", "172.17.0.1", "172.18.0.1"]) {
    expect(() => run(b.netns, "timeout", "1", "bash", "-c", `exec 3<>/dev/tcp/${address}/8080`)).toThrow();
  }
  server.close();
});

test("an endpoint's options name its interface and set what the kernel does with it", async () => {
  await net.networks.create({ Name: "n" });
  const sysctls = "net.ipv4.conf.IFNAME.log_martians=1,net.ipv4.conf.IFNAME.rp_filter=2";
  const DriverOpts = { "com.docker.network.endpoint.ifname": "lan0", "com.docker.network.endpoint.sysctls": sysctls };
  const a = await net.sandboxes.open(request("a", { mode: "n", endpoints: { n: { DriverOpts } } }));
  expect(run(a.netns, "ip", "-br", "addr", "show", "lan0")).toContain("172.18.0.2/16");
  expect(run(a.netns, "cat", "/proc/sys/net/ipv4/conf/lan0/log_martians", "/proc/sys/net/ipv4/conf/lan0/rp_filter")).toBe("1\n2\n");
  const open = (options: Record<string, string>) => net.sandboxes.open(request("b", { mode: "n", endpoints: { n: { DriverOpts: options } } }));
  await expect(open({ "com.docker.network.endpoint.sysctls": "net.ipv4.conf.IFNAME.nosuch=1" })).rejects.toThrow("is not a sysctl file");
  await expect(open({ "com.docker.network.endpoint.ifname": "bad/name" })).rejects.toThrow("invalid interface name");
  expect(net.networks.inspect("n").Containers).toEqual({ [id("a")]: expect.objectContaining({ Name: "a" }) as unknown });
});

test("a network that others have their configuration from stays while they are there, and takes no container", async () => {
  await net.networks.create({ Name: "held", ConfigOnly: true, IPAM: { Config: [{ Subnet: "10.8.0.0/24" }] } });
  await net.networks.create({ Name: "user", ConfigFrom: { Network: "held" } });
  expect((await net.sandboxes.open(request("a", { mode: "user" }))).endpoints["user"]?.IPAddress).toBe("10.8.0.2");
  await expect(net.networks.remove("held")).rejects.toThrow('error while removing network: configuration network "held" is in use');
  await expect(net.sandboxes.open(request("b", { mode: "held" }))).rejects.toThrow("cannot create endpoint on configuration-only network");
  await expect(net.sandboxes.connect(id("a"), "host", {})).rejects.toThrow("cannot connect container to host network");
  await net.sandboxes.close(id("a"));
  await net.networks.remove("user");
  await net.networks.remove("held");
});
