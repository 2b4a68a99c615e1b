import { expect, test } from "vitest";
import { isTight, levelOf, roomFrom, takenShare } from "./disk-room.ts";

test.each([
  [100, "plenty"],
  [15.01, "plenty"],
  [15, "low"],
  [5.01, "low"],
  [5, "critical"],
  [0, "critical"],
])("with %d %% free a disk is %s", (freeBytes, level) => {
  expect(levelOf({ totalBytes: 100, freeBytes })).toBe(level);
});

test("a file system without blocks of its own is not full", () => {
  expect(levelOf({ totalBytes: 0, freeBytes: 0 })).toBe("plenty");
});

test("what is set aside for root is not free", () => {
  const room = roomFrom({ bsize: 4096, blocks: 100, bavail: 25 });
  expect(room).toEqual({ totalBytes: 409_600, freeBytes: 102_400 });
  expect(takenShare(room)).toBe(0.75);
});

test.each([
  [10 ** 9, 0.16 * 10 ** 9, false],
  [10 ** 9, 0.14 * 10 ** 9, true],
  [10 ** 13, 3 * 2 ** 30, false],
  [10 ** 13, 1 * 2 ** 30, true],
  [0, 0, false],
])("of %d bytes %d free is tight: %s", (totalBytes, freeBytes, tight) => {
  expect(isTight({ totalBytes, freeBytes })).toBe(tight);
});
