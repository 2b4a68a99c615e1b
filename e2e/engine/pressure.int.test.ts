import { afterAll, beforeAll, expect, test } from "vitest";
import type { Pressure } from "#api/pressure.ts";
import type { EngineClient } from "#client/client.ts";
import { type Rig, openRig, remove, run, sh } from "./rig.ts";

let rig: Rig;
let client: EngineClient;
beforeAll(async () => {
  rig = await openRig("ps");
  client = rig.client;
});
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
});

const pressure = (id: string): Promise<Pressure> => client.json("GET", `/slipway/containers/${id}/pressure`);

test("what a busy container used is there after two samples, with what happened to it", async () => {
  const id = await run(client, { name: "busy", ...sh("while :; do :; done") });
  await expect.poll(async () => (await pressure("busy")).Series[0]?.Points.flatMap(([, cpu]) => cpu ?? []).length, { timeout: 60_000 }).toBeGreaterThan(0);
  const { Id, Name, Fields, Series, Events } = await pressure(id);
  expect([Id, Name, Fields[0]]).toEqual([id, "busy", "cpu"]);
  expect(Math.max(...(Series[0]?.Points ?? []).map(([, cpu]) => cpu ?? 0))).toBeGreaterThan(0);
  expect(Series.map(({ StepSeconds }) => StepSeconds)).toEqual([5, 60, 600]);
  expect(Events.map(({ Action }) => Action)).toEqual(["start"]);
  await remove(client, id);
  await expect(pressure(id)).rejects.toMatchObject({ class: "notFound" });
});

test("the machine has a history of its own, and no listener stands for it", async () => {
  await expect.poll(async () => (await client.json<Pressure>("GET", "/slipway/pressure")).Series[0]?.Points.length, { timeout: 30_000 }).toBeGreaterThan(0);
  const { Fields, Limits } = await client.json<Pressure>("GET", "/slipway/pressure");
  expect(Fields).toEqual(expect.arrayContaining(["memory.used", "memory.file"]));
  expect(Limits.MemoryBytes).toBeGreaterThan(0);
  expect(await client.json("GET", "/info")).toMatchObject({ NEventsListener: 0 });
});
