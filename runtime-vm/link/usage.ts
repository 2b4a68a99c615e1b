import type { GuestUsage } from "./calls.ts";

/** Reads /proc/meminfo (kB) and the first line of /proc/stat (user nice system idle iowait irq softirq steal). */
export function parseUsage(meminfo: string, stat: string): GuestUsage {
  const kib = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(meminfo)?.[1] ?? 0);
  const ticks = (/^cpu\s+(.*)$/m.exec(stat)?.[1] ?? "").split(/\s+/).slice(0, 8).map(Number);
  const total = ticks.reduce((sum, n) => sum + n, 0);
  return {
    memoryBytes: (kib("MemTotal") - kib("MemAvailable")) * 1024,
    memoryTotalBytes: kib("MemTotal") * 1024,
    cpuBusyTicks: total - (ticks[3] ?? 0) - (ticks[4] ?? 0),
    cpuTotalTicks: total,
  };
}
