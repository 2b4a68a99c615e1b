import { mkdtempSync, rmSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ContainerInspect } from "#api/containers.ts";
import { isClass } from "#base/errors.ts";
import { EngineClient } from "#client/client.ts";
import { type Rig, call, create, frames, inspect, openRig, remove, run, sh, wait } from "../engine/rig.ts";
import { type Holdings, holdings, atRest } from "../fixtures/leaks.ts";
import { randomOf, tidy } from "./kills.ts";

const long = process.env["SLIPWAY_TEST_LONG"] === "1";
const seed = Number(process.env["SLIPWAY_TEST_SEED"] ?? (long ? Math.floor(Math.random() * 2 ** 31) : 20_261_125));
const random = randomOf(seed);

const root = mkdtempSync("/var/tmp/slipway-crowd-");
let rig: Rig;
/** Several clients, each with connections of its own. */
let clients: readonly EngineClient[];
let image: string;
let clean: Holdings;

/** Shims come with many containers and stay for the next ones. */
const now = (): Holdings => {
  const held = holdings({ socket: rig.program.socket, root, netns: rig.netns });
  return { ...held, files: held.files.filter((path) => !path.startsWith("/run/shims/hot-")) };
};
const expectClean = (): Promise<void> => expect.poll(now, { timeout: 20_000, interval: 200, message: `seed ${seed}` }).toEqual(clean);
const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;

beforeAll(async () => {
  console.log(`crowd: seed ${seed} (SLIPWAY_TEST_SEED repeats it)`);
  rig = await openRig("cr", { root });
  clients = Array.from({ length: 5 }, () => new EngineClient({ kind: "socket", path: rig.program.socket }));
  image = (await rig.client.json<{ Id: string }>("GET", "/images/busybox/json")).Id;
  // What is made once and kept is no leak.
  const first = await run(rig.client, { Cmd: ["true"], Volumes: { "/v": {} } });
  await wait(rig.client, first);
  await call(rig.client, "GET", `/containers/${first}/archive`, { query: { path: "/etc" } });
  await tidy(rig.client, { container: "", image });
  clean = await atRest(now);
});
afterAll(async () => {
  if (rig !== undefined) await tidy(rig.client, { container: "", image: "" });
  await rig?.[Symbol.asyncDispose]();
  rmSync(root, { recursive: true, force: true });
});

const names = ["a", "b", "c", "d", "e", "f"].map((letter) => `crowd-${letter}`);
const stopping = sh("trap 'exit 0' TERM; while :; do sleep 0.05; done");

/** What may be asked of a container at any time, and with what dockerd may refuse it. */
const requests: Readonly<Record<string, { may: readonly string[]; ask: (client: EngineClient, name: string) => Promise<unknown> }>> = {
  create: { may: ["conflict"], ask: (client, name) => create(client, { name, ...stopping, Volumes: { "/v": {} } }) },
  start: { may: ["notFound", "notModified", "conflict"], ask: (client, name) => client.call("POST", `/containers/${name}/start`) },
  stop: { may: ["notFound", "notModified"], ask: (client, name) => client.call("POST", `/containers/${name}/stop`, { query: { t: 1 } }) },
  kill: { may: ["notFound", "conflict"], ask: (client, name) => client.call("POST", `/containers/${name}/kill`) },
  restart: { may: ["notFound", "conflict"], ask: (client, name) => client.call("POST", `/containers/${name}/restart`, { query: { t: 0 } }) },
  pause: { may: ["notFound", "conflict"], ask: (client, name) => client.call("POST", `/containers/${name}/pause`) },
  unpause: { may: ["notFound", "conflict"], ask: (client, name) => client.call("POST", `/containers/${name}/unpause`) },
  remove: { may: ["notFound", "conflict"], ask: (client, name) => remove(client, name) },
  inspect: { may: ["notFound"], ask: (client, name) => inspect(client, name) },
  list: { may: [], ask: (client) => client.json("GET", "/containers/json", { query: { all: 1, size: 1 } }) },
  rename: {
    may: ["notFound", "conflict", "invalidArgument"],
    ask: (client, name) => client.call("POST", `/containers/${name}/rename`, { query: { name: pick(names) } }),
  },
  connect: { may: ["notFound", "conflict", "forbidden"], ask: (client, name) => client.call("POST", "/networks/crowd/connect", { json: { Container: name } }) },
  disconnect: {
    may: ["notFound", "conflict", "forbidden", "internal"],
    ask: (client, name) => client.call("POST", "/networks/crowd/disconnect", { json: { Container: name, Force: true } }),
  },
  exec: { may: ["notFound", "conflict"], ask: execTrue },
  changes: { may: ["notFound", "conflict"], ask: (client, name) => client.json("GET", `/containers/${name}/changes`) },
  copy: { may: ["notFound", "conflict"], ask: (client, name) => call(client, "GET", `/containers/${name}/archive`, { query: { path: "/etc" } }) },
  df: { may: [], ask: (client) => client.json("GET", "/system/df") },
};

