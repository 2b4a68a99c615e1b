import { expect, test } from "vitest";
import { nextDue } from "./due.ts";
import type { KeptItem } from "./keeper.ts";

const day = 24 * 60 * 60 * 1_000;
const limits = { days: 7, bytes: 100 };
const item = (id: string, more: Partial<KeptItem> = {}): KeptItem => ({ kind: "container", id, name: id, removedMs: 0, bytes: 10, ...more });
const due = (items: readonly KeptItem[], nowMs = day, by = limits): string | undefined => nextDue(items, by, nowMs)?.item.id;

test("what is young and little stays", () => {
  expect(due([])).toBeUndefined();
  expect(due([item("a"), item("b", { bytes: 90 })])).toBeUndefined();
});

test("the oldest goes when its days are over, not before", () => {
  expect(due([item("a"), item("b", { removedMs: 1 })], 7 * day - 1)).toBeUndefined();
  expect(due([item("a"), item("b", { removedMs: 1 })], 7 * day)).toBe("a");
});

test("nothing is too old while nobody knows what time it is", () => {
  expect(nextDue([item("a")], limits, undefined)).toBeUndefined();
  expect(nextDue([item("a", { bytes: 101 })], limits, undefined)?.item.id).toBe("a");
});

test("the oldest that holds anything goes when all together are too much", () => {
  expect(due([item("empty", { bytes: 0 }), item("unmeasured", { bytes: undefined }), item("a", { bytes: 60 }), item("b", { bytes: 41 })])).toBe("a");
});

test("what alone is too much goes by itself", () => {
  expect(due([item("a"), item("huge", { bytes: 101 }), item("b")])).toBe("huge");
});

test("a great number of things is too much, whatever they hold", () => {
  const many = Array.from({ length: 1_001 }, (_, i) => item(`i${i}`, { bytes: 0 }));
  expect(due(many)).toBe("i0");
  expect(due(many.slice(1))).toBeUndefined();
});

test.each([
  { days: 0, bytes: 100 },
  { days: 7, bytes: 0 },
])("with limits %j everything goes", (off) => {
  expect(due([item("a", { bytes: 0 })], 0, off)).toBe("a");
});
