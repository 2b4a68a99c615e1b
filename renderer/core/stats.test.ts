// @vitest-environment node
import { expect, test } from "vitest";
import type { ContainerStats } from "#api/stats.ts";
import { cpuPercent, memoryUsed, perSecond, pointOf, type StatsPoint, summary, valuesOf, withGaps } from "./stats.ts";

const cpu = (used: number, system: number, cpus = 4) => ({
  cpu_usage: { total_usage: used, usage_in_kernelmode: 0, usage_in_usermode: used },
  system_cpu_usage: system,
  online_cpus: cpus,
  throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
});

const reading = (part: Partial<ContainerStats>): ContainerStats =>
  ({
    read: "2026-01-02T03:04:05.006Z",
    pids_stats: { current: 3 },
    blkio_stats: { io_service_bytes_recursive: null },
    cpu_stats: cpu(0, 0),
    precpu_stats: cpu(0, 0),
    memory_stats: {},
    ...part,
  }) as ContainerStats;

test("CPU is the share of the machine's CPU time between two readings, times the CPUs", () => {
  // One of four CPUs kept busy for a second: 1e9 of 4e9 nanoseconds, shown as 100 %.
  expect(cpuPercent(reading({ precpu_stats: cpu(5e9, 100e9), cpu_stats: cpu(6e9, 104e9) }))).toBeCloseTo(100);
  expect(cpuPercent(reading({ precpu_stats: cpu(5e9, 100e9), cpu_stats: cpu(7.5e9, 104e9) }))).toBeCloseTo(250);
});

test("no container uses more than all CPUs, however coarsely the machine counts its time", () => {
  expect(cpuPercent(reading({ precpu_stats: cpu(5e9, 100e9, 2), cpu_stats: cpu(7.9e9, 102e9, 2) }))).toBe(200);
});

test("without an earlier reading there is no share yet", () => {
  const { system_cpu_usage: _, ...first } = cpu(0, 0);
  expect(cpuPercent(reading({ precpu_stats: first, cpu_stats: cpu(6e9, 104e9) }))).toBeNull();
});

test("an idle container uses no CPU, and a clock that stood still divides nothing", () => {
  expect(cpuPercent(reading({ precpu_stats: cpu(5e9, 100e9), cpu_stats: cpu(5e9, 104e9) }))).toBe(0);
  expect(cpuPercent(reading({ precpu_stats: cpu(5e9, 100e9), cpu_stats: cpu(6e9, 100e9) }))).toBe(0);
});

test("memory leaves out the file cache that could be given back, with either cgroup's name for it", () => {
  expect(memoryUsed(reading({ memory_stats: { usage: 100, stats: { inactive_file: 30 } } }))).toBe(70);
  expect(memoryUsed(reading({ memory_stats: { usage: 100, stats: { total_inactive_file: 40, inactive_file: 30 } } }))).toBe(60);
  expect(memoryUsed(reading({ memory_stats: { usage: 20, stats: { inactive_file: 30 } } }))).toBe(20);
  expect(memoryUsed(reading({}))).toBeNull();
});

test("a limit that equals the machine's memory is no limit", () => {
  const stats = reading({ memory_stats: { usage: 10, limit: 1000 } });
  expect(pointOf(stats, 1000).memoryLimit).toBe(0);
  expect(pointOf(stats, 4000).memoryLimit).toBe(1000);
  expect(pointOf(stats, 0).memoryLimit).toBe(1000);
});

test("network and block devices are summed, operations in either case", () => {
  const device = { rx_packets: 0, rx_errors: 0, rx_dropped: 0, tx_packets: 0, tx_errors: 0, tx_dropped: 0 };
  const entry = (op: string, value: number) => ({ major: 8, minor: 0, op, value });
  const point = pointOf(
    reading({
      networks: { eth0: { ...device, rx_bytes: 1, tx_bytes: 10 }, eth1: { ...device, rx_bytes: 2, tx_bytes: 20 } },
      blkio_stats: {
        io_service_bytes_recursive: [entry("Read", 5), entry("read", 6), entry("write", 7), entry("discard", 99)],
      } as ContainerStats["blkio_stats"],
    }),
    0,
  );
  expect(point).toMatchObject({ received: 3, sent: 30, read: 11, written: 7, processes: 3, at: Date.UTC(2026, 0, 2, 3, 4, 5, 6) });
});

const point = (at: number, received: number): StatsPoint => ({ at, cpu: 1, memory: 2, memoryLimit: 0, received, sent: 0, read: 0, written: 0, processes: 1 });

test("rates are bytes a second; a counter that went back is zero, not negative", () => {
  expect(perSecond(withGaps([point(0, 100), point(1000, 300), point(3000, 700), point(4000, 50)]), "received")).toEqual([null, 200, 200, 0]);
});

test("no line is drawn over a time in which nobody watched", () => {
  const spaced = withGaps([point(0, 0), point(1000, 10), point(61_000, 500), point(62_000, 510)]);
  expect(spaced.map(({ at }) => at)).toEqual([0, 1000, 1001, 61_000, 62_000]);
  expect(valuesOf(spaced, "cpu")).toEqual([1, 1, null, 1, 1]);
  expect(perSecond(spaced, "received")).toEqual([null, 10, null, null, 10]);
});

test("the chart in words leaves out what is not known", () => {
  expect(summary([1, null, 4, 1])).toEqual({ last: 1, max: 4, mean: 2 });
  expect(summary([null])).toEqual({ last: Number.NaN, max: Number.NaN, mean: Number.NaN });
});
