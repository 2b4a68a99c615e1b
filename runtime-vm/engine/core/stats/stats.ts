import type { ContainerStats } from "#api/stats.ts";

/** One reading of a container's counters from its cgroup v2 directory and its network interfaces. Missing controllers read as zero. Some microseconds' work. */
export interface StatsReader {
  read(what: { id: string; name: string; cgroup: string; pid: number; interfaces: readonly string[]; netns?: string }): ContainerStats;
}
