// @vitest-environment node
import { expect, test } from "vitest";
import { clearSelection, createSelection, keepOnly, selectAll, selectRange, toggle } from "./selection.ts";

const order = ["a", "b", "c", "d", "e"];
const ids = (store: ReturnType<typeof createSelection>): string[] => [...store.getState().ids].sort();

test("Shift selects from the last row clicked, in either direction", () => {
  const store = createSelection();
  toggle(store, "d");
  selectRange(store, order, "b");
  expect(ids(store)).toEqual(["b", "c", "d"]);
  selectRange(store, order, "e");
  expect(ids(store)).toEqual(["b", "c", "d", "e"]);
});

test("Shift without a start selects one row", () => {
  const store = createSelection();
  selectRange(store, order, "c");
  expect(ids(store)).toEqual(["c"]);
});

test("a row that was deleted elsewhere leaves the selection", () => {
  const store = createSelection();
  selectAll(store, order);
  keepOnly(store, new Set(["a", "e"]));
  expect(ids(store)).toEqual(["a", "e"]);
  clearSelection(store);
  expect(ids(store)).toEqual([]);
});
