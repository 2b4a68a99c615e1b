import { expect, test } from "vitest";
import { roomToGrow } from "./health.ts";

const disk = (totalBytes: number, freeBytes: number): { totalBytes: number; freeBytes: number } => ({ totalBytes, freeBytes });

test("what is free on a data disk ends where the disk it grows on ends", () => {
  expect(roomToGrow(disk(64, 50), disk(1_000, 500))).toEqual({ of: "machine", totalBytes: 64, freeBytes: 50 });
  expect(roomToGrow(disk(64, 50), disk(1_000, 3))).toEqual({ of: "computer", totalBytes: 64, freeBytes: 3 });
});
