import { expect, test } from "vitest";
import { ClockKeeper } from "./clock.ts";

test("a guest that is behind is set at once", () => {
  expect(new ClockKeeper().take(10_000, 4_000)).toBe(10_000);
});

test("a guest within the tolerance is left alone", () => {
  const clock = new ClockKeeper();
  for (const now of [9_500, 10_000, 10_500]) expect(clock.take(10_000, now)).toBeUndefined();
});

test("a delayed message does not put the clock back", () => {
  const clock = new ClockKeeper();
  expect(clock.take(10_000, 13_000)).toBeUndefined();
  expect(clock.take(20_000, 24_000)).toBeUndefined();
  expect(clock.take(30_000, 30_100)).toBeUndefined();
  expect(clock.take(40_000, 42_000)).toBeUndefined();
});

test("a guest that is ahead three times in a row is put back by the smallest lead", () => {
  const clock = new ClockKeeper();
  clock.take(10_000, 16_000);
  clock.take(20_000, 25_000);
  expect(clock.take(30_000, 37_000)).toBe(32_000);
});
