import { existsSync } from "node:fs";
import { buffer } from "node:stream/consumers";
import type { ContainerInspect } from "#api/containers.ts";
import { delay } from "#base/deadline.ts";
import type { EngineClient } from "#client/client.ts";
import { call, create, frames, logs, remove, run, sh, unlessGone } from "../engine/rig.ts";
import { tarOf } from "../fixtures/image.ts";

/** A stream of numbers in [0, 1) that a seed repeats (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What an act was told before the engine died, and what must therefore hold afterwards. */
export interface Promised {
  /** Containers whose start was answered, with the exit code and line they will end with; absent: they go on. */
  readonly started: Map<string, { exitCode: number; line: string } | undefined>;
  readonly created: Set<string>;
  readonly removed: Set<string>;
  readonly volumes: Set<string>;
  readonly networks: Set<string>;
  readonly images: Set<string>;
  /** Containers whose shim was killed, too: they end as if killed, and can be started again. */
  readonly lost: Set<string>;
}

export const nothingPromised = (): Promised => ({
  started: new Map(),
  created: new Set(),
  removed: new Set(),
  volumes: new Set(),
  networks: new Set(),
  images: new Set(),
  lost: new Set(),
});

export interface Stage {
  readonly client: EngineClient;
  readonly promised: Promised;
  /** Unique in the whole test. */
  readonly name: string;
  /** A `docker save` archive of an image `made:N`. */
  readonly archive: Buffer;
  /** Something to pull. */
  readonly remote: string;
}

type Act = (stage: Stage) => Promise<void>;

export async function* once(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
  await Promise.resolve();
}

/** A container with an anonymous volume and a published port; told as started once the engine has said so. */
async function start({ client, promised, name }: Stage, body: object, ends?: { exitCode: number; line: string }): Promise<string> {
  const id = await create(client, {
    name,
    HostConfig: { PortBindings: { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "" }] } },
    Volumes: { "/data": {} },
    ...body,
  });
  promised.created.add(id);
  await client.call("POST", `/containers/${id}/start`);
  promised.started.set(id, ends);
  return id;
}

const sleeping = sh("exec sleep 1000");

