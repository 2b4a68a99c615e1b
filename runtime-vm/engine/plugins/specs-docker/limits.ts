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

/** Checks resource limits as `docker create` does and returns its warnings for those this kernel cannot give. */
export function checkLimits(host: HostConfig, machine: LimitHost): string[] {
  return [...checkMemory(host, machine.controllers), ...checkCpu(host, machine), ...checkCpuset(host, machine), ...checkBlockIo(host, machine.controllers)];
}

function checkMemory(host: HostConfig, controllers: Controllers): string[] {
  const limit = host.Memory ?? 0;
  const swap = host.MemorySwap ?? 0;
  const reservation = host.MemoryReservation ?? 0;
  const swappiness = host.MemorySwappiness ?? -1;
  refuse(limit !== 0 && limit < memoryBytesMin, "Minimum memory limit allowed is 6MB");
  refuse(limit > 0 && swap > 0 && swap < limit, "Minimum memoryswap limit should be larger than memory limit, see usage");
  refuse(limit === 0 && swap > 0, "You should always set the Memory limit when using Memoryswap limit, see usage");
  refuse(swappiness < -1 || swappiness > 100, `Invalid value: ${swappiness}, valid memory swappiness range is 0-100`);
  refuse(reservation > 0 && reservation < memoryBytesMin, "Minimum memory reservation allowed is 6MB");
  refuse(limit > 0 && reservation > 0 && limit < reservation, "Minimum memory limit can not be less than memory reservation limit, see usage");
  const warnings: string[] = [];
  const has = controllers.has("memory");
  if (!has && limit > 0) warnings.push("Your kernel does not support memory limit capabilities or the cgroup is not mounted. Limitation discarded.");
  if (swappiness !== -1)
    warnings.push("Your kernel does not support memory swappiness capabilities or the cgroup is not mounted. Memory swappiness discarded.");
  if (!has && reservation > 0) warnings.push("Your kernel does not support memory soft limit capabilities or the cgroup is not mounted. Limitation discarded.");
  if (host.OomKillDisable) warnings.push("Your kernel does not support OomKillDisable. OomKillDisable discarded.");
  if (!controllers.has("pids") && (host.PidsLimit ?? 0) > 0) {
    warnings.push("Your kernel does not support PIDs limit capabilities or the cgroup is not mounted. PIDs limit discarded.");
  }
  return warnings;
}

function checkCpu(host: HostConfig, { controllers, cpuCount }: LimitHost): string[] {
  const nano = host.NanoCpus ?? 0;
  const period = host.CpuPeriod ?? 0;
  const quota = host.CpuQuota ?? 0;
  const has = controllers.has("cpu");
  refuse(nano > 0 && period > 0, "Conflicting options: Nano CPUs and CPU Period cannot both be set");
  refuse(nano > 0 && quota > 0, "Conflicting options: Nano CPUs and CPU Quota cannot both be set");
  refuse(nano > 0 && !has, "NanoCPUs can not be set, as your kernel does not support CPU CFS scheduler or the cgroup is not mounted");
  refuse(nano < 0 || nano > cpuCount * 1e9, `range of CPUs is from 0.01 to ${cpuCount}.00, as there are only ${cpuCount} CPUs available`);
  refuse((host.CpuShares ?? 0) < 0, "shares: invalid argument");
  refuse(period !== 0 && (period < 1_000 || period > 1_000_000), "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)");
  refuse(quota > 0 && quota < 1_000, "CPU cfs quota can not be less than 1ms (i.e. 1000)");
  const warnings: string[] = [];
  if (!has && (host.CpuShares ?? 0) > 0) warnings.push("Your kernel does not support CPU shares or the cgroup is not mounted. Shares discarded.");
  if (!has && (period !== 0 || quota !== 0)) warnings.push("Your kernel does not support CPU CFS scheduler. CPU period/quota discarded.");
  return warnings;
}

function checkCpuset(host: HostConfig, machine: LimitHost): string[] {
  const asked = [
    ["cpuset cpus", "CPUs", host.CpusetCpus ?? "", machine.cpus],
    ["cpuset mems", "memory nodes", host.CpusetMems ?? "", machine.memoryNodes],
  ] as const;
  const has = machine.controllers.has("cpuset");
  for (const [field, noun, wanted, available] of asked) {
    if (wanted === "") continue;
    const numbers = parseList(wanted);
    if (!numbers) throw new EngineError("invalidArgument", `Invalid value ${wanted} for ${field}`);
    const have = parseList(available);
    refuse(
      has && have !== undefined && [...numbers].some((n) => !have.has(n)),
      `Requested ${noun} are not available - requested ${wanted}, available: ${available}`,
    );
  }
  const discarded = !has && (host.CpusetCpus || host.CpusetMems);
  return discarded ? ["Your kernel does not support cpuset or the cgroup is not mounted. Cpuset discarded."] : [];
}

function checkBlockIo(host: HostConfig, controllers: Controllers): string[] {
  const weight = host.BlkioWeight ?? 0;
  refuse(weight > 0 && (weight < 10 || weight > 1000), "Range of blkio weight is from 10 to 1000");
  if (controllers.has("io")) return [];
  const unmounted = "or the cgroup is not mounted.";
  const table: readonly [boolean, string][] = [
    [weight > 0, `Your kernel does not support Block I/O weight ${unmounted} Weight discarded.`],
    [some(host.BlkioWeightDevice), `Your kernel does not support Block I/O weight_device ${unmounted} Weight-device discarded.`],
    [some(host.BlkioDeviceReadBps), `Your kernel does not support BPS Block I/O read limit ${unmounted} Block I/O BPS read limit discarded.`],
    [some(host.BlkioDeviceWriteBps), `Your kernel does not support BPS Block I/O write limit ${unmounted} Block I/O BPS write limit discarded.`],
    [some(host.BlkioDeviceReadIOps), `Your kernel does not support IOPS Block read limit ${unmounted} Block I/O IOPS read limit discarded.`],
    [some(host.BlkioDeviceWriteIOps), `Your kernel does not support IOPS Block write limit ${unmounted} Block I/O IOPS write limit discarded.`],
  ];
  return table.filter(([asked]) => asked).map(([, warning]) => warning);
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

const some = (list: readonly unknown[] | null | undefined): boolean => (list?.length ?? 0) > 0;

function refuse(when: boolean, message: string): void {
  if (when) throw new EngineError("invalidArgument", message);
}
