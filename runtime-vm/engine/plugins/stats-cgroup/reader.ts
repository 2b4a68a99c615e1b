import type { ContainerStats } from "#api/stats.ts";
import type { StatsReader } from "#core/stats/stats.ts";
import { totalmem } from "node:os";
import { join } from "node:path";
import { blockIo, cpuUsage, interfaces, memoryStats, pidsStats, systemCpu } from "./counters.ts";
import { readOrEmpty, readText } from "./files.ts";

const never = "0001-01-01T00:00:00Z";

/** Readings in dockerd's form. The reading before (`preread`, `precpu_stats`) is the caller's to fill in: a single reading has none. */
export const createCgroupStats = (): StatsReader => ({
  read({ id, name, cgroup, pid, netns }) {
    const file = (base: string): string => readOrEmpty(join(cgroup, base));
    const [cpuStat, memoryCurrent, memoryMax, memoryStat, memoryEvents] = [
      file("cpu.stat"),
      file("memory.current"),
      file("memory.max"),
      file("memory.stat"),
      file("memory.events"),
    ];
    const [pidsCurrent, pidsMax, ioStat] = [file("pids.current"), file("pids.max"), file("io.stat")];
    const procStat = readText("/proc/stat");
    // In host mode the interfaces are the machine's, not the container's.
    const netDev = netns === undefined ? "" : readOrEmpty(`/proc/${pid}/net/dev`);
    const system = systemCpu(procStat);
    const networks = interfaces(netDev);
    const { cpu_usage, throttling_data } = cpuUsage(cpuStat);
    const stats: ContainerStats = {
      name,
      id,
      read: new Date().toISOString(),
      preread: never,
      pids_stats: pidsStats({ current: pidsCurrent, max: pidsMax }),
      blkio_stats: { ...noBlockIo, io_service_bytes_recursive: blockIo(ioStat) },
      num_procs: 0,
      storage_stats: {},
      cpu_stats: { cpu_usage, system_cpu_usage: system.usage, online_cpus: system.online, throttling_data },
      precpu_stats: {
        cpu_usage: { total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0 },
        throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
      },
      memory_stats: memoryStats({ current: memoryCurrent, max: memoryMax, stat: memoryStat, events: memoryEvents }, totalmem()),
      ...(networks ? { networks } : {}),
    };
    return stats;
  },
});

const noBlockIo: ContainerStats["blkio_stats"] = {
  io_service_bytes_recursive: null,
  io_serviced_recursive: null,
  io_queue_recursive: null,
  io_service_time_recursive: null,
  io_wait_time_recursive: null,
  io_merged_recursive: null,
  io_time_recursive: null,
  sectors_recursive: null,
};
