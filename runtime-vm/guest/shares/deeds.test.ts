import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Deeds } from "./deeds.ts";

let server: Deeds;
let teller: Deeds;
beforeEach(() => {
  vi.useFakeTimers();
  const log = Deeds.log();
  [server, teller] = [new Deeds(log), new Deeds(log)];
});
afterEach(() => {
  vi.useRealTimers();
});

/** A file's key: its number, and then its device. */
const keyOf = (number: bigint): string => {
  const key = Buffer.alloc(16);
  key.writeBigUInt64LE(number);
  return key.toString("latin1");
};

test("what one thread writes the other takes, a making and a removing once each", () => {
  const number = 2n ** 63n + 7n;
  server.write(keyOf(number), "made");
  expect(teller.take("7", "made", 0)).toBe(false);
  expect(teller.take(undefined, "made", 0)).toBe(false);
  expect(teller.take(String(number), "removed", 0)).toBe(false);
  expect(teller.take(String(number), "made", 0)).toBe(true);
  expect(teller.take(String(number), "made", 0)).toBe(false);
  server.write(keyOf(number), "removed");
  expect(teller.take(String(number), "removed", 0)).toBe(true);
});

test("a writing counts for a while, and then the host's own are told of", () => {
  server.write(keyOf(5n), "written");
  expect(teller.take("5", "written", 0)).toBe(true);
  expect(teller.take("5", "written", 0)).toBe(true);
  vi.advanceTimersByTime(2_000);
  expect(teller.take("5", "written", 0)).toBe(false);
});

test("what is told late is compared with what was done when it happened", () => {
  server.write(keyOf(5n), "made");
  server.write(keyOf(6n), "written");
  vi.advanceTimersByTime(5_000);
  expect(teller.take("6", "written", 4_900)).toBe(true);
  expect(teller.take("5", "made", 4_900)).toBe(true);
  expect(teller.take("6", "written", 1_000)).toBe(false);
});

test("a file that is open for writing is being written to until it is closed, by everybody who has opened it", () => {
  for (let i = 0; i < 2; i += 1) server.write(keyOf(5n), "opened");
  vi.advanceTimersByTime(60_000);
  expect(teller.take("5", "written", 0)).toBe(true);
  server.write(keyOf(5n), "closed");
  vi.advanceTimersByTime(60_000);
  expect(teller.take("5", "written", 0)).toBe(true);
  server.write(keyOf(5n), "closed");
  vi.advanceTimersByTime(60_000);
  expect(teller.take("5", "written", 0)).toBe(false);
});

test("a file of the host's that has the number of one that a container made or removed before is the host's", () => {
  server.write(keyOf(5n), "made");
  server.write(keyOf(6n), "made");
  server.write(keyOf(6n), "removed");
  vi.advanceTimersByTime(2_000);
  expect(teller.take("5", "made", 0)).toBe(false);
  expect(teller.take("6", "removed", 0)).toBe(false);
  // Even at once: of what it has made itself, the host tells next that it has removed it.
  server.write(keyOf(7n), "removed");
  server.write(keyOf(7n), "written");
  expect(teller.take("7", "made", 0)).toBe(false);
  expect(teller.take("7", "written", 0)).toBe(false);
  expect(teller.take("7", "removed", 0)).toBe(false);
});

test("the oldest files give way to more than are remembered, and none stays open that may have been closed meanwhile", () => {
  server.write(keyOf(30_000n), "opened");
  expect(teller.take("30000", "written", 0)).toBe(true);
  for (let i = 1; i <= 20_000; i += 1) server.write(keyOf(BigInt(i)), "made");
  expect(teller.take("1", "made", 0)).toBe(false);
  expect(teller.take("20000", "made", 0)).toBe(true);
  expect(teller.take("30000", "written", 0)).toBe(false);
  for (let i = 1; i <= 10; i += 1) server.write(keyOf(BigInt(i)), "made");
  expect(teller.take("10", "made", 0)).toBe(true);
});
