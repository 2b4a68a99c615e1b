import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { delay } from "#base/deadline.ts";
import type { ContainerSummary } from "#api/containers.ts";
import type { ImageSummary, StoreCheck } from "#api/images.ts";
import type { TrashList } from "#api/trash.ts";
import { EngineClient } from "#client/client.ts";
import { daemonOf } from "../fixtures/processes.ts";
import { startEngine } from "../fixtures/program.ts";
import { randomOf } from "../suites/kills.ts";
import { logs, openRig, type Rig, run, sh, wait } from "./rig.ts";

const long = process.env["SLIPWAY_TEST_LONG"] === "1";
const rounds = long ? 150 : 6;
const seed = Number(process.env["SLIPWAY_TEST_SEED"] ?? (long ? Math.floor(Math.random() * 2 ** 31) : 4_711));
const random = randomOf(seed);
const things = 6;
const killAfterMsMax = 60;

const root = mkdtempSync("/var/tmp/slipway-binkills-");
const engine = join(root, "engine");
const args = ["--config", join(root, "daemon.json")];
let rig: Rig;
/** Containers by the number that they and their volume hold. */
const ids: string[] = [];

beforeAll(async () => {
  writeFileSync(join(root, "daemon.json"), JSON.stringify({ "slipway.trash": { days: 7 } }));
  rig = await openRig("bk", { root: engine, args });
  for (let i = 0; i < things; i += 1) {
    const id = await run(rig.client, {
      name: `c${i}`,
      ...sh(`[ -e /own ] || { echo ${i} > /own; echo ${i} > /anon/f; echo ${i} > /named/f; }; cat /own /anon/f /named/f`),
      Volumes: { "/anon": {} },
      HostConfig: { Binds: [`v${i}:/named`] },
    });
    await wait(rig.client, id);
    await rig.client.json("POST", "/commit", { query: { container: id, repo: `own${i}` }, json: {} });
    ids.push(id);
  }
});
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
  rmSync(root, { recursive: true, force: true });
});

const trashed = async (): Promise<TrashList["Items"]> => (await rig.client.json<TrashList>("GET", "/slipway/trash")).Items;
const there = async (): Promise<string[]> => (await rig.client.json<ContainerSummary[]>("GET", "/containers/json", { query: { all: 1 } })).map(({ Id }) => Id);

/** Into the trash with its volumes and the image made of it, or out of it. Cut off in the middle it does not matter how it ends. */
async function turn(client: EngineClient, i: number, isThere: boolean): Promise<void> {
  const [id = "", image] = [ids[i], `own${i}`];
  const acts: readonly (() => Promise<unknown>)[] = isThere
    ? [
        () => client.call("DELETE", `/containers/${id}`, { query: { v: 1 } }),
        () => client.call("DELETE", `/volumes/v${i}`),
        () => client.json("DELETE", `/images/${image}`),
      ]
    : [() => client.call("POST", `/slipway/trash/${id}/restore`), () => client.call("POST", `/slipway/trash/${image}:latest/restore`)];
  // One that was cut off before is done already, and once the engine is gone all fail.
  for (const act of acts) await act().catch(() => undefined);
}

async function killInTheMiddle(afterMs: number): Promise<void> {
  const { client } = rig;
  const [now, daemon] = [await there(), Number(daemonOf(rig.program.socket))];
  const turning = ids.map((id, i) => turn(client, i, now.includes(id)));
  await delay(afterMs);
  process.kill(daemon, "SIGKILL");
  await Promise.all([rig.program.exited, ...turning]);
  const program = await startEngine({ isolate: rig.netns, root: engine, args });
  rig = { ...rig, program, client: new EngineClient({ kind: "socket", path: program.socket }), [Symbol.asyncDispose]: () => program[Symbol.asyncDispose]() };
}

test(
  "an engine killed while things go into the trash and out of it has each of them in one place afterwards, whole",
  async () => {
    for (let round = 0; round < rounds; round += 1) {
      const afterMs = Math.floor(random() * killAfterMsMax);
      const what = `round ${round} of seed ${seed}: killed after ${afterMs} ms`;
      await killInTheMiddle(afterMs);
      const [live, items] = [await there(), await trashed()];
      const kept = items.filter(({ Kind }) => Kind === "container").map(({ Id }) => Id);
      expect([...live, ...kept].toSorted(), what).toEqual(ids.toSorted());
      expect((await rig.client.json<StoreCheck>("GET", "/slipway/check")).Problems, what).toEqual([]);
      const images = (await rig.client.json<ImageSummary[]>("GET", "/images/json")).flatMap(({ RepoTags }) => RepoTags);
      const keptImages = items.filter(({ Kind }) => Kind === "image").map(({ Name }) => Name);
      expect([...images, ...keptImages].filter((name) => name.startsWith("own")).toSorted(), what).toEqual(ids.map((_, i) => `own${i}:latest`));
      const volumes = items.filter(({ Kind }) => Kind === "volume").map(({ Id }) => Id);
      expect(readdirSync(join(engine, "removed-volumes")).toSorted(), what).toEqual(volumes.toSorted());
      expect(readdirSync(join(engine, "containers")).toSorted(), what).toEqual(ids.toSorted());
    }
    const live = await there();
    for (const id of ids) if (!live.includes(id)) await rig.client.call("POST", `/slipway/trash/${id}/restore`);
    for (const { Kind, Id } of await trashed()) if (Kind === "image") await rig.client.call("POST", `/slipway/trash/${Id}/restore`);
    for (const [i, id] of ids.entries()) {
      const made = await run(rig.client, { Image: `own${i}`, Cmd: ["cat", "/own"] });
      await wait(rig.client, made);
      expect((await logs(rig.client, made)).stdout, `image ${i}`).toBe(`${i}\n`);
      await rig.client.call("POST", `/containers/${id}/start`);
      await wait(rig.client, id);
      expect((await logs(rig.client, id)).stdout, `container ${i}`).toBe(`${i}\n`.repeat(6));
    }
  },
  rounds * 20_000,
);
