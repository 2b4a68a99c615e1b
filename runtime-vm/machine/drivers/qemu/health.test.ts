import { expect, test } from "vitest";
import { Awake, roomToGrow } from "./health.ts";

const disk = (totalBytes: number, freeBytes: number): { totalBytes: number; freeBytes: number } => ({ totalBytes, freeBytes });

test("what is free on a data disk ends where the disk it grows on ends", () => {
  expect(roomToGrow(disk(64, 50), disk(1_000, 500))).toEqual({ of: "machine", totalBytes: 64, freeBytes: 50 });
  expect(roomToGrow(disk(64, 50), disk(1_000, 3))).toEqual({ of: "computer", totalBytes: 64, freeBytes: 3 });
});

test("the time in which a guest should have been heard of begins anew after a break of this process", () => {
  const awake = new Awake(1_000);
  expect([2_000, 17_000, 42_000].map((now) => awake.look(now))).toEqual([1_000, 16_000, 41_000]);
  expect(awake.look(500_000)).toBe(0);
  expect(awake.look(505_000)).toBe(5_000);
});
