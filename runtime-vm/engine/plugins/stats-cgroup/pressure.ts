import { join } from "node:path";
import type { PressureReader, Reading } from "#core/pressure/pressure.ts";
import { parseFlat } from "./counters.ts";
import { readOrEmpty } from "./files.ts";

/** Pressure stall information (Documentation/accounting/psi.rst) and what goes with it, from cgroup v2 and /proc. */
export const createPressureReader = ({ proc = "/proc" } = {}): PressureReader => ({
  container(cgroup) {
    const file = (name: string): string => readOrEmpty(join(cgroup, name));
    return {
      counters: { ...cpuCounters(file("cpu.stat"), file("cpu.max")), ...stalls((what) => file(`${what}.pressure`)) },
      gauges: memoryGauges(file("memory.stat"), { current: file("memory.current"), max: file("memory.max") }),
    };
  },
  machine() {
    const file = (name: string): string => readOrEmpty(join(proc, name));
    return { counters: { ...machineCpu(file("stat")), ...stalls((what) => file(`pressure/${what}`)) }, gauges: machineMemory(file("meminfo")) };
  },
});

type Counters = Reading["counters"];
type Gauges = Reading["gauges"];

/** Without a quota nothing is throttled, and the figure says nothing. */
function cpuCounters(stat: string, max: string): Counters {
  const values = parseFlat(stat);
  const [used, throttled] = [values.get("usage_usec"), values.get("throttled_usec")];
  const quota = max !== "" && !max.startsWith("max");
  return { ...(used === undefined ? {} : { cpu: used / 1e6 }), ...(throttled === undefined || !quota ? {} : { throttled: throttled / 1e6 }) };
}

/** `some avg10=0.00 avg60=0.00 avg300=0.00 total=1234`: microseconds. */
export function stalls(file: (what: "cpu" | "memory" | "io") => string): Counters {
  const found: Record<string, number> = {};
  for (const what of ["cpu", "memory", "io"] as const) {
    for (const [, kind = "", total] of file(what).matchAll(/^(some|full) .*total=(\d+)$/gm)) found[`stall.${what}.${kind}`] = Number(total) / 1e6;
  }
  // Of a machine's CPU it is always 0, of a container's it tells of the quota, which `throttled` does.
  delete found["stall.cpu.full"];
  return found as Counters;
}

export function memoryGauges(stat: string, { current, max }: { current: string; max: string }): Gauges {
  if (current === "") return {};
  const values = parseFlat(stat);
  const limit = max.trim() === "max" || max === "" ? undefined : Number(max);
  return {
    "memory.used": Number(current),
    "memory.anon": values.get("anon") ?? 0,
    "memory.file": values.get("file") ?? 0,
    "memory.slab": values.get("slab") ?? 0,
    ...(limit === undefined ? {} : { "memory.limit": limit }),
  };
}

/** Used is what could not be had without taking it from somebody. */
export function machineMemory(meminfo: string): Gauges {
  const kib = new Map([...meminfo.matchAll(/^(\w+(?:\(\w+\))?):\s+(\d+) kB$/gm)].map(([, name = "", value]) => [name, Number(value) * 1024]));
  const total = kib.get("MemTotal");
  if (total === undefined) return {};
  return {
    "memory.used": total - (kib.get("MemAvailable") ?? 0),
    "memory.anon": kib.get("AnonPages") ?? 0,
    "memory.file": (kib.get("Cached") ?? 0) + (kib.get("Buffers") ?? 0),
    "memory.slab": kib.get("Slab") ?? 0,
    "memory.limit": total,
  };
}

const ticksPerSecond = 100;

/** All but idle and waiting for disks, in seconds of one CPU. */
function machineCpu(stat: string): Counters {
  const [user, nice, system, , , irq = 0, softirq = 0, steal = 0] = (/^cpu +(.*)$/m.exec(stat)?.[1] ?? "").split(" ").map(Number);
  if (user === undefined || nice === undefined || system === undefined) return {};
  return { cpu: (user + nice + system + irq + softirq + steal) / ticksPerSecond };
}
