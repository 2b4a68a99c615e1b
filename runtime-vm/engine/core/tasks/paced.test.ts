import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Pace } from "./paced.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const kib = 1024;

test("a program that prints little is never waited for", () => {
  const pace = new Pace(512 * kib);
  for (let line = 0; line < 100; line++) {
    expect(pace.after(1 * kib)).toBeUndefined();
    vi.advanceTimersByTime(10);
  }
});

test("in a flood a read that leaves nothing is followed by a pause, and one that leaves more is not", () => {
  const pace = new Pace(512 * kib);
  expect(pace.after(512 * kib)).toBeUndefined();
  expect(pace.after(511 * kib)).toBeInstanceOf(Promise);
});

test("once a flood is over nothing is waited for", () => {
  const pace = new Pace(512 * kib);
  expect(pace.after(100 * kib)).toBeInstanceOf(Promise);
  vi.advanceTimersByTime(1_000);
  expect(pace.after(1 * kib)).toBeUndefined();
});

test("the less a pipe holds the shorter is the pause: the same flood through a narrow one goes on sooner", async () => {
  const over: string[] = [];
  for (const [name, pace] of [["narrow", new Pace(32 * kib)] as const, ["wide", new Pace(512 * kib)] as const]) {
    for (let read = 0; read < 20; read++) void pace.after(31 * kib);
    void pace.after(31 * kib)?.then(() => over.push(name));
  }
  await vi.advanceTimersByTimeAsync(5);
  expect(over).toEqual(["narrow"]);
  await vi.advanceTimersByTimeAsync(5);
  expect(over).toEqual(["narrow", "wide"]);
});
