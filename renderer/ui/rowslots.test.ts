// @vitest-environment node
import { expect, test } from "vitest";
import { RowSlots } from "./rowslots.ts";

test("a row keeps its slot while it is in sight, and one that comes takes the slot of one that left", () => {
  const slots = new RowSlots();
  expect([...slots.assign(["a", "b", "c"], undefined)]).toEqual([
    ["a", 0],
    ["b", 1],
    ["c", 2],
  ]);
  const next = slots.assign(["b", "c", "d"], undefined);
  expect([next.get("b"), next.get("c"), next.get("d")]).toEqual([1, 2, 0]);
});

test("the slot of the row in focus is nobody else's while that row is out of sight", () => {
  const slots = new RowSlots();
  slots.assign(["a", "b"], "a");
  expect(slots.assign(["b", "c"], "a").get("c")).toBe(2);
  expect(slots.assign(["a", "b"], "a").get("a")).toBe(0);
});
