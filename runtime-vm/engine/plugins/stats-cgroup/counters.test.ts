import { expect, test } from "vitest";
import { blockIo, cpuUsage, interfaces, memoryStats, pidsStats, systemCpu } from "./counters.ts";

test("microseconds of cpu.stat become dockerd's nanoseconds", () => {
  const stat = "usage_usec 1500\nuser_usec 1000\nsystem_usec 500\nnr_periods 7\nnr_throttled 2\nthrottled_usec 30\n";
  expect(cpuUsage(stat)).toEqual({
    cpu_usage: { total_usage: 1_500_000, usage_in_kernelmode: 500_000, usage_in_usermode: 1_000_000 },
    throttling_data: { periods: 7, throttled_periods: 2, throttled_time: 30_000 },
  });
});

test("a missing controller reads as nothing, not as zero usage", () => {
  expect(memoryStats({ current: "", max: "", stat: "", events: "" }, 100)).toEqual({
    stats: expect.objectContaining({ anon: 0, workingset_refault: 0 }) as object,
  });
  expect(pidsStats({ current: "", max: "" })).toEqual({});
  expect(blockIo("")).toBeNull();
});

test("a container without a memory limit has the machine's", () => {
  expect(memoryStats({ current: "42\n", max: "max\n", stat: "inactive_file 5\n", events: "" }, 1000)).toMatchObject({
    usage: 42,
    limit: 1000,
    stats: { inactive_file: 5, anon: 0 },
  });
  expect(memoryStats({ current: "42\n", max: "500\n", stat: "", events: "" }, 1000).limit).toBe(500);
  expect(memoryStats({ current: "42\n", max: "5000\n", stat: "", events: "" }, 1000).limit).toBe(1000);
});

test("a container that ran out of memory says how often", () => {
  const files = { current: "42\n", max: "500\n", stat: "" };
  expect(memoryStats({ ...files, events: "low 0\nhigh 0\nmax 7\noom 2\noom_kill 2\n" }, 1000).failcnt).toBe(2);
  expect(memoryStats({ ...files, events: "oom 0\n" }, 1000)).not.toHaveProperty("failcnt");
});

test("an unlimited number of processes is written as the whole 64 bits", () => {
  expect(JSON.stringify(pidsStats({ current: "3\n", max: "max\n" }))).toBe('{"current":3,"limit":18446744073709551615}');
  expect(pidsStats({ current: "3\n", max: "12\n" })).toEqual({ current: 3, limit: 12 });
});

test("each device of io.stat gives a read and a write entry", () => {
  expect(blockIo("254:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0\n259:3 \n8:16 rbytes=1 wbytes=2\n")).toEqual([
    { major: 254, minor: 0, op: "read", value: 4096 },
    { major: 254, minor: 0, op: "write", value: 0 },
    { major: 8, minor: 16, op: "read", value: 1 },
    { major: 8, minor: 16, op: "write", value: 2 },
  ]);
});

test("the machine's CPU time is the sum of the first seven fields; guest time is in user already", () => {
  expect(systemCpu("cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 1 2 3\ncpu1 1 2 3\nintr 5\n")).toEqual({ usage: 28 * 1e7, online: 2 });
});

test("interfaces are those of the container but for its loopback", () => {
  const text = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:     100       1    0    0    0     0          0         0      100       1    0    0    0     0       0          0
  eth0:    1266      15    1    2    0     0          0         0      866      11    3    4    0     0       0          0
`;
  expect(interfaces(text)).toEqual({
    eth0: { rx_bytes: 1266, rx_packets: 15, rx_errors: 1, rx_dropped: 2, tx_bytes: 866, tx_packets: 11, tx_errors: 3, tx_dropped: 4 },
  });
  expect(interfaces("")).toBeUndefined();
});
