import { EngineError } from "#base/errors.ts";
import type { HostConfig } from "#api/containers.ts";
import type { Controllers } from "./resources.ts";

/** What the machine has, for the checks below. */
export interface LimitHost {
  readonly controllers: Controllers;
  readonly cpuCount: number;
  /** `/sys/fs/cgroup/cpuset.cpus.effective` and its like for memory nodes. */
  readonly cpus: string;
  readonly memoryNodes: string;
}

const memoryBytesMin = 6 * 1024 * 1024;

/** Limits as they will hold: those this kernel cannot give are taken out, each with dockerd's warning. */
export interface SettledLimits {
  readonly warnings: readonly string[];
  readonly host: HostConfig;
}

type Settling = { -readonly [K in keyof HostConfig]: HostConfig[K] };

/** Checks resource limits in dockerd's order: what cannot be given is dropped first, and only what is left is judged. `update`: what is not said stays as it was. */
export function settleLimits(given: HostConfig, machine: LimitHost, opts: { update: boolean } = { update: false }): SettledLimits {
  const host: Settling = { ...given };
  const warnings: string[] = [];
  const drop = (when: boolean, warning: string, what: Partial<Settling>): void => {
    if (!when) return;
    if (warning !== "") warnings.push(warning);
    Object.assign(host, what);
  };
  settleMemory(host, machine.controllers, drop, opts);
  settleCpu(host, machine, drop);
  settleCpuset(host, machine, drop);
  settleBlockIo(host, machine.controllers, drop);
  return { warnings, host };
}

type Drop = (when: boolean, warning: string, what: Partial<Settling>) => void;

const lacking = (what: string, effect: string): string => `Your kernel does not support ${what} or the cgroup is not mounted. ${effect}`;

function settleMemory(host: Settling, controllers: Controllers, drop: Drop, { update }: { update: boolean }): void {
  const has = controllers.has("memory");
  if (host.MemorySwappiness === -1) host.MemorySwappiness = null;
  refuse(!!host.Memory && host.Memory < memoryBytesMin, "Minimum memory limit allowed is 6MB");
  if (has && !update && host.Memory && !host.MemorySwap) host.MemorySwap = host.Memory * 2;
  drop(!has && (host.Memory ?? 0) > 0, lacking("memory limit capabilities", "Limitation discarded."), { Memory: 0, MemorySwap: -1 });
  const { Memory: limit = 0, MemorySwap: swap = 0 } = host;
  refuse(limit > 0 && swap > 0 && swap < limit, "Minimum memoryswap limit should be larger than memory limit, see usage");
  refuse(limit === 0 && swap > 0 && !update, "You should always set the Memory limit when using Memoryswap limit, see usage");
  // cgroup v2 has no such knob.
  drop((host.MemorySwappiness ?? -1) !== -1, lacking("memory swappiness capabilities", "Memory swappiness discarded."), { MemorySwappiness: null });
  drop(!has && (host.MemoryReservation ?? 0) > 0, lacking("memory soft limit capabilities", "Limitation discarded."), { MemoryReservation: 0 });
  const reservation = host.MemoryReservation ?? 0;
  refuse(reservation > 0 && reservation < memoryBytesMin, "Minimum memory reservation allowed is 6MB");
  refuse(limit > 0 && reservation > 0 && limit < reservation, "Minimum memory limit can not be less than memory reservation limit, see usage");
  const oom = host.OomKillDisable === true ? "Your kernel does not support OomKillDisable. OomKillDisable discarded." : "";
  drop(host.OomKillDisable !== undefined, oom, { OomKillDisable: null });
  const pids = (host.PidsLimit ?? 0) > 0 ? lacking("PIDs limit capabilities", "PIDs limit discarded.") : "";
  drop(!controllers.has("pids") || (update ? host.PidsLimit === 0 : (host.PidsLimit ?? 0) <= 0), pids, { PidsLimit: null });
}

