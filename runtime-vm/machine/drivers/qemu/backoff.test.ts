import { expect, test } from "vitest";
import { Backoff } from "./backoff.ts";

test("pauses double up to a minute, and end after eight tries", () => {
  const backoff = new Backoff(() => 0);
  const pauses = Array.from({ length: 9 }, () => backoff.next());
  expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, undefined]);
});

test("five minutes of health start the pauses afresh, a short life does not", () => {
  let now = 0;
  const backoff = new Backoff(() => now);
  backoff.next();
  backoff.next();
  backoff.started();
  now += 10_000;
  expect(backoff.next()).toBe(4_000);
  backoff.started();
  now += 300_000;
  expect(backoff.next()).toBe(1_000);
});
