import { expect, test, vi } from "vitest";
import { Viewers } from "./viewers.ts";

const idleMsMax = 1_000;

/** Whether `promise` has resolved by now. */
async function isOver(promise: Promise<void>): Promise<boolean> {
  let over = false;
  void promise.then(() => (over = true));
  await vi.advanceTimersByTimeAsync(0);
  return over;
}

test("nobody there is nobody to wait for", async () => {
  const viewers = new Viewers();
  await viewers.gone(idleMsMax);
  expect(viewers.any).toBe(false);
});

test("the last one to leave ends the waiting", async () => {
  vi.useFakeTimers();
  try {
    const viewers = new Viewers();
    viewers.enter();
    viewers.enter();
    const gone = viewers.gone(idleMsMax);
    viewers.leave();
    expect(await isOver(gone)).toBe(false);
    viewers.leave();
    expect(await isOver(gone)).toBe(true);
  } finally {
    vi.useRealTimers();
  }
});

test("who gets on is waited for, who does not is not", async () => {
  vi.useFakeTimers();
  try {
    const viewers = new Viewers();
    viewers.enter();
    const gone = viewers.gone(idleMsMax);
    for (let i = 0; i < 5; i += 1) {
      await vi.advanceTimersByTimeAsync(idleMsMax - 1);
      viewers.step();
      expect(await isOver(gone)).toBe(false);
    }
    await vi.advanceTimersByTimeAsync(2 * idleMsMax);
    expect(await isOver(gone)).toBe(true);
    expect(viewers.any).toBe(true);
  } finally {
    vi.useRealTimers();
  }
});
