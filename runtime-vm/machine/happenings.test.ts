import { expect, test } from "vitest";
import { Happenings, inCalls } from "./happenings.ts";

const taken = (happenings: Happenings): string[] => {
  const all: string[] = [];
  for (let noted = happenings.take(); noted !== undefined; noted = happenings.take()) all.push(`${noted.what} ${noted.path}`);
  return all;
};

test("each path is taken once, whatever happened to it, and with its name if that is part of it", () => {
  const happenings = new Happenings();
  for (const path of ["a", "b"]) happenings.note(path, "named");
  for (let i = 0; i < 5; i += 1) for (const path of ["a", "c"]) happenings.note(path, "changed");
  expect(taken(happenings)).toEqual(["named a", "named b", "changed c"]);
  expect(taken(happenings)).toEqual([]);
});

test("the two halves of a rename stay beside each other, though one of the names was noted long before", () => {
  const happenings = new Happenings();
  happenings.note("first", "named");
  for (let i = 0; i < 3; i += 1) happenings.note(`other ${i}`, "named");
  happenings.note("first", "changed");
  for (const half of ["first", "renamed"]) happenings.note(half, "named");
  happenings.note("renamed", "changed");
  happenings.note("last", "changed");
  expect(taken(happenings)).toEqual(["named other 0", "named other 1", "named other 2", "named first", "named renamed", "changed last"]);
});

test("somebody who waits for something to happen is woken by it", async () => {
  const happenings = new Happenings();
  const woken = happenings.some();
  happenings.note("a", "changed");
  await woken;
  expect(taken(happenings)).toEqual(["changed a"]);
});

test("many changes are cut into calls in their order, and no call ends between the halves of a rename", () => {
  const changes = Array.from({ length: 5_000 }, (_, i) => ({ path: `/x/${i}`, what: i % 2 === 0 ? "gone" : "came" }) as const);
  for (const shift of [0, 1]) {
    const calls = inCalls(changes.slice(shift));
    expect(calls.flat()).toEqual(changes.slice(shift));
    expect(calls.length).toBeGreaterThan(3);
    expect(calls.length).toBeLessThan(10);
    for (const call of calls.slice(0, -1)) expect(call.at(-1)?.what).toBe("came");
  }
});

test("long paths make shorter calls", () => {
  const changes = Array.from({ length: 300 }, (_, i) => ({ path: `${"x".repeat(4_000)}${i}`, what: "changed" }) as const);
  for (const call of inCalls(changes)) expect(JSON.stringify(call).length).toBeLessThan(256 * 1_024);
  expect(inCalls(changes).flat()).toEqual(changes);
});
