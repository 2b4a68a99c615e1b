import { expect, test } from "vitest";
import type { HostConfig } from "#api/containers.ts";
import { limitFiles } from "./limit-files.ts";

const everything = new Set(["cpu", "cpuset", "memory", "pids", "io"]);
const mib = 1024 * 1024;

test.for<[HostConfig, Record<string, string>]>([
  [{}, {}],
  [
    { Memory: 64 * mib, MemorySwap: 96 * mib, MemoryReservation: mib },
    { "memory.max": String(64 * mib), "memory.low": String(mib), "memory.swap.max": String(32 * mib) },
  ],
  [
    { Memory: 64 * mib, MemorySwap: -1 },
    { "memory.max": String(64 * mib), "memory.swap.max": "max" },
  ],
  [{ NanoCpus: 0.5e9 }, { "cpu.max": "50000 100000" }],
  [{ CpuPeriod: 20_000 }, { "cpu.max": "max 20000" }],
  [{ CpuShares: 1024 }, { "cpu.weight": "100" }],
  [{ CpuShares: 512 }, { "cpu.weight": "59" }],
  [{ CpuShares: 2 }, { "cpu.weight": "1" }],
  [{ PidsLimit: -1 }, { "pids.max": "max" }],
  [{ BlkioWeight: 300 }, { "io.weight": "default 2930" }],
  [{ CpusetCpus: "0-1" }, { "cpuset.cpus": "0-1" }],
])("%o is %o in the cgroup", ([host, files]) => {
  expect(Object.fromEntries(limitFiles(host, everything))).toEqual(files);
});

test("what no controller is there for is in no file", () => {
  expect(limitFiles({ Memory: 64 * mib, CpuShares: 5, PidsLimit: 3 }, new Set()).size).toBe(0);
});
