import { expect, test } from "vitest";
import { humanDuration, parseRamSize } from "./units.ts";

const hour = 3600;
const day = 24 * hour;
test.each([
  [0.9, "Less than a second"],
  [1.5, "1 second"],
  [59.9, "59 seconds"],
  [60, "About a minute"],
  [150, "2 minutes"],
  [hour, "About an hour"],
  [47 * hour, "47 hours"],
  [3 * day, "3 days"],
  [20 * day, "2 weeks"],
  [100 * day, "3 months"],
  [800 * day, "2 years"],
])("%d s is %j", (seconds, text) => {
  expect(humanDuration(seconds)).toBe(text);
});

test("sizes are in powers of 1024, with or without B", () => {
  expect(["0", "7", "8m", "1.5G", "2 KiB", "1tb"].map(parseRamSize)).toEqual([0, 7, 8 * 2 ** 20, 1.5 * 2 ** 30, 2_048, 2 ** 40]);
  for (const wrong of ["", "m", "-1", "1x", "1 2"]) expect(() => parseRamSize(wrong)).toThrow(`invalid size: '${wrong}'`);
});
