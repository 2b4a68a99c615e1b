import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { createCgroupStats } from "./reader.ts";

const stats = createCgroupStats();
const here = { id: "id", name: "/name", pid: process.pid, interfaces: [] };

test("a container whose control group is gone reads as nothing used, on a machine that is there", () => {
  const read = stats.read({ ...here, cgroup: "/sys/fs/cgroup/no-such-group" });
  expect(read).toMatchObject({ id: "id", name: "/name", pids_stats: {}, cpu_stats: { cpu_usage: { total_usage: 0 } } });
  expect(read.blkio_stats.io_service_bytes_recursive).toBeNull();
  const cpus = readFileSync("/proc/stat")
    .toString()
    .match(/^cpu\d/gm)?.length;
  expect(read.cpu_stats.online_cpus).toBe(cpus);
  expect(read.cpu_stats.system_cpu_usage).toBeGreaterThan(0);
});

test("interfaces are told of a container with a network of its own only, and those of a process that has ended are none", () => {
  const cgroup = "/sys/fs/cgroup/no-such-group";
  expect(stats.read({ ...here, cgroup })).not.toHaveProperty("networks");
  const names = Object.keys(stats.read({ ...here, cgroup, netns: "/proc/self/ns/net" }).networks ?? {});
  const lines = readFileSync("/proc/self/net/dev").toString().split("\n").slice(2);
  const shown = lines.map((line) => line.slice(0, Math.max(0, line.indexOf(":"))).trim()).filter((name) => name !== "" && name !== "lo");
  expect(names).toEqual(shown);
  expect(stats.read({ ...here, pid: 2 ** 30, cgroup, netns: "/proc/self/ns/net" })).not.toHaveProperty("networks");
});
