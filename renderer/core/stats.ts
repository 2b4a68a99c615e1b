import type { ContainerStats } from "#api/stats.ts";

/** One second of a container, in the units that are drawn. */
export interface StatsPoint {
  /** Epoch milliseconds of the reading. */
  readonly at: number;
  /** 100 = one whole CPU, as `docker stats` counts. Null: not known, since nothing was read before. */
  readonly cpu: number | null;
  /** Null: the engine has no memory controller to read it from. */
  readonly memory: number | null;
  /** 0: no limit set (the engine then reports the machine's memory). */
  readonly memoryLimit: number;
  /** Bytes since the container started. */
  readonly received: number;
  readonly sent: number;
  readonly read: number;
  readonly written: number;
  readonly processes: number;
}

/**
 * Docker's formula (`calculateCPUPercentUnix` of docker/cli): the container's share of the whole machine's CPU time
 * between two readings, times the number of CPUs. Without an earlier reading there is no share yet: null.
 */
export function cpuPercent(stats: ContainerStats): number | null {
  if (stats.precpu_stats.system_cpu_usage === undefined) return null;
  const used = stats.cpu_stats.cpu_usage.total_usage - stats.precpu_stats.cpu_usage.total_usage;
  const system = (stats.cpu_stats.system_cpu_usage ?? 0) - stats.precpu_stats.system_cpu_usage;
  if (system <= 0 || used <= 0) return 0;
  const cpus = stats.cpu_stats.online_cpus || stats.cpu_stats.cpu_usage.percpu_usage?.length || 1;
  // The machine's time is counted in ticks, the container's exactly: a pair of readings may make more of it than there is.
  return Math.min(used / system, 1) * cpus * 100;
}

/** As `docker stats` shows it: usage without the file cache that the kernel would give back at once. */
export function memoryUsed(stats: ContainerStats): number | null {
  const { usage } = stats.memory_stats;
  if (usage === undefined) return null;
  const detail = stats.memory_stats.stats ?? {};
  const cache = detail["total_inactive_file"] ?? detail["inactive_file"] ?? 0;
  return cache < usage ? usage - cache : usage;
}

function network(stats: ContainerStats): { received: number; sent: number } {
  let received = 0;
  let sent = 0;
  for (const device of Object.values(stats.networks ?? {})) {
    received += device.rx_bytes;
    sent += device.tx_bytes;
  }
  return { received, sent };
}

function blockIo(stats: ContainerStats): { read: number; written: number } {
  let read = 0;
  let written = 0;
  for (const entry of stats.blkio_stats?.io_service_bytes_recursive ?? []) {
    const op = entry.op.toLowerCase();
    if (op === "read") read += entry.value;
    if (op === "write") written += entry.value;
  }
  return { read, written };
}

/** `machineMemory`: a limit that equals it is no limit. */
export function pointOf(stats: ContainerStats, machineMemory: number): StatsPoint {
  const limit = stats.memory_stats.limit ?? 0;
  return {
    at: Date.parse(stats.read),
    cpu: cpuPercent(stats),
    memory: memoryUsed(stats),
    memoryLimit: machineMemory > 0 && limit >= machineMemory ? 0 : limit,
    ...network(stats),
    ...blockIo(stats),
    processes: stats.pids_stats?.current ?? 0,
  };
}

/** A chart's values; `null` where there is none, so that no line is drawn across. */
export type Values = readonly (number | null)[];

/** Readings further apart than this do not belong together: nobody watched in between. */
const gapMsMax = 5_000;

/** Points with an empty one in each gap, as charts need them. */
export function withGaps(points: readonly StatsPoint[]): readonly (StatsPoint | { readonly at: number; readonly gap: true })[] {
  return points.flatMap((point, index) => {
    const before = points[index - 1];
    return before !== undefined && point.at - before.at > gapMsMax ? [{ at: before.at + 1, gap: true } as const, point] : [point];
  });
}

type Spaced = ReturnType<typeof withGaps>;

export const valuesOf = (points: Spaced, field: "cpu" | "memory"): Values => points.map((point) => ("gap" in point ? null : point[field]));

/** Bytes a second between two points; a counter that went back (restart) counts as zero. */
export function perSecond(points: Spaced, field: "received" | "sent" | "read" | "written"): Values {
  return points.map((point, index) => {
    const before = points[index - 1];
    if ("gap" in point || before === undefined || "gap" in before || point.at <= before.at) return null;
    return Math.max(0, (point[field] - before[field]) / ((point.at - before.at) / 1000));
  });
}

/** Largest, last and mean: the chart in words. NaN, written as a dash, as long as nothing is known. */
export function summary(values: Values): { last: number; max: number; mean: number } {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return { last: Number.NaN, max: Number.NaN, mean: Number.NaN };
  let max = 0;
  let sum = 0;
  for (const value of known) {
    max = Math.max(max, value);
    sum += value;
  }
  return { last: known.at(-1) ?? 0, max, mean: sum / known.length };
}
