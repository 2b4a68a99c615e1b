/** Networks and ports by the API of an engine of its own. */
import { execFileSync, spawnSync } from "node:child_process";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ContainerStats } from "#api/stats.ts";
import { type Rig, events, inspect, openRig, remove, run, sh } from "./rig.ts";

let rig: Rig;
const ip = (...args: string[]): string => execFileSync("ip", ["-n", rig.netns, ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
const has = (kind: string): boolean => {
  try {
    ip("link", "add", "link", "up0", "name", "try0", "type", kind);
    ip("link", "del", "try0");
    return true;
  } catch {
    return false;
  }
};

beforeAll(async () => {
  rig = await openRig("networks");
  ip("link", "add", "up0", "type", "veth", "peer", "name", "up1");
  for (const name of ["up0", "up1"]) ip("link", "set", name, "up");
});
afterAll(() => rig?.[Symbol.asyncDispose]());

test.for(["macvlan", "ipvlan"])("statistics count what a container of a %s network sends and gets, and events name its driver", async (Driver, { skip }) => {
  if (!has(Driver)) skip(`this kernel has no ${Driver}`);
  const { client } = rig;
  const IPAM = { Config: [{ Subnet: "10.70.0.0/24" }] };
  const { Id } = await client.json<{ Id: string }>("POST", "/networks/create", { json: { Name: "m", Driver, Options: { parent: "up0" }, IPAM } });
  const watched = events(client, { type: ["network"] });
  await watched.ready;
  const HostConfig = { NetworkMode: "m" };
  const there = await run(client, { name: "there", HostConfig, Cmd: ["sleep", "1000"] });
  const pinging = await run(client, { HostConfig, ...sh("ping -c 3 -i 0.1 there && exec sleep 1000") });
  const counted = async () => (await client.json<ContainerStats>("GET", `/containers/${pinging}/stats`, { query: { stream: 0, "one-shot": 1 } })).networks;
  await expect.poll(async () => (await counted())?.["eth0"]?.rx_packets ?? 0, { timeout: 60_000 }).toBeGreaterThan(2);
  expect(Object.keys((await counted()) ?? {})).toEqual(["eth0"]);
  expect((await counted())?.["eth0"]?.tx_bytes).toBeGreaterThan(3 * 64);
  for (const one of [there, pinging]) await remove(client, one);
  await client.call("DELETE", "/networks/m");
  await expect.poll(() => watched.seen.some(({ Action }) => Action === "destroy")).toBe(true);
  watched.stop();
  expect(watched.seen.map(({ Action, Actor }) => [Action, Actor.ID, Actor.Attributes["type"]])).toEqual(
    ["connect", "connect", "disconnect", "disconnect", "destroy"].map((action) => [action, Id, Driver]),
  );
});

test("a port of a running container is published and taken back, is kept for its next start, and refused in words that help", async () => {
  const { client } = rig;
  const id = await run(client, { name: "web", ...sh("while :; do echo hello | nc -l -p 80; done") });
  const change = (json: unknown) => client.json<{ Ports: Record<string, unknown> }>("POST", `/slipway/containers/web/ports`, { json });
  const at = (HostPort: string) => [{ HostIp: "127.0.0.1", HostPort }];
  expect((await change({ Add: { "80/tcp": at("18080") } })).Ports).toEqual({ "80/tcp": at("18080") });
  // Started is not yet listening.
  const said = () => spawnSync("ip", ["netns", "exec", rig.netns, "bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/18080; cat <&3"], { encoding: "utf8" }).stdout;
  await expect.poll(said).toBe("hello\n");
  await client.call("POST", `/containers/${id}/restart`, { query: { t: 0 } });
  expect((await inspect(client, id)).NetworkSettings.Ports).toEqual({ "80/tcp": at("18080") });
  expect((await inspect(client, id)).HostConfig.PortBindings).toEqual({ "80/tcp": at("18080") });
  expect((await change({ Remove: { "80/tcp": null } })).Ports).toEqual({});
  expect((await inspect(client, id)).HostConfig.PortBindings).toEqual({});
  await expect(change({})).rejects.toThrow('no ports given: say what to publish in "Add"');
  await expect(change({ Add: { "80/sctp": at("1") } })).rejects.toThrow("publishing SCTP ports is not supported");
  await expect(change({ Remove: { "80/tcp": null } })).rejects.toMatchObject({ class: "notFound" });
  await client.call("POST", `/containers/${id}/stop`, { query: { t: 0 } });
  await expect(change({ Add: { "80/tcp": at("18080") } })).rejects.toMatchObject({ class: "conflict" });
  await remove(client, id);
});
