import { expect, test } from "vitest";
import { parseSignal } from "./signals.ts";

test.each([
  ["SIGTERM", 15],
  ["kill", 9],
  ["USR1", 10],
  ["2", 2],
  ["RTMIN", 34],
  ["SIGRTMIN+3", 37],
  ["RTMAX-1", 63],
])("%s is signal %i", (text, number) => {
  expect(parseSignal(text)).toBe(number);
});

test.each(["FOO", "", "0", "65", "RTMIN-1", "-9"])("%j is no signal", (text) => {
  expect(() => parseSignal(text)).toThrow(`invalid signal: ${text}`);
});
