import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EngineClient } from "#client/client.ts";
import { busybox, dockerArchive } from "../fixtures/image.ts";
import { type Program, startEngine } from "../fixtures/program.ts";
import { type ReferenceDockerd, startReferenceDockerd } from "../reference/dockerd.ts";
import { type Happening, acts, empty, happenings } from "../reference/happenings.ts";

const file = join(import.meta.dirname, "..", "reference", "events-28.5.json");
const recorded = JSON.parse(readFileSync(file, "utf8")) as Record<string, Happening[]>;
const live = process.env.SLIPWAY_TEST_REFERENCE === "1";

/** What dockerd tells and we do not, by act. */
const untold: Readonly<Record<string, { readonly what: RegExp; readonly reason: string }>> = {
  "copy from it": { what: /^volume (un)?mount/, reason: "nothing is mounted to copy from a container that does not run" },
  "fail to start it": { what: /^network disconnect/, reason: "it never told of the network that it was connected" },
};

/** The end of a container is told at the end of its process; dockerd tells it when network and volumes are given back. */
const ofTheEnd = /^(container (die|stop|kill|destroy)|network disconnect|volume unmount)/;

const expectedOf = (act: string): Happening[] => (recorded[act] ?? []).filter(({ what }) => untold[act]?.what.test(what) !== true);
const sorted = (list: readonly Happening[]): string[] => list.map((one) => JSON.stringify(one)).sort();
const inOrder = (list: readonly Happening[]): string[] => list.map(({ what }) => what).filter((what) => !ofTheEnd.test(what));

describe("events are those of dockerd 28.5", () => {
  let engine: Program;
  let told: Record<string, Happening[]>;
  beforeAll(async () => {
    engine = await startEngine({ isolate: `slipway-h${process.pid}` });
    // The welcome image is loaded at the first start: it must not arrive in the middle.
    const client = new EngineClient({ kind: "socket", path: engine.socket });
    while ((await client.json<unknown[]>("GET", "/images/json")).length === 0) await new Promise((resolve) => setTimeout(resolve, 100));
    await empty(engine.socket);
    told = await happenings(engine.socket, await dockerArchive([await busybox("busybox:latest")]), (act) => expectedOf(act).length);
  });
  afterAll(async () => {
    if (engine !== undefined) await empty(engine.socket);
    await engine?.[Symbol.asyncDispose]();
  });

  test.each(acts.map(([name]) => name))("%s", (name) => {
    const [ours, theirs] = [told[name] ?? [], expectedOf(name)];
    expect(sorted(ours)).toEqual(sorted(theirs));
    expect(inOrder(ours)).toEqual(inOrder(theirs));
  });
});

describe.runIf(live)("the recorded events are what a live dockerd tells", () => {
  let dockerd: ReferenceDockerd;
  beforeAll(async () => {
    dockerd = await startReferenceDockerd();
  });
  afterAll(async () => {
    await dockerd?.[Symbol.asyncDispose]();
  });

  test("all acts", async () => {
    const told = await happenings(dockerd.socket, await dockerArchive([await busybox("busybox:latest")]), (act) => recorded[act]?.length ?? 0);
    for (const [name] of acts) expect(sorted(told[name] ?? []), name).toEqual(sorted(recorded[name] ?? []));
  });
});
