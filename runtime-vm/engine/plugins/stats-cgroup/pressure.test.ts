import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createPressureReader } from "./pressure.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "slipway-pressure-"));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

function file(name: string, text: string): void {
  mkdirSync(dirname(join(root, name)), { recursive: true });
  writeFileSync(join(root, name), text);
}

/** Of a container on a 6.12 kernel: half a CPU, 64 MiB. */
function recorded(): void {
  file("cpu.stat", "usage_usec 2500000\nuser_usec 2000000\nsystem_usec 500000\nnr_periods 60\nnr_throttled 40\nthrottled_usec 1900000\nnr_bursts 0\n");
  file("cpu.max", "50000 100000\n");
  file("memory.current", "50331648\n");
  file("memory.max", "67108864\n");
  file("memory.stat", "anon 20971520\nfile 25165824\nkernel 3145728\nslab_reclaimable 1048576\nslab_unreclaimable 524288\nslab 1572864\nsock 0\n");
  file("cpu.pressure", "some avg10=31.02 avg60=8.11 avg300=1.90 total=6100000\nfull avg10=30.00 avg60=8.00 avg300=1.80 total=6000000\n");
  file("memory.pressure", "some avg10=0.10 avg60=0.02 avg300=0.00 total=12000\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=8000\n");
  file("io.pressure", "some avg10=0.00 avg60=0.00 avg300=0.00 total=250000\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
}

test("a container's files become counters in seconds and memory by its kind", () => {
  recorded();
  expect(createPressureReader().container(root)).toEqual({
    counters: {
      cpu: 2.5,
      throttled: 1.9,
      "stall.cpu.some": 6.1,
      "stall.memory.some": 0.012,
      "stall.memory.full": 0.008,
      "stall.io.some": 0.25,
      "stall.io.full": 0,
    },
    gauges: { "memory.used": 50331648, "memory.anon": 20971520, "memory.file": 25165824, "memory.slab": 1572864, "memory.limit": 67108864 },
  });
});

test("without a quota and without a limit neither is told", () => {
  recorded();
  file("cpu.max", "max 100000\n");
  file("memory.max", "max\n");
  const { counters, gauges } = createPressureReader().container(root);
  expect(counters).not.toHaveProperty("throttled");
  expect(gauges).not.toHaveProperty("memory.limit");
});

test("where there are no controllers and no pressure stall information, there is what the kernel has", () => {
  file("cpu.stat", "usage_usec 1000000\nuser_usec 1\nsystem_usec 1\n");
  expect(createPressureReader().container(root)).toEqual({ counters: { cpu: 1 }, gauges: {} });
  expect(createPressureReader().container(join(root, "gone"))).toEqual({ counters: {}, gauges: {} });
});

test("the machine's memory in use is what cannot be had without taking it from somebody", () => {
  file(
    "meminfo",
    "MemTotal:        2048 kB\nMemFree:          100 kB\nMemAvailable:    1024 kB\nBuffers:           10 kB\nCached:           900 kB\nAnonPages:        500 kB\nSlab:              64 kB\n",
  );
  file("stat", "cpu  100 0 200 5000 300 10 20 5 0 0\ncpu0 100 0 200 5000 300 10 20 5 0 0\n");
  file("pressure/io", "some avg10=0.00 avg60=0.00 avg300=0.00 total=5000000\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=1000000\n");
  expect(createPressureReader({ proc: root }).machine()).toEqual({
    counters: { cpu: 3.35, "stall.io.some": 5, "stall.io.full": 1 },
    gauges: { "memory.used": 1024 * 1024, "memory.anon": 500 * 1024, "memory.file": 910 * 1024, "memory.slab": 64 * 1024, "memory.limit": 2048 * 1024 },
  });
});
