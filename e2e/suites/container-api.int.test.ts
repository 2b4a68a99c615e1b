import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type StockDocker, stockDocker } from "../fixtures/docker.ts";
import { busybox, dockerArchive } from "../fixtures/image.ts";
import { type Program, startEngine } from "../fixtures/program.ts";
import { type ReferenceDockerd, startReferenceDockerd } from "../reference/dockerd.ts";
import { type Said, askApi } from "./container-api.ask.ts";
import type { ApiCase } from "./container-api.case.ts";
import { apiCases } from "./container-api.cases.ts";

const recorded = JSON.parse(readFileSync(join(import.meta.dirname, "dockerd-28.5.containers.json"), "utf8")) as {
  readonly said: Readonly<Record<string, readonly Said[]>>;
};
const live = process.env.SLIPWAY_TEST_REFERENCE === "1";
const cases = apiCases.map((one) => [one.name, one] as const);
const nameOf = (one: ApiCase): string => `api${apiCases.indexOf(one)}`;

async function load(docker: StockDocker): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "api-"));
  writeFileSync(join(dir, "image.tar"), await dockerArchive([await busybox("busybox:latest")]));
  await docker.ok("load", "-i", join(dir, "image.tar"));
  rmSync(dir, { recursive: true });
}

/** What is to be said where dockerd says `theirs`: bad input is the client's fault, where dockerd calls it its own. */
const wanted = (theirs: Said, ours: Said): unknown =>
  theirs.status === 500 && ours.status >= 400 && ours.status < 500 ? { ...theirs, status: ours.status } : theirs;

describe("containers live, and bad input is answered, as dockerd 28.5 does it", () => {
  let engine: Program;
  beforeAll(async () => {
    engine = await startEngine({ isolate: `slipway-p${process.pid}` });
    await load(stockDocker({ socket: engine.socket }));
  });
  afterAll(async () => {
    await engine?.[Symbol.asyncDispose]();
  });

  test.each(cases)("%s", async (name, one) => {
    const theirs = recorded.said[name] ?? [];
    expect(theirs.length, "recorded steps: node e2e/suites/container-api.record.ts").toBe(one.steps.length);
    const ours = await askApi(engine.socket, one, nameOf(one));
    if (one.ours !== undefined) {
      expect(
        ours.map(({ status }) => status),
        one.ours.reason,
      ).toEqual(one.ours.statuses);
    } else if (one.field !== undefined) {
      expect(ours.map(({ status }) => status)).toEqual(theirs.map(({ status }) => status));
      expect(ours[0]?.message).toContain(one.field);
    } else expect(ours).toEqual(theirs.map((said, i) => wanted(said, ours[i] ?? said)));
  });
});

describe.runIf(live)("what is recorded is what a live dockerd says", () => {
  let dockerd: ReferenceDockerd;
  beforeAll(async () => {
    dockerd = await startReferenceDockerd();
    await load(stockDocker({ socket: dockerd.socket, netns: dockerd.netns }));
  });
  afterAll(async () => {
    await dockerd?.[Symbol.asyncDispose]();
  });

  test.each(cases)("%s", async (name, one) => {
    expect(await askApi(dockerd.socket, one, nameOf(one))).toEqual(recorded.said[name]);
  });
});