async function execTrue(client: EngineClient, name: string): Promise<void> {
  const { Id } = await client.json<{ Id: string }>("POST", `/containers/${name}/exec`, { json: { Cmd: ["true"], AttachStdout: true } });
  const { stream } = await client.hijack(`/exec/${Id}/start`, { json: {} });
  await frames(stream);
}

test(
  "fifty requests at once from five clients get answers dockerd would give, and nothing is left",
  async () => {
    await rig.client.json("POST", "/networks/create", { json: { Name: "crowd" } });
    for (let round = 0; round < (long ? 40 : 4); round += 1) {
      const asked = Array.from({ length: 50 }, () => ({ what: pick(Object.keys(requests)), name: pick(names), client: pick(clients) }));
      const answers = await Promise.allSettled(asked.map(({ what, name, client }) => requests[what]!.ask(client, name)));
      const wrong = answers.flatMap((answer, i) => {
        const { what, name } = asked[i]!;
        if (answer.status === "fulfilled" || requests[what]!.may.some((kind) => isClass(answer.reason, kind as "conflict"))) return [];
        return [`${what} ${name}: ${String(answer.reason)}`];
      });
      expect(wrong, `round ${round} of seed ${seed}`).toEqual([]);
      const listed = await rig.client.json<{ Names: string[] }[]>("GET", "/containers/json", { query: { all: 1 } });
      const taken = listed.flatMap(({ Names }) => Names);
      expect(new Set(taken).size).toBe(taken.length);
    }
    await tidy(rig.client, { container: "", image });
    await expectClean();
  },
  long ? 900_000 : 120_000,
);

const settled = async (asking: readonly Promise<unknown>[]): Promise<string[]> =>
  (await Promise.allSettled(asking)).map((answer) =>
    answer.status === "fulfilled" ? "done" : ((answer.reason as { class?: string }).class ?? String(answer.reason)),
  );

test("a name is given once and freed once", async () => {
  const made = await settled(Array.from({ length: 20 }, (_, i) => create(clients[i % 5]!, { name: "one", Cmd: ["true"] })));
  expect(made.toSorted()).toEqual([...Array<string>(19).fill("conflict"), "done"]);
  const others = await Promise.all(Array.from({ length: 5 }, () => create(rig.client, { Cmd: ["true"] })));
  await remove(rig.client, "one");
  const renamed = await settled(others.map((id, i) => clients[i]!.call("POST", `/containers/${id}/rename`, { query: { name: "one" } })));
  expect(renamed.toSorted()).toEqual([...Array<string>(4).fill("conflict"), "done"]);
  const removed = await settled(Array.from({ length: 5 }, (_, i) => remove(clients[i]!, "one")));
  expect(removed.filter((answer) => answer === "done")).toHaveLength(1);
  expect(removed.filter((answer) => !["done", "notFound", "conflict"].includes(answer))).toEqual([]);
  await create(rig.client, { name: "one", Cmd: ["true"] });
  await tidy(rig.client, { container: "", image });
  await expectClean();
});

