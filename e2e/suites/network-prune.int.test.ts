/** Which networks a prune removes, as dockerd 28.5 was seen to: asked again of a live one with test:reference. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { delay } from "#base/deadline.ts";
import { EngineClient } from "#client/client.ts";
import { startEngine } from "../fixtures/program.ts";
import { startReferenceDockerd } from "../reference/dockerd.ts";

const labels: Readonly<Record<string, Record<string, string>>> = { a: { k: "v" }, b: { k: "w" }, c: {} };

/** The names removed of a, b and c, or the error. */
const rows: readonly (readonly [filters: unknown, answer: readonly string[] | string])[] = [
  [{}, ["a", "b", "c"]],
  [{ label: ["k"] }, ["a", "b"]],
  [{ label: ["k=v"] }, ["a"]],
  [{ label: { "k=v": true } }, ["a"]],
  [{ label: ["k=x"] }, []],
  [{ "label!": ["k=v"] }, ["b", "c"]],
  [{ "label!": ["k"] }, ["c"]],
  [{ label: ["k"], "label!": ["k=v"] }, ["b"]],
  [{ until: ["1h"] }, []],
  [{ until: ["0s"] }, ["a", "b", "c"]],
  [{ until: ["-1h"] }, ["a", "b", "c"]],
  [{ until: ["2200-01-01"] }, ["a", "b", "c"]],
  [{ until: ["1700000000"] }, []],
  [{ until: ["1h", "2h"] }, "more than one until filter specified"],
  [{ until: ["nonsense"] }, 'failed to parse value as time or duration: "nonsense"'],
  [{ until: [""] }, 'failed to parse value as time or duration: ""'],
  [{ name: ["a"] }, "invalid filter 'name'"],
  [{ dangling: ["true"] }, "invalid filter 'dangling'"],
];

type Started = AsyncDisposable & { readonly socket: string };
const engines: readonly (readonly [who: string, start: () => Promise<Started>])[] = [
  ["this engine", () => startEngine({ isolate: `slipway-np${process.pid}` })],
  ...(process.env["SLIPWAY_TEST_REFERENCE"] === "1" ? [["dockerd", () => startReferenceDockerd(`slipway-nr${process.pid}`)] as const] : []),
];

describe.each(engines)("networks pruned by %s", (_, start) => {
  let engine: Started;
  let client: EngineClient;
  beforeAll(async () => {
    engine = await start();
    client = new EngineClient({ kind: "socket", path: engine.socket });
  });
  afterAll(() => engine?.[Symbol.asyncDispose]());

  const pruned = async (filters: unknown): Promise<readonly string[] | string> => {
    try {
      const answer = await client.json<{ NetworksDeleted: string[] | null }>("POST", "/networks/prune", { query: { filters: JSON.stringify(filters) } });
      return (answer.NetworksDeleted ?? []).toSorted();
    } catch (error) {
      return (error as Error).message;
    }
  };

  test.each(rows.map(([filters, answer]) => [JSON.stringify(filters), filters, answer] as const))("filters %s", async (name, filters, answer) => {
    for (const [Name, Labels] of Object.entries(labels)) await client.json("POST", "/networks/create", { json: { Name, Labels } });
    // dockerd takes a moment for the whole second it is in: nothing that was made in it is older.
    if (name.includes('"0s"')) await delay(1_000);
    const got = await pruned(filters);
    await pruned({});
    expect(got).toEqual(answer);
  });

  test("what a client is no judge of stays: predefined networks", async () => {
    await pruned({});
    const left = await client.json<{ Name: string }[]>("GET", "/networks");
    expect(left.map(({ Name }) => Name).toSorted()).toEqual(["bridge", "host", "none"]);
  });
});
