import { expect, test } from "vitest";
import { buildGcDefault } from "../config/build-gc.ts";
import { boundsOn, keptBytes, sparesAny } from "./bounds.ts";

const GB = 1e9;
const everything = Number.POSITIVE_INFINITY;

test.each([
  ["nothing is said: nothing stays", {}, { used: 10 * GB, free: 50 * GB }, 0],
  ["a size alone is what stays", { maxUsed: 4 * GB }, { used: 10 * GB, free: 50 * GB }, 4 * GB],
  ["what is reserved alone is what stays", { reserved: 3 * GB }, { used: 10 * GB, free: 50 * GB }, 3 * GB],
  ["a disk with room enough takes nothing", { minFree: 20 * GB }, { used: 10 * GB, free: 50 * GB }, everything],
  ["a full disk takes what it lacks", { minFree: 20 * GB }, { used: 10 * GB, free: 14 * GB }, 4 * GB],
  ["a disk that lacks more than there is takes all", { minFree: 20 * GB }, { used: 10 * GB, free: 1 * GB }, 0],
  ["what is reserved stays on a full disk", { minFree: 20 * GB, reserved: 2 * GB }, { used: 10 * GB, free: 1 * GB }, 2 * GB],
  ["what is reserved bounds nothing beside another", { minFree: 20 * GB, reserved: 2 * GB }, { used: 10 * GB, free: 50 * GB }, everything],
  ["the smaller of size and room counts", { minFree: 20 * GB, maxUsed: 8 * GB }, { used: 10 * GB, free: 18 * GB }, 8 * GB],
  ["a size of nothing", { maxUsed: 0 }, { used: 10 * GB, free: 50 * GB }, 0],
])("%s", (_, bounds, state, kept) => {
  expect(keptBytes(bounds, state)).toBe(kept);
});

test("shares are of the whole disk", () => {
  const bounds = boundsOn({ bytes: 200 * GB, free: 1 }, { maxUsed: { share: 0.75 }, reserved: { bytes: 5 }, minFree: { share: 0.1 } });
  expect(bounds).toEqual({ maxUsed: 150 * GB, reserved: 5, minFree: 20 * GB });
});

test.each([
  ["room enough", 30, [false, true, true, true], 0],
  ["little room", 15, [false, false, false, false], 80],
  ["no room at all", 0, [false, false, false, false], 75],
])("on a disk with %s the usual rules are asked for nothing they need not do", (_, free, spared, kept) => {
  const disk = { bytes: 100 * GB, free: free * GB };
  const bounds = buildGcDefault.map((rule) => boundsOn(disk, rule.bounds));
  expect(bounds.map((one) => sparesAny(one, disk))).toEqual(spared);
  // Of a cache of 95 GB, or of 5.
  if (kept > 0) expect(keptBytes(bounds[3]!, { used: 95 * GB, free: disk.free })).toBe(kept * GB);
  expect(keptBytes(bounds[3]!, { used: 5 * GB, free: disk.free })).toBeGreaterThan(5 * GB);
});
