import type { BlkioEntry, ContainerStats, CpuStats } from "#api/stats.ts";

/** The kernel's text files (Documentation/admin-guide/cgroup-v2.rst, proc(5)) as dockerd 28's JSON for cgroup v2. Texts of missing files are "". */

/** `name value` lines. */
export function parseFlat(text: string): ReadonlyMap<string, number> {
  return new Map(
    text
      .split("\n")
      .map((line) => line.split(" "))
      .filter((parts) => parts.length === 2)
      .map(([name = "", value = ""]) => [name, Number(value)]),
  );
}

export function cpuUsage(cpuStat: string): Pick<CpuStats, "cpu_usage" | "throttling_data"> {
  const stat = parseFlat(cpuStat);
  const nanos = (name: string): number => (stat.get(name) ?? 0) * 1000;
  return {
    cpu_usage: { total_usage: nanos("usage_usec"), usage_in_kernelmode: nanos("system_usec"), usage_in_usermode: nanos("user_usec") },
    throttling_data: { periods: stat.get("nr_periods") ?? 0, throttled_periods: stat.get("nr_throttled") ?? 0, throttled_time: nanos("throttled_usec") },
  };
}

const memoryKeys = (
  "active_anon active_file anon anon_thp file file_dirty file_mapped file_writeback inactive_anon inactive_file kernel_stack pgactivate pgdeactivate pgfault " +
  "pglazyfree pglazyfreed pgmajfault pgrefill pgscan pgsteal shmem slab slab_reclaimable slab_unreclaimable sock thp_collapse_alloc thp_fault_alloc " +
  "unevictable workingset_activate workingset_nodereclaim workingset_refault"
).split(" ");

export function memoryStats(files: { current: string; max: string; stat: string; events: string }, machineBytes: number): ContainerStats["memory_stats"] {
  const stat = parseFlat(files.stat);
  const stats = Object.fromEntries(memoryKeys.map((key) => [key, stat.get(key) ?? 0]));
  // Without the controller dockerd leaves out what is zero, but lists these.
  if (files.current === "") return { stats };
  const max = files.max.trim();
  const kills = parseFlat(files.events).get("oom") ?? 0;
  return {
    usage: Number(files.current),
    stats,
    ...(kills > 0 ? { failcnt: kills } : {}),
    // Without a limit of its own a container has the machine's memory.
    limit: max === "" || max === "max" ? machineBytes : Math.min(Number(max), machineBytes),
  };
}

/** 2^64-1, which no JavaScript number holds: written as it is by JSON.stringify. */
const unlimited = (JSON as unknown as { rawJSON(text: string): number }).rawJSON("18446744073709551615");

export function pidsStats(files: { current: string; max: string }): ContainerStats["pids_stats"] {
  if (files.current === "") return {};
  return { current: Number(files.current), limit: files.max.trim() === "max" ? unlimited : Number(files.max) };
}

/** `MAJ:MIN rbytes=1 wbytes=2 rios=3 ...`. */
export function blockIo(ioStat: string): BlkioEntry[] | null {
  const entries = ioStat.split("\n").flatMap((line) => {
    const [device = "", ...fields] = line.trim().split(" ");
    const [major, minor] = device.split(":").map(Number);
    if (major === undefined || minor === undefined || fields.length === 0) return [];
    const values = new Map(fields.map((field) => [field.slice(0, field.indexOf("=")), Number(field.slice(field.indexOf("=") + 1))]));
    return [
      { major, minor, op: "read", value: values.get("rbytes") ?? 0 },
      { major, minor, op: "write", value: values.get("wbytes") ?? 0 },
    ];
  });
  return entries.length > 0 ? entries : null;
}

const ticksPerSecond = 100;

/** All CPU time of the machine in nanoseconds: user to softirq of /proc/stat's first line; and how many CPUs it lists. */
export function systemCpu(procStat: string): { usage: number; online: number } {
  const lines = procStat.split("\n");
  const fields = (lines.find((line) => line.startsWith("cpu ")) ?? "").split(/\s+/).slice(1, 8);
  const ticks = fields.reduce((sum, field) => sum + Number(field), 0);
  return { usage: ticks * (1e9 / ticksPerSecond), online: lines.filter((line) => /^cpu\d/.test(line)).length };
}

/** /proc/PID/net/dev, the container's own view; the loopback left out. Undefined when there is no other interface. */
export function interfaces(netDev: string): NonNullable<ContainerStats["networks"]> | undefined {
  const found: NonNullable<ContainerStats["networks"]> = {};
  for (const line of netDev.split("\n").slice(2)) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).trim();
    if (colon < 0 || name === "lo") continue;
    const [rxBytes = 0, rxPackets = 0, rxErrors = 0, rxDropped = 0, , , , , txBytes = 0, txPackets = 0, txErrors = 0, txDropped = 0] = line
      .slice(colon + 1)
      .trim()
      .split(/\s+/)
      .map(Number);
    found[name] = {
      rx_bytes: rxBytes,
      rx_packets: rxPackets,
      rx_errors: rxErrors,
      rx_dropped: rxDropped,
      tx_bytes: txBytes,
      tx_packets: txPackets,
      tx_errors: txErrors,
      tx_dropped: txDropped,
    };
  }
  return Object.keys(found).length > 0 ? found : undefined;
}
