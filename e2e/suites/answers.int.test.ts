import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { busybox, dockerArchive } from "../fixtures/image.ts";
import { type Program, startEngine } from "../fixtures/program.ts";
import { type Answer, answerOf, prepare } from "../reference/answers.ts";
import { cases } from "../reference/cases.ts";
import { type ReferenceDockerd, startReferenceDockerd } from "../reference/dockerd.ts";

const recorded = JSON.parse(readFileSync(join(import.meta.dirname, "..", "reference", "dockerd-28.5.json"), "utf8")) as Record<string, Answer>;
const live = process.env.SLIPWAY_TEST_REFERENCE === "1";

describe("bad input is answered as dockerd 28.5 answers it", () => {
  let engine: Program;
  beforeAll(async () => {
    engine = await startEngine({ isolate: `slipway-a${process.pid}` });
    await prepare(engine.socket, await dockerArchive([await busybox("busybox:latest")]));
  });
  afterAll(async () => {
    await engine?.[Symbol.asyncDispose]();
  });

  test.each(cases.map((one) => [one.name, one] as const))("%s", async (name, one) => {
    const ours = await answerOf(engine.socket, one);
    if (one.ours !== undefined) {
      expect(ours.status, one.ours.reason).toBe(one.ours.status);
      return;
    }
    const theirs = recorded[name];
    expect(theirs, "recorded answer").toBeDefined();
    expect(ours.status, ours.message).toBe(theirs?.status);
    if (one.statusOnly !== true) expect(ours.message).toBe(theirs?.message);
    if (ours.status >= 400) expect(ours.message).toBeTruthy();
  });

  test("and the engine still answers", async () => {
    expect((await answerOf(engine.socket, { name: "ping", method: "GET", path: "/_ping" })).status).toBe(200);
  });
});

describe.runIf(live)("the recorded answers are what a live dockerd says", () => {
  let dockerd: ReferenceDockerd;
  beforeAll(async () => {
    dockerd = await startReferenceDockerd();
    await prepare(dockerd.socket, await dockerArchive([await busybox("busybox:latest")]));
  });
  afterAll(async () => {
    await dockerd?.[Symbol.asyncDispose]();
  });

  test.each(cases.map((one) => [one.name, one] as const))("%s", async (name, one) => {
    expect(await answerOf(dockerd.socket, one)).toEqual(recorded[name]);
  });
});
