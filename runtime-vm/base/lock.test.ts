import { expect, test } from "vitest";
import { KeyedLock } from "./lock.ts";

test("holders of one key run one after another, in the order of asking", async () => {
  const lock = new KeyedLock();
  const seen: string[] = [];
  const work = (name: string) => async () => {
    seen.push(`${name} in`);
    await Promise.resolve();
    await Promise.resolve();
    seen.push(`${name} out`);
  };
  await Promise.all([lock.with("a", work("1")), lock.with("a", work("2")), lock.with("a", work("3"))]);
  expect(seen).toEqual(["1 in", "1 out", "2 in", "2 out", "3 in", "3 out"]);
});

test("who gives up waiting is passed over, and not before its turn", async () => {
  const lock = new KeyedLock();
  const first = await lock.acquire("a");
  const leaving = new AbortController();
  const second = lock.acquire("a", leaving.signal);
  const third = lock.acquire("a");
  leaving.abort(new Error("left"));
  await expect(second).rejects.toThrow("left");
  let isThird = false;
  void third.then(() => (isThird = true));
  for (let turns = 0; turns < 10; turns += 1) await Promise.resolve();
  expect(isThird).toBe(false);
  first[Symbol.dispose]();
  (await third)[Symbol.dispose]();
  await expect(lock.acquire("a", AbortSignal.abort(new Error("gone")))).rejects.toThrow("gone");
  await expect(lock.with("a", () => Promise.resolve(1))).resolves.toBe(1);
});

test("different keys do not wait for each other", async () => {
  const lock = new KeyedLock();
  using _a = await lock.acquire("a");
  using _b = await lock.acquire("b");
  expect(true).toBe(true);
});

test("a holder that throws gives the key back", async () => {
  const lock = new KeyedLock();
  await expect(lock.with("a", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  await expect(lock.with("a", () => Promise.resolve(7))).resolves.toBe(7);
});
