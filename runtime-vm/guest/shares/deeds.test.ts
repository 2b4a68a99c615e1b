import { expect, test, vi } from "vitest";
import { Deeds } from "./deeds.ts";

/** A file's key: its number, and then its device. */
const keyOf = (number: bigint): string => {
  const key = Buffer.alloc(16);
  key.writeBigUInt64LE(number);
  return key.toString("latin1");
};

test("what one thread writes the other takes, a making and a removing once each", () => {
  const log = Deeds.log();
  const [server, teller] = [new Deeds(log), new Deeds(log)];
  const number = 2n ** 63n + 7n;
  server.write(keyOf(number), "made");
  expect(teller.take("7", "made")).toBe(false);
  expect(teller.take(undefined, "made")).toBe(false);
  expect(teller.take(String(number), "removed")).toBe(false);
  expect(teller.take(String(number), "made")).toBe(true);
  expect(teller.take(String(number), "made")).toBe(false);
  server.write(keyOf(number), "removed");
  expect(teller.take(String(number), "removed")).toBe(true);
});

test("a writing counts for a while, and then the host's own are told of", () => {
  vi.useFakeTimers();
  const log = Deeds.log();
  const [server, teller] = [new Deeds(log), new Deeds(log)];
  server.write(keyOf(5n), "written");
  expect(teller.take("5", "written")).toBe(true);
  expect(teller.take("5", "written")).toBe(true);
  vi.advanceTimersByTime(2_000);
  expect(teller.take("5", "written")).toBe(false);
  vi.useRealTimers();
});

test("the oldest files give way to more than are remembered", () => {
  const log = Deeds.log();
  const [server, teller] = [new Deeds(log), new Deeds(log)];
  for (let i = 1; i <= 20_000; i += 1) server.write(keyOf(BigInt(i)), "made");
  expect(teller.take("1", "made")).toBe(false);
  expect(teller.take("20000", "made")).toBe(true);
  for (let i = 1; i <= 10; i += 1) server.write(keyOf(BigInt(i)), "made");
  expect(teller.take("10", "made")).toBe(true);
});
