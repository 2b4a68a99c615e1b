import { expect, test } from "vitest";
import { formatNano, nowNano, parseNano } from "./clock.ts";

test("nanoseconds print as Go prints them", () => {
  expect(formatNano(1_700_000_000_000_000_000n)).toBe("2023-11-14T22:13:20Z");
  expect(formatNano(1_700_000_000_120_000_000n)).toBe("2023-11-14T22:13:20.12Z");
  expect(formatNano(1_700_000_000_000_000_001n)).toBe("2023-11-14T22:13:20.000000001Z");
});

test("what is printed is read back; offsets count; other texts are no time", () => {
  for (const nano of [0n, 1_700_000_000_123_456_789n]) expect(parseNano(formatNano(nano))).toBe(nano);
  expect(parseNano("1970-01-01T01:00:00+01:00")).toBe(0n);
  expect(parseNano("yesterday")).toBeUndefined();
  expect(parseNano("2023-13-99T99:99:99Z")).toBeUndefined();
});

test("every answer is later than the one before", () => {
  let before = nowNano();
  for (let i = 0; i < 10_000; i++) {
    const now = nowNano();
    expect(now > before).toBe(true);
    before = now;
  }
});
