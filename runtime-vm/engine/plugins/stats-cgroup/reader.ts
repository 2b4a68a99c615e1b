import type { ContainerStats } from "#api/stats.ts";
import type { StatsReader } from "#core/stats/stats.ts";
import { closeSync, existsSync, openSync, readSync } from "node:fs";
import { totalmem } from "node:os";
import { join } from "node:path";
import { codeOf } from "#base/errors.ts";
import { blockIo, cpuUsage, interfaces, memoryStats, pidsStats, systemCpu } from "./counters.ts";

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

/**
 * A controller the kernel does not hand out has no files; a container that just ended has no directory. Read at once: the kernel makes
 * these texts in microseconds, and each would be handed to another thread and back four times.
 */
function readOrEmpty(path: string): string {
  try {
    return existsSync(path) ? readText(path) : "";
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENOENT" || code === "ENODEV" || code === "ESRCH" || code === "EINVAL") return "";
    throw error;
  }
}

/** Shared: every use is synchronous. */
const buffer = Buffer.allocUnsafe(16 * 1024);

/** Without what fs.readFileSync does for files whose size nobody knows, which takes longer than reading them. */
function readText(path: string): string {
  const fd = openSync(path, "r");
  try {
    let text = "";
    for (let bytes = readSync(fd, buffer); bytes > 0; bytes = readSync(fd, buffer)) text += buffer.toString("latin1", 0, bytes);
    return text;
  } finally {
    closeSync(fd);
  }
}
