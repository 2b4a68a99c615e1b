import { expect, test } from "vitest";
import { nowNano } from "./clock.ts";
import { parseMoment, untilOf } from "./until.ts";

test("seconds, times and dates are moments", () => {
  expect(parseMoment("1700000000")).toBe(1_700_000_000_000_000_000n);
  expect(parseMoment("1700000000.5")).toBe(1_700_000_000_500_000_000n);
  expect(parseMoment("2023-11-14T22:13:20.000000001Z")).toBe(1_700_000_000_000_000_001n);
  const day = BigInt(new Date(2020, 0, 1, 13, 5).getTime()) * 1_000_000n;
  expect(parseMoment("2020-01-01T13:05")).toBe(day);
  expect(parseMoment("2020-01-01T13")).toBe(day - 300_000_000_000n);
  expect(parseMoment("2020-01-01")).toBe(day - 13n * 3_600_000_000_000n - 300_000_000_000n);
});

test("spans lead back from now, negative ones into what is to come", () => {
  const hour = 3_600_000_000_000n;
  for (const [text, back] of [
    ["1h30m", (hour * 3n) / 2n],
    ["1.5h", (hour * 3n) / 2n],
    ["0s", 0n],
    ["-1h", -hour],
    ["+1h", hour],
  ] as const) {
    const before = nowNano() - back;
    const moment = parseMoment(text);
    expect(moment, text).toBeGreaterThanOrEqual(before - 2_000_000n);
    expect(moment, text).toBeLessThanOrEqual(nowNano() - back);
  }
});

test("anything else is refused in dockerd's words, and so is more than one", () => {
  for (const text of ["", "nonsense", "h", "1x", "1h2", "2020-13-01"]) {
    expect(() => parseMoment(text), text).toThrow(`failed to parse value as time or duration: ${JSON.stringify(text)}`);
  }
  expect(() => untilOf(["1h", "2h"])).toThrow("more than one until filter specified");
  expect([untilOf(), untilOf([]), untilOf(["5"])]).toEqual([undefined, undefined, 5_000_000_000n]);
});
