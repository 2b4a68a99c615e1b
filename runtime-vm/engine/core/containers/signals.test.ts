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

test("a number past the last signal is refused by number", () => {
  expect(() => parseSignal("65")).toThrow("the linux daemon does not support signal 65");
});

test.each(["FOO", "", "0", "RTMIN-1", "-0"])("%j is no signal", (text) => {
  expect(() => parseSignal(text)).toThrow(`invalid signal: ${text}`);
});

test.each(["65", "-9", "+99"])("%j is a number that Linux has no signal for", (text) => {
  expect(() => parseSignal(text)).toThrow(`the linux daemon does not support signal ${Number(text)}`);
});