test("of two starts one starts and one finds it running", async () => {
  const id = await create(rig.client, { ...stopping });
  const answers = await settled(clients.map((client) => client.call("POST", `/containers/${id}/start`)));
  expect(answers.toSorted()).toEqual(["done", ...Array<string>(4).fill("notModified")]);
  await remove(rig.client, id);
});

test("a container can be removed, stopped and killed in the middle of its start", async () => {
  for (let i = 0; i < (long ? 40 : 6); i += 1) {
    const [removed = "", stopped = "", killed = ""] = await Promise.all(
      ["remove", "stop", "kill"].map(() => create(rig.client, { ...stopping, Volumes: { "/v": {} } })),
    );
    const start = (id: string): Promise<void> => clients[0]!.call("POST", `/containers/${id}/start`);
    const later = async (ask: () => Promise<unknown>): Promise<unknown> => {
      await new Promise((resolve) => setTimeout(resolve, random() * 40));
      return await ask();
    };
    const [started, gone] = await settled([start(removed), later(() => remove(clients[1]!, removed))]);
    expect([started, gone]).toEqual([expect.stringMatching(/^(done|notFound|conflict)$/), "done"]);
    await expect(inspect(rig.client, removed)).rejects.toMatchObject({ class: "notFound" });
    const [, stop] = await settled([start(stopped), later(() => clients[1]!.call("POST", `/containers/${stopped}/stop`, { query: { t: 1 } }))]);
    await expectState(stopped, stop === "done" ? "exited" : "running");
    const [, kill] = await settled([start(killed), later(() => clients[1]!.call("POST", `/containers/${killed}/kill`))]);
    await expectState(killed, kill === "done" ? "exited" : "running");
    for (const id of [stopped, killed]) await remove(rig.client, id);
  }
  await expectClean();
});

async function expectState(id: string, status: ContainerInspect["State"]["Status"]): Promise<void> {
  expect((await inspect(rig.client, id)).State.Status).toBe(status);
}

test("who waits for a --rm container hears its exit code, however soon it ends", async () => {
  const ids = await Promise.all(Array.from({ length: 12 }, (_, i) => create(rig.client, { ...sh(`exit ${i}`), HostConfig: { AutoRemove: true } })));
  const waiting = ids.flatMap((id) => ["next-exit", "removed"].map((condition, i) => wait(clients[i]!, id, condition)));
  await Promise.all(ids.map((id, i) => clients[i % 5]!.call("POST", `/containers/${id}/start`)));
  expect(await Promise.all(waiting)).toEqual(ids.flatMap((_, i) => [i, i]));
  await expectClean();
});

test("pruning never takes what is in use, not even what is just being made", async () => {
  let pruning = true;
  const prune = async (client: EngineClient): Promise<void> => {
    while (pruning) {
      await client.json("POST", "/volumes/prune", { query: { filters: JSON.stringify({ all: ["true"] }) } });
      await client.json("GET", "/system/df");
    }
  };
  const pruners = [prune(clients[0]!), prune(clients[1]!)];
  const makers = Array.from({ length: long ? 60 : 10 }, async (_, i) => {
    const id = await run(clients[2 + (i % 3)]!, {
      ...sh("echo kept > /anonymous/x; echo kept > /named/x; cat /anonymous/x /named/x; exec sleep 100"),
      Volumes: { "/anonymous": {} },
      HostConfig: { Binds: [`named-${i}:/named`] },
    });
    await clients[2]!.call("POST", `/containers/${id}/kill`);
    const volumes = (await inspect(rig.client, id)).Mounts.map(({ Name }) => Name ?? "");
    expect(volumes).toHaveLength(2);
    for (const name of volumes) await rig.client.json("GET", `/volumes/${name}`);
  });
  try {
    await Promise.all(makers);
  } finally {
    pruning = false;
    await Promise.all(pruners);
  }
  await tidy(rig.client, { container: "", image });
  await expectClean();
});