function settleCpu(host: Settling, { controllers, cpuCount }: LimitHost, drop: Drop): void {
  const has = controllers.has("cpu");
  const nano = host.NanoCpus ?? 0;
  refuse(nano > 0 && (host.CpuPeriod ?? 0) > 0, "Conflicting options: Nano CPUs and CPU Period cannot both be set");
  refuse(nano > 0 && (host.CpuQuota ?? 0) > 0, "Conflicting options: Nano CPUs and CPU Quota cannot both be set");
  refuse(nano > 0 && !has, "NanoCPUs can not be set, as your kernel does not support CPU CFS scheduler or the cgroup is not mounted");
  refuse(nano < 0 || nano > cpuCount * 1e9, `range of CPUs is from 0.01 to ${cpuCount}.00, as there are only ${cpuCount} CPUs available`);
  refuse((host.CpuShares ?? 0) < 0, `invalid CPU shares (${host.CpuShares}): value must be a positive integer`);
  refuse((host.CpuRealtimePeriod ?? 0) !== 0 || (host.CpuRealtimeRuntime ?? 0) !== 0, "kernel does not support CPU real-time scheduler");
  drop(!has && (host.CpuShares ?? 0) > 0, lacking("CPU shares", "Shares discarded."), { CpuShares: 0 });
  const bandwidth = (host.CpuPeriod ?? 0) !== 0 || (host.CpuQuota ?? 0) !== 0;
  drop(!has && bandwidth, "Your kernel does not support CPU CFS scheduler. CPU period/quota discarded.", { CpuPeriod: 0, CpuQuota: 0 });
  const { CpuPeriod: period = 0, CpuQuota: quota = 0 } = host;
  refuse(period !== 0 && (period < 1_000 || period > 1_000_000), "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)");
  refuse(quota > 0 && quota < 1_000, "CPU cfs quota can not be less than 1ms (i.e. 1000)");
  drop((host.CpuPercent ?? 0) > 0, "linux does not support CPU percent. Percent discarded.", { CpuPercent: 0 });
}

function settleCpuset(host: Settling, machine: LimitHost, drop: Drop): void {
  const has = machine.controllers.has("cpuset");
  drop(!has && Boolean(host.CpusetCpus || host.CpusetMems), lacking("cpuset", "Cpuset discarded."), { CpusetCpus: "", CpusetMems: "" });
  const asked = [
    ["cpuset cpus", "CPUs", host.CpusetCpus ?? "", machine.cpus],
    ["cpuset mems", "memory nodes", host.CpusetMems ?? "", machine.memoryNodes],
  ] as const;
  for (const [field, noun, wanted, available] of asked) {
    if (wanted === "") continue;
    const numbers = parseList(wanted);
    if (!numbers) throw new EngineError("invalidArgument", `Invalid value ${wanted} for ${field}`);
    const have = parseList(available);
    refuse(have !== undefined && [...numbers].some((n) => !have.has(n)), `Requested ${noun} are not available - requested ${wanted}, available: ${available}`);
  }
}

function settleBlockIo(host: Settling, controllers: Controllers, drop: Drop): void {
  const has = controllers.has("io");
  drop(!has && (host.BlkioWeight ?? 0) > 0, lacking("Block I/O weight", "Weight discarded."), { BlkioWeight: 0 });
  const weight = host.BlkioWeight ?? 0;
  refuse(weight > 0 && (weight < 10 || weight > 1000), "Range of blkio weight is from 10 to 1000");
  refuse((host.IOMaximumBandwidth ?? 0) !== 0, "invalid option: QoS maximum bandwidth configuration is not supported on linux");
  refuse((host.IOMaximumIOps ?? 0) !== 0, "invalid option: QoS maximum IOPs configuration is not supported on linux");
  const lists = [
    ["BlkioWeightDevice", lacking("Block I/O weight_device", "Weight-device discarded.")],
    ["BlkioDeviceReadBps", lacking("BPS Block I/O read limit", "Block I/O BPS read limit discarded.")],
    ["BlkioDeviceWriteBps", lacking("BPS Block I/O write limit", "Block I/O BPS write limit discarded.")],
    ["BlkioDeviceReadIOps", lacking("IOPS Block read limit", "Block I/O IOPS read limit discarded.")],
    ["BlkioDeviceWriteIOps", lacking("IOPS Block write limit", "Block I/O IOPS write limit discarded.")],
  ] as const;
  for (const [field, warning] of lists) drop(!has && (host[field]?.length ?? 0) > 0, warning, { [field]: [] });
}

/** `0-2,7` as a set; undefined when it is no such list. */
export function parseList(text: string): Set<number> | undefined {
  const numbers = new Set<number>();
  for (const part of text.trim().split(",")) {
    const range = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part.trim());
    if (!range) return undefined;
    const first = Number(range[1]);
    const last = range[2] === undefined ? first : Number(range[2]);
    if (last < first) return undefined;
    for (let n = first; n <= last; n++) numbers.add(n);
  }
  return numbers;
}

function refuse(when: boolean, message: string): void {
  if (when) throw new EngineError("invalidArgument", message);
}
