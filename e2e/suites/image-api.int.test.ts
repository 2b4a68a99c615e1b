import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EngineClient } from "#client/client.ts";
import { type Program, startEngine } from "../fixtures/program.ts";
import { type TestRegistry, startRegistry } from "../fixtures/registry.ts";
import { type ReferenceDockerd, startReferenceDockerd } from "../reference/dockerd.ts";
import { ImageAsker, type ImageSaid } from "./image-api.ask.ts";
import { imageCases } from "./image-api.cases.ts";
import { pushed } from "./image-api.images.ts";
import { oddImages } from "./image-api.odd.ts";

type Recorded = ImageSaid & { readonly call: string };
const recorded = JSON.parse(readFileSync(join(import.meta.dirname, "dockerd-28.5.images.json"), "utf8")) as readonly Recorded[];
const live = process.env.SLIPWAY_TEST_REFERENCE === "1";
const cases = imageCases.map((one, index) => [`${index} ${one.call.slice(0, 150)}`, one, recorded[index]] as const);
const dir = mkdtempSync("/var/tmp/slipway-image-api-");
afterAll(() => rmSync(dir, { recursive: true, force: true }));

// The images are for the processor that dockerd was recorded on.
describe.skipIf(process.arch !== "x64")("images are answered for as dockerd 28.5 does it", () => {
  let engine: Program;
  let registry: TestRegistry;
  let asker: ImageAsker;
  beforeAll(async () => {
    const netns = `slipway-ia${process.pid}`;
    engine = await startEngine({ isolate: netns });
    registry = await startRegistry({ dir: join(dir, "ours"), port: 5062, netns });
    await registry.push("team/pushed", "1", pushed);
    for (const [tag, manifest] of Object.entries(oddImages)) await registry.pushRaw("team/odd", tag, manifest);
    asker = new ImageAsker(engine.socket);
    // The starter image, if it is here.
    await new EngineClient({ kind: "socket", path: engine.socket }).call("POST", "/images/prune", { query: { filters: '{"dangling":["false"]}' } });
  });
  afterAll(async () => {
    await registry?.[Symbol.asyncDispose]();
    await engine?.[Symbol.asyncDispose]();
  });

  test.each(cases)("%s", async (_name, one, theirs) => {
    expect(theirs?.call, "recorded cases: node e2e/suites/image-api.record.ts").toBe(one.call);
    const ours = await asker.ask(one);
    if (one.ours === undefined) expect(ours).toEqual({ status: theirs?.status, answer: theirs?.answer });
    else {
      expect(ours.status, one.ours.reason).toBe(one.ours.status);
      expect(JSON.stringify(ours.answer), one.ours.reason).toContain(one.ours.says ?? "");
    }
  });
});

describe.runIf(live)("what is recorded of images is what a live dockerd says", () => {
  let dockerd: ReferenceDockerd;
  let registry: TestRegistry;
  let asker: ImageAsker;
  beforeAll(async () => {
    dockerd = await startReferenceDockerd("slipway-ref-images");
    registry = await startRegistry({ dir: join(dir, "theirs"), port: 5062, netns: dockerd.netns });
    await registry.push("team/pushed", "1", pushed);
    for (const [tag, manifest] of Object.entries(oddImages)) await registry.pushRaw("team/odd", tag, manifest);
    asker = new ImageAsker(dockerd.socket);
  });
  afterAll(async () => {
    await registry?.[Symbol.asyncDispose]();
    await dockerd?.[Symbol.asyncDispose]();
  });

  test.each(cases)("%s", async (_name, one, theirs) => {
    expect(await asker.ask(one)).toEqual({ status: theirs?.status, answer: theirs?.answer });
  });
});
