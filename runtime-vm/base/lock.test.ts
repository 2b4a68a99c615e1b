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
