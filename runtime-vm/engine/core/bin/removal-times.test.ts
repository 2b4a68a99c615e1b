import { afterEach, expect, test, vi } from "vitest";
import type { KeptItem } from "./keeper.ts";
import { RemovalTimes } from "./removal-times.ts";

afterEach(() => void vi.useRealTimers());

const hourMs = 60 * 60 * 1_000;
const item = (id: string): KeptItem => ({ kind: "volume", id, name: id, removedMs: Date.now(), bytes: 0 });

test.for([
  ["years behind", "1970-01-02T00:00:00Z", "2026-05-01T12:00:00Z", 1],
  ["years ahead", "2050-01-01T00:00:00Z", "2026-05-01T12:00:00Z", 1],
  ["two days behind, as after a sleep", "2026-05-01T12:00:00Z", "2026-05-03T13:00:00Z", 0],
] as const)("a thing removed while the clock was %s", ([, then, now, count]) => {
  vi.useFakeTimers({ toFake: ["Date"], now: new Date(then) });
  let elapsed = 0;
  const times = new RemovalTimes(() => elapsed);
  const removed = item("a");
  const items = new Map([
    ["a", removed],
    ["older", item("older")],
  ]);
  times.note("a");
  elapsed += hourMs;
  vi.setSystemTime(new Date(now));
  const corrected = times.corrected(items);
  expect(corrected).toEqual(Array.from({ length: count }, () => ({ ...removed, removedMs: Date.parse(now) - hourMs })));
  times.forget("a");
  expect(times.corrected(items)).toEqual([]);
});
