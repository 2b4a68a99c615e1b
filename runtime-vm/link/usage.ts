import type { GuestUsage } from "./calls.ts";

const ticksPerSecond = 100;

/**
 * Reads /proc/meminfo (kB), /proc/stat (user nice system idle iowait ... of all processors, then a line each) and
 * /proc/uptime. What is not idle is busy: the kernel measures idle time, while the rest is only sampled at its ticks, which
 * short bursts of work fall between.
 */
export function parseUsage(meminfo: string, stat: string, uptime: string): Omit<GuestUsage, "disk"> {
  const kib = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(meminfo)?.[1] ?? 0);
  const [, , , idle = 0, waiting = 0] = (/^cpu\s+(.*)$/m.exec(stat)?.[1] ?? "").split(/\s+/).map(Number);
  const processors = stat.split("\n").filter((line) => /^cpu\d/.test(line)).length;
  const total = Math.round(Number(uptime.split(" ")[0]) * ticksPerSecond) * processors;
  return {
    memoryBytes: (kib("MemTotal") - kib("MemAvailable")) * 1024,
    memoryTotalBytes: kib("MemTotal") * 1024,
    cpuBusyTicks: total - idle - waiting,
    cpuTotalTicks: total,
  };
}
