import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { addresses, ask, closeAll, dir, id, kernel, net, openAll, request, serve, talk, traces, inOwnNetwork } from "./rig.ts";

inOwnNetwork();

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
