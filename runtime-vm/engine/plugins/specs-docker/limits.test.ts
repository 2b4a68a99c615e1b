import { expect, test } from "vitest";
import type { HostConfig } from "#api/containers.ts";
import { settleLimits, parseList, type LimitHost } from "./limits.ts";
import { containerResources } from "./resources.ts";

const everything = new Set(["cpu", "cpuset", "memory", "pids", "io"]);
const machine: LimitHost = { controllers: everything, cpuCount: 4, cpus: "0-3", memoryNodes: "0" };
const bare: LimitHost = { ...machine, controllers: new Set() };
const mib = 1024 * 1024;

// The words of dockerd 28.5.
test.for<[HostConfig, string]>([
  [{ Memory: 5 * mib }, "Minimum memory limit allowed is 6MB"],
  [{ Memory: 64 * mib, MemorySwap: 32 * mib }, "Minimum memoryswap limit should be larger than memory limit, see usage"],
  [{ MemorySwap: 32 * mib }, "You should always set the Memory limit when using Memoryswap limit, see usage"],
  [{ MemoryReservation: mib }, "Minimum memory reservation allowed is 6MB"],
  [{ Memory: 8 * mib, MemoryReservation: 9 * mib }, "Minimum memory limit can not be less than memory reservation limit, see usage"],
  [{ NanoCpus: 1e9, CpuPeriod: 1000 }, "Conflicting options: Nano CPUs and CPU Period cannot both be set"],
  [{ NanoCpus: 1e9, CpuQuota: 1000 }, "Conflicting options: Nano CPUs and CPU Quota cannot both be set"],
  [{ NanoCpus: 5e9 }, "range of CPUs is from 0.01 to 4.00, as there are only 4 CPUs available"],
  [{ CpuPeriod: 10 }, "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)"],
  [{ CpuQuota: 10 }, "CPU cfs quota can not be less than 1ms (i.e. 1000)"],
  [{ CpusetCpus: "0-" }, "Invalid value 0- for cpuset cpus"],
  [{ CpusetCpus: "0,9" }, "Requested CPUs are not available - requested 0,9, available: 0-3"],
  [{ CpusetMems: "1" }, "Requested memory nodes are not available - requested 1, available: 0"],
  [{ BlkioWeight: 5 }, "Range of blkio weight is from 10 to 1000"],
  [{ CpuShares: -1 }, "invalid CPU shares (-1): value must be a positive integer"],
  [{ CpuRealtimePeriod: 1000 }, "kernel does not support CPU real-time scheduler"],
  [{ IOMaximumIOps: 5 }, "invalid option: QoS maximum IOPs configuration is not supported on linux"],
])("%o is refused", ([host, message]) => {
  expect(() => settleLimits(host, machine)).toThrow(expect.objectContaining({ class: "invalidArgument", message }) as Error);
});

test.for<[HostConfig, string]>([
  [{ Memory: 64 * mib }, "Your kernel does not support memory limit capabilities or the cgroup is not mounted. Limitation discarded."],
  [{ PidsLimit: 10 }, "Your kernel does not support PIDs limit capabilities or the cgroup is not mounted. PIDs limit discarded."],
  [{ CpuShares: 10 }, "Your kernel does not support CPU shares or the cgroup is not mounted. Shares discarded."],
  [{ CpuQuota: 10_000 }, "Your kernel does not support CPU CFS scheduler. CPU period/quota discarded."],
  [{ CpusetCpus: "0" }, "Your kernel does not support cpuset or the cgroup is not mounted. Cpuset discarded."],
  [{ BlkioWeight: 100 }, "Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded."],
])("%o is dropped with a warning where the kernel has no controller, and given where it has", ([host, warning]) => {
  const dropped = settleLimits(host, bare);
  expect(dropped.warnings).toEqual([warning]);
  for (const name of Object.keys(host) as (keyof HostConfig)[]) expect(dropped.host[name]).not.toEqual(host[name]);
  expect(containerResources(dropped.host, bare.controllers)).toEqual({});
  const given = settleLimits(host, machine);
  expect(given.warnings).toEqual([]);
  expect(given.host).toMatchObject(host);
  expect(containerResources(given.host, everything)).not.toEqual({});
});

test("a limit that cannot be given is not judged either, and swap follows memory where it can", () => {
  expect(settleLimits({ Memory: 64 * mib, MemorySwap: 32 * mib, MemoryReservation: 1 }, bare).host).toMatchObject({
    Memory: 0,
    MemorySwap: -1,
    MemoryReservation: 0,
  });
  expect(settleLimits({ Memory: 64 * mib }, machine).host.MemorySwap).toBe(128 * mib);
  expect(settleLimits({ Memory: 64 * mib }, machine, { update: true }).host.MemorySwap).toBeUndefined();
});

test("--cpus cannot be dropped silently: dockerd refuses it", () => {
  expect(() => settleLimits({ NanoCpus: 1e9 }, bare)).toThrow(
    "NanoCPUs can not be set, as your kernel does not support CPU CFS scheduler or the cgroup is not mounted",
  );
});

test.for<[HostConfig, Record<string, unknown>]>([
  [{}, {}],
  [{ Memory: 64 * mib }, { memory: { limit: 64 * mib, swap: 128 * mib } }],
  [{ Memory: 64 * mib, MemorySwap: -1 }, { memory: { limit: 64 * mib, swap: -1 } }],
  [{ Memory: 64 * mib, MemorySwap: 64 * mib, MemoryReservation: 32 * mib }, { memory: { limit: 64 * mib, reservation: 32 * mib, swap: 64 * mib } }],
  [{ NanoCpus: 1.5e9 }, { cpu: { period: 100_000, quota: 150_000 } }],
  [
    { CpuShares: 512, CpuPeriod: 50_000, CpuQuota: 25_000, CpusetCpus: "0-1" },
    { cpu: { period: 50_000, quota: 25_000, cpus: "0-1" }, unified: { "cpu.weight": "59" } },
  ],
  [{ PidsLimit: 12 }, { pids: { limit: 12 } }],
  [{ PidsLimit: 0 }, {}],
  [{ PidsLimit: -1 }, { pids: { limit: -1 } }],
  [{ BlkioDeviceReadBps: [{ Path: "/dev/null", Rate: 1000 }] }, { blockIO: { throttleReadBpsDevice: [{ major: 1, minor: 3, rate: 1000 }] } }],
])("%o gives the runtime %o", ([host, resources]) => {
  expect(containerResources(host, everything)).toEqual(resources);
});

test.for([
  ["0-2,7", [0, 1, 2, 7]],
  ["3", [3]],
  [" 1 , 2 ", [1, 2]],
] as const)("list %s", ([text, numbers]) => {
  expect([...(parseList(text) ?? [])]).toEqual(numbers);
});

test.for(["", "a", "1-", "-1", "2-1", "1,,2", "1-2-3"])("%o is no list", (text) => {
  expect(parseList(text)).toBeUndefined();
});
