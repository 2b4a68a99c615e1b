import { codeOf, EngineError, messageOf } from "#base/errors.ts";
import type { HostConfig } from "#api/containers.ts";
import { existsSync, statSync } from "node:fs";
import { numbersOf } from "./devices.ts";

/** Controllers of cgroup v2 this engine can hand out, as in `cgroup.controllers`. */
export type Controllers = ReadonlySet<string>;

/** `linux.resources`, less its device rules; what needs a missing controller is left out (`limitWarnings` names it). */
export function containerResources(host: HostConfig, controllers: Controllers): Record<string, unknown> {
  return {
    ...(controllers.has("memory") ? section("memory", memory(host)) : {}),
    ...(controllers.has("cpu") || controllers.has("cpuset") ? section("cpu", cpu(host, controllers)) : {}),
    ...(controllers.has("pids") && (host.PidsLimit ?? 0) !== 0 ? { pids: { limit: Math.max(-1, host.PidsLimit ?? -1) } } : {}),
    ...(controllers.has("io") ? section("blockIO", blockIo(host)) : {}),
    ...(controllers.has("cpu") && host.CpuShares ? { unified: { "cpu.weight": String(weightOfShares(host.CpuShares)) } } : {}),
  };
}

function memory(host: HostConfig): Record<string, unknown> {
  const swap = host.MemorySwap || (host.Memory ? host.Memory * 2 : 0);
  return {
    ...(host.Memory ? { limit: host.Memory } : {}),
    ...(host.MemoryReservation ? { reservation: host.MemoryReservation } : {}),
    ...(host.Memory && swap !== 0 ? { swap } : {}),
  };
}

const nanoCpuPeriod = 100_000;

function cpu(host: HostConfig, controllers: Controllers): Record<string, unknown> {
  const bandwidth = host.NanoCpus
    ? { period: nanoCpuPeriod, quota: Math.trunc((host.NanoCpus * nanoCpuPeriod) / 1e9) }
    : { ...(host.CpuPeriod ? { period: host.CpuPeriod } : {}), ...(host.CpuQuota ? { quota: host.CpuQuota } : {}) };
  return {
    ...(controllers.has("cpu") ? bandwidth : {}),
    ...(controllers.has("cpuset") ? { ...(host.CpusetCpus ? { cpus: host.CpusetCpus } : {}), ...(host.CpusetMems ? { mems: host.CpusetMems } : {}) } : {}),
  };
}

/**
 * cgroup v1's 2 to 262144, 1024 the default, on v2's 1 to 10000 with its default of 100: a parabola through the three, as
 * runc has it since 1.3.2. Other runtimes still draw a straight line, which makes the one's default the other's 39, so the
 * weight is not left to them.
 */
function weightOfShares(shares: number): number {
  if (shares <= 2) return 1;
  if (shares >= 262_144) return 10_000;
  const order = Math.log2(shares);
  return Math.ceil(10 ** ((order * order + 125 * order) / 612 - 7 / 34));
}

/** The one scheduler whose weights are a device's own. Without it such a weight has no effect, as under runc; crun would fail. */
const bfq = "/sys/module/bfq";

function blockIo(host: HostConfig): Record<string, unknown> {
  const weights = (host.BlkioWeightDevice ?? []).map((entry) => ({ ...deviceNumbers(entry.Path), weight: entry.Weight }));
  return {
    ...(host.BlkioWeight ? { weight: host.BlkioWeight } : {}),
    ...(weights.length > 0 && existsSync(bfq) ? { weightDevice: weights } : {}),
    ...throttle("throttleReadBpsDevice", host.BlkioDeviceReadBps),
    ...throttle("throttleWriteBpsDevice", host.BlkioDeviceWriteBps),
    ...throttle("throttleReadIOPSDevice", host.BlkioDeviceReadIOps),
    ...throttle("throttleWriteIOPSDevice", host.BlkioDeviceWriteIOps),
  };
}

function throttle(name: string, entries: readonly { Path: string; Rate: number }[] | null | undefined): Record<string, unknown> {
  return entries && entries.length > 0 ? { [name]: entries.map((entry) => ({ ...deviceNumbers(entry.Path), rate: entry.Rate })) } : {};
}

function deviceNumbers(path: string): { major: number; minor: number } {
  try {
    return numbersOf(statSync(path).rdev);
  } catch (error) {
    throw new EngineError("invalidArgument", `stat ${path}: ${codeOf(error) === "ENOENT" ? "no such file or directory" : messageOf(error)}`);
  }
}

const section = (name: string, fields: Record<string, unknown>): Record<string, unknown> => (Object.keys(fields).length > 0 ? { [name]: fields } : {});