export const acts: Readonly<Record<string, Act>> = {
  "run a short one": async (stage) => void (await start(stage, sh("sleep 0.3; echo last words; exit 7"), { exitCode: 7, line: "last words\n" })),
  "run a long one": async (stage) => void (await start(stage, sleeping)),
  "run --rm": async ({ client }) => {
    const id = await run(client, { ...sh("echo hi; sleep 0.1"), HostConfig: { AutoRemove: true }, Volumes: { "/data": {} } });
    await client.json("POST", `/containers/${id}/wait`, { query: { condition: "removed" } });
  },
  "restart policy": async (stage) => void (await start(stage, { ...sh("sleep 0.2; exit 1"), HostConfig: { RestartPolicy: { Name: "always" } } })),
  exec: async (stage) => {
    const id = await start(stage, sleeping);
    for (let i = 0; i < 5; i += 1) {
      const { Id } = await stage.client.json<{ Id: string }>("POST", `/containers/${id}/exec`, { json: { Cmd: ["sleep", "0.1"], AttachStdout: true } });
      const { stream } = await stage.client.hijack(`/exec/${Id}/start`, { json: {} });
      await frames(stream);
    }
  },
  attach: async (stage) => {
    const id = await start(stage, { ...sh("while :; do echo x; sleep 0.02; done") });
    const { stream } = await stage.client.hijack(`/containers/${id}/attach`, { query: { stream: 1, stdout: 1 } });
    await frames(stream);
  },
  stop: async (stage) => {
    const id = await start(stage, sleeping);
    stage.promised.started.delete(id);
    await stage.client.call("POST", `/containers/${id}/stop`, { query: { t: 0 } });
  },
  remove: async (stage) => {
    const id = await start(stage, sleeping);
    stage.promised.started.delete(id);
    stage.promised.created.delete(id);
    await remove(stage.client, id);
    stage.promised.removed.add(id);
  },
  load: async ({ client, archive }) => call(client, "POST", "/images/load", { query: { quiet: 1 }, body: once(archive) }),
  build: async ({ client, promised, name }) => {
    const context = await tarOf([{ name: "Dockerfile", data: `FROM busybox\nRUN echo ${name} > /one\nRUN head -c 3000000 /dev/zero > /two\nCOPY . /three\n` }]);
    const { body } = await client.stream("POST", "/build", { query: { t: name, forcerm: 1 }, body: once(context) });
    if (/"Successfully tagged/.test((await buffer(body)).toString())) promised.images.add(name);
  },
  prune: async ({ client, promised, name }) => {
    const label = { prune: name };
    const id = await run(client, { ...sh("exit 3"), Labels: label });
    await client.json("POST", `/containers/${id}/wait`);
    await client.json("POST", "/volumes/create", { json: { Name: name, Labels: label } });
    const filters = JSON.stringify({ label: [`prune=${name}`], all: ["true"] });
    const { ContainersDeleted } = await client.json<{ ContainersDeleted: string[] | null }>("POST", "/containers/prune", {
      query: { filters: JSON.stringify({ label: [`prune=${name}`] }) },
    });
    for (const gone of ContainersDeleted ?? []) promised.removed.add(gone);
    await client.json("POST", "/volumes/prune", { query: { filters } });
  },
  pull: async ({ client, remote }) => call(client, "POST", "/images/create", { query: { fromImage: remote } }),
  volumes: async ({ client, promised, name }) => {
    for (let i = 0; i < 10; i += 1) {
      await client.json("POST", "/volumes/create", { json: { Name: `${name}-${i}` } });
      promised.volumes.add(`${name}-${i}`);
    }
  },
  networks: async ({ client, promised, name }) => {
    await client.json("POST", "/networks/create", { json: { Name: name } });
    promised.networks.add(name);
    const id = await run(client, { ...sleeping, HostConfig: { NetworkMode: name } });
    await client.call("POST", "/networks/bridge/connect", { json: { Container: id } });
  },
  "change networks": async ({ client, promised, name }) => {
    const id = await run(client, { ...sleeping });
    for (let i = 0; i < 3; i += 1) {
      const network = `${name}-${i}`;
      await client.json("POST", "/networks/create", { json: { Name: network } });
      promised.networks.add(network);
      await client.call("POST", `/networks/${network}/connect`, { json: { Container: id } });
      await client.json("POST", `/slipway/containers/${id}/ports`, { json: { Add: { "81/tcp": [{ HostIp: "127.0.0.1", HostPort: "" }] } } });
      await client.json("POST", `/slipway/containers/${id}/ports`, { json: { Remove: { "81/tcp": null } } });
      await client.call("POST", `/networks/${network}/disconnect`, { json: { Container: id } });
      promised.networks.delete(network);
      await client.call("DELETE", `/networks/${network}`);
    }
  },
  "volume contents": async ({ client, promised, name }) => {
    await client.json("POST", "/volumes/create", { json: { Name: name } });
    promised.volumes.add(name);
    const id = await run(client, { ...sh("head -c 3000000 /dev/zero > /data/big; exec sleep 1000"), HostConfig: { Binds: [`${name}:/data`] } });
    for (let i = 0; i < 3; i += 1) {
      const fork = `${name}-${i}`;
      await client.json("POST", `/slipway/volumes/${name}/snapshots`, { json: { Name: "now" } });
      await client.json("POST", `/slipway/volumes/${name}/fork`, { json: { Name: fork, Snapshot: "now" } });
      promised.volumes.add(fork);
      await client.call("DELETE", `/slipway/volumes/${name}/snapshots/now`);
      promised.volumes.delete(fork);
      await client.call("DELETE", `/volumes/${fork}`);
    }
    await remove(client, id);
  },
  "copy and commit": async ({ client, name }) => {
    const id = await run(client, { ...sh("head -c 3000000 /dev/zero > /big; exec sleep 1000"), Volumes: { "/data": {} } });
    for (let i = 0; i < 3; i += 1) await call(client, "GET", `/containers/${id}/archive`, { query: { path: "/bin/busybox" } });
    await client.json("POST", "/commit", { query: { container: id, repo: name } });
  },
};

/** Every promise that a restarted engine broke, in words. */
export async function brokenPromises(client: EngineClient, promised: Promised): Promise<string[]> {
  const broken: string[] = [];
  const inspect = async (id: string): Promise<ContainerInspect | undefined> =>
    client.json<ContainerInspect>("GET", `/containers/${id}/json`).catch(() => undefined);
  for (const id of promised.created) {
    const found = await inspect(id);
    if (found === undefined) broken.push(`${id} was created and is not there`);
    // Nothing of a start that was cut off is in the way of the next.
    else if (found.State.Status === "created")
      await client.call("POST", `/containers/${id}/start`).catch((error: unknown) => broken.push(`${id} cannot be started: ${String(error)}`));
  }
  for (const id of promised.removed) if ((await inspect(id)) !== undefined) broken.push(`${id} was removed and is there`);
  for (const [id, ends] of promised.started) {
    const found = await inspect(id);
    if (found === undefined) continue;
    if (promised.lost.has(id)) {
      // 304: it runs already, so its process must be there.
      await client
        .call("POST", `/containers/${id}/start`)
        .catch((error: unknown) => / 304$/.test(String(error)) || broken.push(`${id} cannot be started: ${String(error)}`));
      if (!(await isAsCalled(() => inspect(id)))) broken.push(`${id} is called running, and its process is gone`);
      continue;
    }
    if (ends === undefined) {
      const { Status, ExitCode, Error: reason } = await goingOn(inspect, id, found.State);
      if (Status !== "running" && Status !== "restarting") broken.push(`${id} was started and is ${Status} (${ExitCode}, ${reason})`);
      continue;
    }
    await client.json("POST", `/containers/${id}/wait`);
    const { State } = (await inspect(id)) ?? found;
    const { stdout } = await logs(client, id);
    if (State.ExitCode !== ends.exitCode) broken.push(`${id} ended with ${State.ExitCode}, not ${ends.exitCode}`);
    if (stdout !== ends.line) broken.push(`${id} printed ${JSON.stringify(stdout)}, not ${JSON.stringify(ends.line)}`);
  }
  for (const name of promised.volumes) await client.json("GET", `/volumes/${name}`).catch(() => broken.push(`volume ${name} is gone`));
  for (const name of promised.images) await client.json("GET", `/images/${name}/json`).catch(() => broken.push(`image ${name} is gone`));
  for (const name of promised.networks) await client.json("GET", `/networks/${name}`).catch(() => broken.push(`network ${name} is gone`));
  return broken;
}

/** Whether what is called running has a process, in the end: one that ends just now is called running a moment longer. */
async function isAsCalled(inspect: () => Promise<ContainerInspect | undefined>): Promise<boolean> {
  for (let tries = 0; tries < 50; tries += 1) {
    const state = (await inspect())?.State;
    if (state?.Running !== true || existsSync(`/proc/${state.Pid}`)) return true;
    await delay(100);
  }
  return false;
}

/** The state once the container goes on: restart policies act after the first answer of the API. */
async function goingOn(
  inspect: (id: string) => Promise<ContainerInspect | undefined>,
  id: string,
  first: ContainerInspect["State"],
): Promise<ContainerInspect["State"]> {
  let state = first;
  for (let tries = 0; tries < 100 && state.Status === "exited"; tries += 1) {
    await delay(100);
    state = (await inspect(id))?.State ?? state;
  }
  return state;
}

/** Removes everything but what is named in `keep`. */
export async function tidy(client: EngineClient, keep: { container: string; image: string | readonly string[] }): Promise<void> {
  const others = async () => (await client.json<{ Id: string }[]>("GET", "/containers/json", { query: { all: 1 } })).filter(({ Id }) => Id !== keep.container);
  for (let left = await others(); left.length > 0; left = await others()) for (const { Id } of left) await remove(client, Id).catch(unlessGone);
  for (const { Name } of (await client.json<{ Volumes: { Name: string }[] | null }>("GET", "/volumes")).Volumes ?? [])
    await client.call("DELETE", `/volumes/${Name}`);
  await client.json("POST", "/networks/prune");
  await client.json("POST", "/build/prune", { query: { all: 1 } });
  for (const { Id } of await client.json<{ Id: string }[]>("GET", "/images/json", { query: { all: 1 } })) {
    if (!keep.image.includes(Id)) await client.json("DELETE", `/images/${Id}`, { query: { force: 1 } });
  }
}
