import { existsSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { capabilitiesOfMask } from "./capabilities.ts";
import { maskedPaths } from "./defaults.ts";
import type { LimitHost } from "./limits.ts";

/** What of this machine decides specs; it does not change while the engine runs. */
export interface Machine extends LimitHost {
  readonly capabilities: readonly string[];
  readonly maskedPaths: readonly string[];
}

export function readMachine(cgroupRoot: string): Machine {
  const read = (path: string): string => (existsSync(path) ? readFileSync(path, "utf8").trim() : "");
  const status = readFileSync("/proc/self/status", "utf8");
  const cpuCount = availableParallelism();
  const throttles = Array.from({ length: cpuCount }, (_, cpu) => `/sys/devices/system/cpu/cpu${cpu}/thermal_throttle`);
  return {
    controllers: new Set(read(join(cgroupRoot, "cgroup.controllers")).split(" ")),
    cpuCount,
    cpus: read(join(cgroupRoot, "cpuset.cpus.effective")) || `0-${cpuCount - 1}`,
    memoryNodes: read(join(cgroupRoot, "cpuset.mems.effective")) || "0",
    capabilities: capabilitiesOfMask(/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"),
    maskedPaths: [...maskedPaths, ...throttles.filter((path) => existsSync(path))],
  };
}
