import { expect, test } from "vitest";
import { treemap } from "./treemap.ts";

test("areas are as the values, and the tiles fill the whole without overlapping", () => {
  const values = [600, 300, 250, 90, 40, 20, 3, 1];
  const total = values.reduce((sum, value) => sum + value, 0);
  const tiles = treemap(values, 2);
  expect(tiles.map(({ width, height }) => width * height)).toEqual(values.map((value) => expect.closeTo(value / total, 6)));
  for (const [i, a] of tiles.entries()) {
    expect(a.x >= 0 && a.y >= 0 && a.x + a.width <= 1 + 1e-9 && a.y + a.height <= 1 + 1e-9).toBe(true);
    for (const b of tiles.slice(i + 1)) {
      const across = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
      const down = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
      expect(across > 1e-9 && down > 1e-9).toBe(false);
    }
  }
});

test("tiles are near to squares", () => {
  const tiles = treemap([4, 4, 4, 4], 1);
  expect(tiles.map(({ width, height }) => [width, height])).toEqual(Array.from({ length: 4 }, () => [0.5, 0.5]));
});

test("nothing has no tiles, one thing has the whole", () => {
  expect(treemap([], 2)).toEqual([]);
  expect(treemap([7], 3)).toEqual([{ x: 0, y: 0, width: 1, height: 1 }]);
});
