import type { HostConfig } from "#api/containers.ts";

/** A limit as a client of the API asks for it; the CLI's flags for the same are in the table of `docker run`. */
export interface LimitCase {
  readonly name: string;
  readonly host: HostConfig;
  /** Asked in every run, not only in the long one: each start takes the emulated guest seconds. */
  readonly always?: true;
  /** What `docker update` changes while it runs. */
  readonly update?: HostConfig;
  /** What ours says where dockerd tells the words of its runtime, and why. */
  readonly ours?: { readonly reason: string; readonly said: RegExp };
}

const mebibyte = 2 ** 20;
/** The guest's data disk, where both engines keep their containers. */
const Path = "/dev/vdb";
const rate = (Rate: number): { Path: string; Rate: number }[] => [{ Path, Rate }];

export const limitCases: readonly LimitCase[] = [
  { name: "nothing", always: true, host: {} },
  { name: "memory", host: { Memory: 64 * mebibyte } },
  { name: "memory and swap", always: true, host: { Memory: 64 * mebibyte, MemorySwap: 96 * mebibyte } },
  { name: "memory without swap", host: { Memory: 64 * mebibyte, MemorySwap: 64 * mebibyte } },
  { name: "memory, swap without limit", host: { Memory: 64 * mebibyte, MemorySwap: -1 } },
  { name: "too little memory", always: true, host: { Memory: mebibyte } },
  { name: "swap below memory", always: true, host: { Memory: 64 * mebibyte, MemorySwap: 32 * mebibyte } },
  { name: "swap without memory", always: true, host: { MemorySwap: 32 * mebibyte } },
  { name: "memory reservation", host: { MemoryReservation: 32 * mebibyte } },
  { name: "memory reservation above memory", always: true, host: { Memory: 32 * mebibyte, MemoryReservation: 64 * mebibyte } },
  { name: "swappiness", host: { MemorySwappiness: 50 } },
  { name: "OOM killer off", host: { Memory: 64 * mebibyte, OomKillDisable: true } },
  { name: "OOM score", host: { OomScoreAdj: 500 } },
  { name: "half a CPU", host: { NanoCpus: 5e8 } },
  { name: "more CPUs than there are", always: true, host: { NanoCpus: 64e9 } },
  ...[2, 10, 512, 1024, 2048, 262_144].map((CpuShares) => ({ name: `CPU shares ${CpuShares}`, host: { CpuShares } })),
  { name: "CPU period", host: { CpuPeriod: 50_000 } },
  { name: "CPU quota", host: { CpuQuota: 50_000 } },
  { name: "CPU period and quota", always: true, host: { CpuPeriod: 50_000, CpuQuota: 20_000 } },
  { name: "CPU set", host: { CpusetCpus: "0-1", CpusetMems: "0" } },
  { name: "second CPU", host: { CpusetCpus: "1" } },
  { name: "CPU set beyond", always: true, host: { CpusetCpus: "0,9" } },
  {
    name: "memory node beyond",
    host: { CpusetMems: "1" },
    ours: { reason: "dockerd leaves it to its runtime", said: /^Requested memory nodes are not available - requested 1, available: 0$/ },
  },
  { name: "processes", always: true, host: { PidsLimit: 50 } },
  { name: "processes without limit", host: { PidsLimit: -1 } },
  { name: "processes zero", host: { PidsLimit: 0 } },
  ...[10, 300, 1000].map((BlkioWeight) => ({ name: `block weight ${BlkioWeight}`, host: { BlkioWeight } })),
  { name: "block weight of a device", host: { BlkioWeightDevice: [{ Path, Weight: 200 }] } },
  { name: "bytes read a second", host: { BlkioDeviceReadBps: rate(mebibyte) } },
  { name: "bytes written a second", host: { BlkioDeviceWriteBps: rate(2 * mebibyte) } },
  { name: "reads a second", host: { BlkioDeviceReadIOps: rate(100) } },
  { name: "writes a second", host: { BlkioDeviceWriteIOps: rate(200) } },
  {
    name: "all rates",
    always: true,
    host: {
      ...{ BlkioDeviceReadBps: rate(mebibyte), BlkioDeviceWriteBps: rate(2 * mebibyte) },
      ...{ BlkioDeviceReadIOps: rate(100), BlkioDeviceWriteIOps: rate(200) },
    },
  },
  { name: "rate of no device", always: true, host: { BlkioDeviceReadBps: [{ Path: "/dev/nowhere", Rate: mebibyte }] } },
  { name: "privileged", host: { Privileged: true, Memory: 64 * mebibyte } },
  { name: "updated memory", host: { Memory: 64 * mebibyte }, update: { Memory: 48 * mebibyte, MemorySwap: 80 * mebibyte } },
  { name: "memory updated where there was none", host: {}, update: { Memory: 48 * mebibyte, MemorySwap: 96 * mebibyte } },
  { name: "updated processor", always: true, host: { CpuShares: 512 }, update: { CpuShares: 256, CpuQuota: 30_000, CpuPeriod: 60_000, CpusetCpus: "1" } },
  { name: "updated CPUs", host: { NanoCpus: 1e9 }, update: { NanoCpus: 15e8 } },
  { name: "updated processes and weight", host: { PidsLimit: 50 }, update: { PidsLimit: 20, BlkioWeight: 200, MemoryReservation: 32 * mebibyte } },
  {
    name: "update of swap below memory",
    host: { Memory: 64 * mebibyte },
    update: { MemorySwap: 32 * mebibyte },
    ours: { reason: "dockerd leaves it to its runtime", said: /^Cannot update container <id>: memory\+swap limit should be >= memory limit$/ },
  },
];
