import { expect, test } from "vitest";
import { SteadyClock } from "./steady.ts";

const minute = 60_000;
const hour = 60 * minute;

/** A clock at `wall` that has run for `ran`, in milliseconds; both are moved by the test. */
function rig() {
  const at = { wall: 1_700_000_000_000, ran: 0 };
  const clock = new SteadyClock(
    () => at.wall,
    () => at.ran,
  );
  const runs = (ms: number): boolean => {
    at.wall += ms;
    at.ran += ms;
    return clock.isSettled();
  };
  const isSet = (by: number): boolean => {
    at.wall += by;
    return clock.isSettled();
  };
  return { runs, isSet };
}

test("a clock is settled an hour after it was first looked at, however seldom", () => {
  const { runs } = rig();
  expect(runs(0)).toBe(false);
  expect(runs(hour - 1)).toBe(false);
  expect(runs(1)).toBe(true);
  expect(runs(100 * hour)).toBe(true);
});

test.each([30 * 24 * hour, -30 * 24 * hour, 6 * minute])("one that was set by %i ms is not, for an hour", (by) => {
  const { runs, isSet } = rig();
  runs(hour);
  expect(isSet(by)).toBe(false);
  expect(runs(hour - 1)).toBe(false);
  expect(isSet(-by)).toBe(false);
  expect(runs(hour)).toBe(true);
});

test("one that is put right by little stays settled", () => {
  const { runs, isSet } = rig();
  runs(hour);
  for (let i = 0; i < 100; i++) {
    expect(isSet(minute)).toBe(true);
    expect(runs(minute)).toBe(true);
  }
});
