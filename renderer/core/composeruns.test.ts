import { expect, test } from "vitest";
import type { ComposeMessage } from "#api/compose.ts";
import { actOptions, createComposeRuns, stepOf, stepState } from "./composeruns.ts";

const source = { folder: "/s", files: ["/s/compose.yaml"], project: "shop", home: "" };

const runsOf = (act: (signal: AbortSignal) => AsyncGenerator<ComposeMessage, void>) =>
  createComposeRuns({ compose: { check: () => Promise.reject(new Error("not asked")), act: (_source, _options, signal) => act(signal) } });

test("lines of progress become steps whose last word counts, and other lines are output", () => {
  expect(stepOf(" Container shop-web-1  Started")).toEqual({ name: "Container shop-web-1", word: "Started" });
  expect(stepOf(' DRY-RUN MODE -  Volume "shop_data"  Created')).toEqual({ name: "Volume shop_data", word: "Created" });
  expect(stepOf(" web Pulling ")).toEqual({ name: "web", word: "Pulling" });
  expect(stepOf("Error response from daemon: no")).toBeUndefined();
  expect(["Creating", "Recreate", "Started", "Error no such image"].map((word) => stepState({ name: "", word }))).toEqual(["busy", "busy", "done", "failed"]);
});

test("a run that ends well is done, and one that does not tells compose's last words", async () => {
  let exit = 0;
  const runs = runsOf(async function* () {
    yield { line: " Container a  Starting" };
    yield { line: "Error response from daemon: port is taken" };
    yield { line: " Container a  Started" };
    yield { exit };
  });
  expect(await runs.start("shop", source, actOptions("up"))).toBe(true);
  expect(runs.store.getState().list[0]).toMatchObject({
    state: { kind: "done" },
    steps: [{ name: "Container a", word: "Started" }],
    output: ["Error response from daemon: port is taken"],
  });
  exit = 1;
  expect(await runs.start("shop", source, actOptions("up"))).toBe(false);
  // Of a project the last run is kept.
  expect(runs.store.getState().list.map(({ state }) => state)).toEqual([
    { kind: "failed", error: expect.objectContaining({ message: "Error response from daemon: port is taken" }) },
  ]);
});

test("cancelling ends the run, and the stream with it", async () => {
  let ended = false;
  const runs = runsOf(async function* (signal) {
    try {
      yield { line: " Container a  Creating" };
      await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
    } finally {
      ended = true;
    }
  });
  const over = runs.start("shop", source, actOptions("up"));
  await expect.poll(() => runs.store.getState().list[0]?.steps).toHaveLength(1);
  runs.cancel(runs.store.getState().list[0]?.id ?? 0);
  expect(await over).toBe(false);
  expect(ended).toBe(true);
  expect(runs.store.getState().list[0]?.state).toEqual({ kind: "cancelled" });
});
