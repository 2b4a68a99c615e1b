import type { HostConfig } from "#api/containers.ts";

/** A limit as a client of the API asks for it; the CLI's flags for the same are in the table of `docker run`. */
export interface LimitCase {
  readonly name: string;
  readonly host: HostConfig;
  /** What `docker update` changes while it runs. */
  readonly update?: HostConfig;
}

const mebibyte = 2 ** 20;
/** The guest's data disk, where both engines keep their containers. */
const Path = "/dev/vdb";
const rate = (Rate: number): { Path: string; Rate: number }[] => [{ Path, Rate }];

export const limitCases: readonly LimitCase[] = [
  { name: "nothing", host: {} },
  { name: "memory", host: { Memory: 64 * mebibyte } },
  { name: "memory and swap", host: { Memory: 64 * mebibyte, MemorySwap: 96 * mebibyte } },
  { name: "memory without swap", host: { Memory: 64 * mebibyte, MemorySwap: 64 * mebibyte } },
  { name: "memory, swap without limit", host: { Memory: 64 * mebibyte, MemorySwap: -1 } },
  { name: "too little memory", host: { Memory: mebibyte } },
  { name: "swap below memory", host: { Memory: 64 * mebibyte, MemorySwap: 32 * mebibyte } },
  { name: "swap without memory", host: { MemorySwap: 32 * mebibyte } },
  { name: "memory reservation", host: { MemoryReservation: 32 * mebibyte } },
  { name: "memory reservation above memory", host: { Memory: 32 * mebibyte, MemoryReservation: 64 * mebibyte } },
  { name: "swappiness", host: { MemorySwappiness: 50 } },
  { name: "OOM killer off", host: { Memory: 64 * mebibyte, OomKillDisable: true } },
  { name: "OOM score", host: { OomScoreAdj: 500 } },
  { name: "half a CPU", host: { NanoCpus: 5e8 } },
  { name: "more CPUs than there are", host: { NanoCpus: 64e9 } },
  ...[2, 10, 512, 1024, 2048, 262_144].map((CpuShares) => ({ name: `CPU shares ${CpuShares}`, host: { CpuShares } })),
  { name: "CPU period", host: { CpuPeriod: 50_000 } },
  { name: "CPU quota", host: { CpuQuota: 50_000 } },
  { name: "CPU period and quota", host: { CpuPeriod: 50_000, CpuQuota: 20_000 } },
  { name: "CPU set", host: { CpusetCpus: "0-1", CpusetMems: "0" } },
  { name: "second CPU", host: { CpusetCpus: "1" } },
  { name: "CPU set beyond", host: { CpusetCpus: "0,9" } },
  { name: "memory node beyond", host: { CpusetMems: "1" } },
  { name: "processes", host: { PidsLimit: 50 } },
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
    host: {
      ...{ BlkioDeviceReadBps: rate(mebibyte), BlkioDeviceWriteBps: rate(2 * mebibyte) },
      ...{ BlkioDeviceReadIOps: rate(100), BlkioDeviceWriteIOps: rate(200) },
    },
  },
  { name: "rate of no device", host: { BlkioDeviceReadBps: [{ Path: "/dev/nowhere", Rate: mebibyte }] } },
  { name: "privileged", host: { Privileged: true, Memory: 64 * mebibyte } },
  { name: "updated memory", host: { Memory: 64 * mebibyte }, update: { Memory: 48 * mebibyte, MemorySwap: 80 * mebibyte } },
  { name: "memory updated where there was none", host: {}, update: { Memory: 48 * mebibyte, MemorySwap: 96 * mebibyte } },
  { name: "updated processor", host: { CpuShares: 512 }, update: { CpuShares: 256, CpuQuota: 30_000, CpuPeriod: 60_000, CpusetCpus: "1" } },
  { name: "updated CPUs", host: { NanoCpus: 1e9 }, update: { NanoCpus: 15e8 } },
  { name: "updated processes and weight", host: { PidsLimit: 50 }, update: { PidsLimit: 20, BlkioWeight: 200, MemoryReservation: 32 * mebibyte } },
  { name: "update of swap below memory", host: { Memory: 64 * mebibyte }, update: { MemorySwap: 32 * mebibyte } },
];
