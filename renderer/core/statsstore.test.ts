// @vitest-environment node
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { ContainerStats } from "#api/stats.ts";
import type { Engine } from "./engine/engine.ts";
import { createStatsStore, historyOf } from "./statsstore.ts";
import { visibility } from "./visibility.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  visibility.setState({ seen: true });
});

const cpu = (used: number, system?: number) => ({
  cpu_usage: { total_usage: used, usage_in_kernelmode: 0, usage_in_usermode: 0 },
  ...(system !== undefined && { system_cpu_usage: system }),
  online_cpus: 1,
  throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
});
const reading = (second: number, before?: number): ContainerStats =>
  ({
    read: `2026-01-02T03:04:${String(second).padStart(2, "0")}Z`,
    pids_stats: {},
    blkio_stats: {},
    cpu_stats: cpu(second * 5e8, second * 1e9),
    precpu_stats: before === undefined ? cpu(0) : cpu(before * 5e8, before * 1e9),
    memory_stats: { usage: second },
  }) as unknown as ContainerStats;

/** An engine that sends `readings` and then waits; it counts the streams that are open. */
function engineOf(readings: readonly ContainerStats[]) {
  const open = { now: 0, ever: 0 };
  const stats = async function* (_id: string, signal: AbortSignal) {
    open.now += 1;
    open.ever += 1;
    try {
      yield* readings;
      await new Promise<void>((resolve) => (signal.aborted ? resolve() : signal.addEventListener("abort", () => resolve())));
    } finally {
      open.now -= 1;
    }
  };
  return { open, engine: { containers: { stats } } as unknown as Pick<Engine, "containers"> };
}

test("one stream serves all who watch, and ends a while after the last has gone", async () => {
  const { engine, open } = engineOf([reading(1, 0), reading(2, 1)]);
  const store = createStatsStore(engine, () => 0);
  const first = store.watch("a");
  const second = store.watch("a");
  await vi.advanceTimersByTimeAsync(1_000);
  expect(open).toEqual({ now: 1, ever: 1 });
  expect(historyOf(store.history.getState(), "a").map(({ cpu: share, memory }) => [share, memory])).toEqual([
    [50, 1],
    [50, 2],
  ]);
  first[Symbol.dispose]();
  first[Symbol.dispose](); // a second dispose takes nobody else's watch away
  await vi.advanceTimersByTimeAsync(60_000);
  expect(open.now).toBe(1);
  second[Symbol.dispose]();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(open.now).toBe(0);
  expect(historyOf(store.history.getState(), "a")).toHaveLength(2);
});

test("a row that only flies by opens no stream", async () => {
  const { engine, open } = engineOf([]);
  const store = createStatsStore(engine, () => 0);
  store.watch("a")[Symbol.dispose]();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(open.ever).toBe(0);
});

test("of a first reading with nothing to compare the CPU share is unknown, not zero", async () => {
  const { engine } = engineOf([reading(1), reading(2, 1)]);
  const store = createStatsStore(engine, () => 0);
  using _watch = store.watch("a");
  await vi.advanceTimersByTimeAsync(1_000);
  expect(historyOf(store.history.getState(), "a").map(({ cpu: share, memory }) => [share, memory])).toEqual([
    [null, 1],
    [50, 2],
  ]);
  store.forget("a");
  expect(historyOf(store.history.getState(), "a")).toEqual([]);
});

test("a hidden window reads no figures, and goes on where it was when it is seen again", async () => {
  const { engine, open } = engineOf([reading(1, 0)]);
  const store = createStatsStore(engine, () => 0);
  using _watch = store.watch("a");
  await vi.advanceTimersByTimeAsync(1_000);
  expect(open).toEqual({ now: 1, ever: 1 });
  visibility.setState({ seen: false });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(open).toEqual({ now: 0, ever: 1 });
  using _other = store.watch("b");
  await vi.advanceTimersByTimeAsync(60_000);
  expect(open).toEqual({ now: 0, ever: 1 });
  visibility.setState({ seen: true });
  await vi.advanceTimersByTimeAsync(1_000);
  expect(open).toEqual({ now: 2, ever: 3 });
  expect(historyOf(store.history.getState(), "a")).toHaveLength(2);
});
