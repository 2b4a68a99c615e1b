// @vitest-environment node
import { expect, test } from "vitest";
import { ago, count, duration, elapsed, memory, percent, plainName, rate, shortId, size } from "./format.ts";

test.each([
  [0, "0 B"],
  [1023, "1023 B"],
  [1024, "1 KiB"],
  [1536, "1.5 KiB"],
  [12 * 1024 * 1024, "12 MiB"],
  [256 * 1024 * 1024, "256 MiB"],
  [4 * 1024 ** 3, "4 GiB"],
  [1024 * 1024 - 1, "1 MiB"],
  [-1, "–"],
])("memory of %i bytes is written %s, in powers of 1024", (bytes, text) => expect(memory(bytes)).toBe(text));

test.each([
  [999, "999 B"],
  [1000, "1 kB"],
  [999_999, "1 MB"],
  [3_110_000, "3.11 MB"],
  [129_400_000, "129 MB"],
  [7_500_000_000, "7.5 GB"],
])("a size of %i bytes is written %s, in powers of 1000", (bytes, text) => expect(size(bytes)).toBe(text));

test("a rate says what it is a rate of", () => expect(rate(2500)).toBe("2.5 kB/s"));

test.each([
  [0, "0 %"],
  [0.04, "0 %"],
  [0.44, "0.4 %"],
  [9.96, "10 %"],
  [153.7, "154 %"],
  [Number.NaN, "–"],
])("%d percent is written %s", (value, text) => expect(percent(value)).toBe(text));

test.each([
  [640, "640 ms"],
  [4210, "4.2 s"],
  [185_000, "3 min 5 s"],
])("%i milliseconds are written %s", (ms, text) => expect(duration(ms)).toBe(text));

test("a moment is told relative to now", () => {
  const now = Date.UTC(2026, 0, 2, 12, 0, 0);
  const seconds = now / 1000;
  expect(ago(seconds - 5, now)).toBe("just now");
  expect(ago(seconds - 60, now)).toBe("1 minute ago");
  expect(ago(seconds - 3 * 3600, now)).toBe("3 hours ago");
  expect(ago(seconds - 40 * 86_400, now)).toBe("1 month ago");
});

test.each([
  [0.4, "0 seconds"],
  [1, "1 second"],
  [59, "59 seconds"],
  [3_700, "1 hour"],
  [172_800, "2 days"],
])("%d seconds of running are %s", (seconds, text) => expect(elapsed(seconds)).toBe(text));

test("names lose their slash, ids their algorithm", () => {
  expect(plainName(["/web"])).toBe("web");
  expect(plainName(undefined)).toBe("");
  expect(shortId("sha256:0123456789abcdef")).toBe("0123456789ab");
});

test("one thing is singular, none and several are plural", () => {
  expect([0, 1, 2].map((n) => count(n, "entry", "entries"))).toEqual(["0 entries", "1 entry", "2 entries"]);
});
