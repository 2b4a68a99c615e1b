// @vitest-environment node
import { afterEach, expect, test } from "vitest";
import { ago, clockTime, count, duration, elapsed, exactTime, memory, percent, plainName, rate, secondsAgo, shortId, size, whole } from "./format.ts";
import { language } from "./language.ts";

afterEach(() => language.setState({ shown: "en" }));

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

test("in German numbers have a comma, days are counted as Germans count them, and a day has 24 hours", () => {
  const now = Date.UTC(2026, 0, 2, 12, 0, 0);
  const evening = new Date(2026, 0, 2, 17, 5, 9).getTime();
  expect([size(3_110_000), percent(0.44), duration(4210), whole(12_345), exactTime(evening / 1000)]).toEqual([
    "3.11 MB",
    "0.4 %",
    "4.2 s",
    "12,345",
    expect.stringMatching(/^Jan 2, 2026, 5:05:09\sPM$/),
  ]);
  language.setState({ shown: "de" });
  expect([size(3_110_000), percent(0.44), duration(4210), whole(12_345), exactTime(evening / 1000)]).toEqual([
    "3,11 MB",
    "0,4 %",
    "4,2 s",
    "12.345",
    "02.01.2026, 17:05:09",
  ]);
  expect(clockTime(evening)).toBe("17:05:09");
  expect(ago(now / 1000 - 5, now)).toBe("gerade eben");
  expect(ago(now / 1000 - 60, now)).toBe("vor 1 Minute");
  expect(secondsAgo(2 * 86_400)).toBe("vor 2 Tagen");
  expect([elapsed(3_700), elapsed(172_800)]).toEqual(["1 Stunde", "2 Tage"]);
  expect([1, 2].map((n) => count(n, "Eintrag", "Einträge"))).toEqual(["1 Eintrag", "2 Einträge"]);
});
