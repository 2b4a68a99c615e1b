import { isClass } from "#base/errors.ts";
import type { EngineClient } from "#client/client.ts";
import { call, create, inspect, remove, run, sh } from "../engine/rig.ts";
import { tarOf } from "../fixtures/image.ts";
import { once } from "./kills.ts";

/** One request that is cut off at each of its steps. Everything has names and ports of its own, so that done again it is the same. */
export interface StepAct {
  /** It is several acts, and those that were done before the kill may stay done: a container is ended and then removed, a volume filled for one. */
  readonly byPieces?: true;
  prepare?(client: EngineClient): Promise<unknown>;
  run(client: EngineClient): Promise<unknown>;
  /** Where asking once more is no answer to that. */
  isDone?(client: EngineClient): Promise<boolean>;
}

/** An image with this and files at /data. */
export const imageWithData = "with-data:1";

const sleeping = { ...sh("exec sleep 1000"), StopSignal: "KILL" };
const binding = (port: string) => [{ HostIp: "", HostPort: port }];
const network = (client: EngineClient, more: object = {}) => client.json("POST", "/networks/create", { json: { Name: "lan", ...more } });
const withIpv6 = { EnableIPv6: true, IPAM: { Config: [{ Subnet: "172.30.7.0/24" }, { Subnet: "fd00:5e9::/64" }] } };
const member = (HostConfig: object = {}) => ({ name: "member", ...sleeping, HostConfig: { NetworkMode: "lan", ...HostConfig } });
const join = (client: EngineClient, name: string) => client.call("POST", `/networks/lan/${name}`, { json: { Container: "member" } });
const ports = (client: EngineClient, json: object) => client.json("POST", "/slipway/containers/member/ports", { json });
const volume = (client: EngineClient, more: object = {}) => client.json("POST", "/volumes/create", { json: { Name: "vol", ...more } });
const start = (client: EngineClient) => client.call("POST", "/containers/member/start");

async function filledVolume(client: EngineClient): Promise<void> {
  await volume(client);
  const filler = { ...sh("for i in 1 2 3; do mkdir /data/$i; echo $i > /data/$i/file; done"), HostConfig: { Binds: ["vol:/data"], NetworkMode: "none" } };
  const id = await run(client, filler);
  await client.json("POST", `/containers/${id}/wait`);
  await remove(client, id);
}

const snapshot = (client: EngineClient) => client.json("POST", "/slipway/volumes/vol/snapshots", { json: { Name: "now" } });

export const stepActs: Readonly<Record<string, StepAct>> = {
  "create a network": { run: (client) => network(client, withIpv6) },
  "create a network of macvlan": {
    run: (client) => network(client, { Driver: "macvlan", Options: { parent: "eth0" }, IPAM: { Config: [{ Subnet: "172.30.8.0/24" }] } }),
  },
  "delete a network": { prepare: (client) => network(client, withIpv6), run: (client) => client.call("DELETE", "/networks/lan") },
  "prune networks": { prepare: network, run: (client) => client.json("POST", "/networks/prune") },
  connect: {
    prepare: async (client) => [await network(client, withIpv6), await run(client, { name: "member", ...sleeping })],
    run: (client) => join(client, "connect"),
  },
  disconnect: {
    prepare: async (client) => [await network(client, withIpv6), await run(client, { name: "member", ...sleeping }), await join(client, "connect")],
    run: (client) => join(client, "disconnect"),
    isDone: async (client) => !("lan" in (await inspect(client, "member")).NetworkSettings.Networks),
  },
  "start with networks and ports": {
    prepare: async (client) => {
      await network(client, withIpv6);
      await create(client, member({ PortBindings: { "80/tcp": binding("18080"), "53/udp": binding("18053") } }));
      await client.call("POST", "/networks/bridge/connect", { json: { Container: "member" } });
    },
    run: start,
  },
  stop: {
    prepare: async (client) => [await network(client, withIpv6), await run(client, member({ PortBindings: { "80/tcp": binding("18080") } }))],
    run: (client) => client.call("POST", "/containers/member/stop", { query: { t: 0 } }),
  },
  "remove with its volume": {
    byPieces: true,
    prepare: async (client) => [
      await network(client),
      await run(client, { ...member({ PortBindings: { "80/tcp": binding("18080") } }), Volumes: { "/v": {} } }),
    ],
    run: (client) => remove(client, "member"),
  },
  publish: {
    prepare: async (client) => [await network(client), await run(client, member())],
    run: (client) => ports(client, { Add: { "81/tcp": binding("18081"), "82/udp": binding("18082") } }),
  },
  unpublish: {
    prepare: async (client) => [await network(client), await run(client, member({ PortBindings: { "81/tcp": binding("18081"), "82/udp": binding("18082") } }))],
    run: (client) => ports(client, { Remove: { "81/tcp": null, "82/udp": null } }),
  },
  "create a volume": { run: (client) => volume(client, { Labels: { a: "b" } }) },
  "start with a volume of tmpfs": {
    prepare: async (client) => {
      await volume(client, { DriverOpts: { type: "tmpfs", device: "tmpfs", o: "size=1m" } });
      await create(client, { name: "member", ...sleeping, HostConfig: { Binds: ["vol:/data"], NetworkMode: "none" } });
    },
    run: start,
  },
  "create and copy up into a volume": {
    byPieces: true,
    prepare: volume,
    run: (client) => create(client, { name: "member", Image: imageWithData, ...sleeping, HostConfig: { Binds: ["vol:/data"], NetworkMode: "none" } }),
  },
  "create with an anonymous volume": {
    run: (client) => create(client, { name: "member", Image: imageWithData, ...sleeping, Volumes: { "/data": {} }, HostConfig: { NetworkMode: "none" } }),
  },
  import: {
    byPieces: true,
    run: async (client) => call(client, "POST", "/slipway/volumes/vol/import", { body: once(await tarOf(["a", "b"].map((name) => ({ name, data: name })))) }),
  },
  snapshot: { prepare: filledVolume, run: snapshot },
  "delete a snapshot": {
    prepare: async (client) => [await filledVolume(client), await snapshot(client)],
    run: (client) => client.call("DELETE", "/slipway/volumes/vol/snapshots/now"),
  },
  fork: { prepare: filledVolume, run: (client) => client.json("POST", "/slipway/volumes/vol/fork", { json: { Name: "fork" } }) },
  "fork a snapshot": {
    prepare: async (client) => [await filledVolume(client), await snapshot(client)],
    run: (client) => client.json("POST", "/slipway/volumes/vol/fork", { json: { Name: "fork", Snapshot: "now" } }),
  },
  "empty a volume": { byPieces: true, prepare: filledVolume, run: (client) => client.call("POST", "/slipway/volumes/vol/empty") },
  "delete a volume": {
    prepare: async (client) => [await filledVolume(client), await snapshot(client)],
    run: (client) => client.call("DELETE", "/volumes/vol"),
  },
  "prune volumes": { prepare: filledVolume, run: (client) => client.json("POST", "/volumes/prune", { query: { filters: '{"all":["true"]}' } }) },
};

/** The act once more; one that had come to its end before its answer is told that nothing is left to do. */
export async function runAgain(act: StepAct, client: EngineClient): Promise<void> {
  if ((await act.isDone?.(client)) === true) return;
  await act.run(client).catch((error: unknown) => {
    if (!(["notFound", "conflict", "notModified", "forbidden"] as const).some((cls) => isClass(error, cls))) throw error;
  });
}
