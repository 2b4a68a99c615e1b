// @vitest-environment node
import { afterEach, expect, test } from "vitest";
import type { EventMessage } from "#api/events.ts";
import { followEvents } from "./follow.ts";
import { keys, type Key } from "./keys.ts";
import { visibility } from "./visibility.ts";

afterEach(() => visibility.setState({ seen: true }));

const start = (id: string): EventMessage => ({ Type: "container", Action: "start", Actor: { ID: id, Attributes: {} }, scope: "local", time: 1, timeNano: 1 });

test("each connection makes everything stale once, and a lost one is opened again", async () => {
  const stop = new AbortController();
  const told: (readonly Key[] | "all")[] = [];
  let opened = 0;
  const engine = {
    async *events(_signal: AbortSignal, accepted: () => void) {
      opened += 1;
      accepted();
      yield start(`c${opened}`);
      if (opened === 2) stop.abort();
    },
  };
  await followEvents(engine, { signal: stop.signal, stale: (stale) => told.push(stale) });
  expect(opened).toBe(2);
  expect(told.filter((stale) => stale === "all")).toHaveLength(2);
});

test("events that come together are answered by one reading of each key", async () => {
  const stop = new AbortController();
  const told = new Promise<readonly Key[]>((resolve) => {
    const engine = {
      async *events(signal: AbortSignal, accepted: () => void) {
        accepted();
        yield start("a");
        yield start("a");
        yield start("b");
        await new Promise<void>((ended) => signal.addEventListener("abort", () => ended()));
      },
    };
    void followEvents(engine, { signal: stop.signal, stale: (stale) => stale !== "all" && resolve(stale) });
  });
  expect(await told).toEqual([keys.containers, keys.container("a"), keys.container("b")]);
  stop.abort();
});

test("an engine that refuses the stream is asked again, without everything being stale", async () => {
  const stop = new AbortController();
  const told: unknown[] = [];
  let asked = 0;
  const engine = {
    // oxlint-disable-next-line require-yield -- it fails before it yields
    async *events(): AsyncGenerator<EventMessage, void> {
      asked += 1;
      if (asked === 2) stop.abort();
      throw new Error("refused");
    },
  };
  await followEvents(engine, { signal: stop.signal, stale: (stale) => told.push(stale) });
  expect(asked).toBe(2);
  expect(told).toEqual([]);
});

test("what became stale while the window was hidden is told when it is seen again, once", async () => {
  const stop = new AbortController();
  const told: (readonly Key[])[] = [];
  visibility.setState({ seen: false });
  const passed = new Promise<void>((resolve) => {
    const engine = {
      async *events(signal: AbortSignal, accepted: () => void) {
        accepted();
        for (const id of ["a", "b", "a"]) {
          yield start(id);
          await new Promise((later) => setTimeout(later, 100));
        }
        resolve();
        await new Promise<void>((ended) => signal.addEventListener("abort", () => ended()));
      },
    };
    void followEvents(engine, { signal: stop.signal, stale: (stale) => stale !== "all" && told.push(stale) });
  });
  await passed;
  expect(told).toEqual([]);
  visibility.setState({ seen: true });
  await expect.poll(() => told).toEqual([[keys.containers, keys.container("a"), keys.container("b")]]);
  stop.abort();
});
