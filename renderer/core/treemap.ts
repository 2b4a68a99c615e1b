/** A rectangle in fractions of the whole, 0 to 1. */
export interface Tile {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Tiles whose areas are as the values, near to squares: the squarified treemap of Bruls, Huizing and van Wijk (2000). The values
 * are positive and sorted, largest first; `ratio` is the width of the whole by its height.
 */
export function treemap(values: readonly number[], ratio: number): readonly Tile[] {
  const total = values.reduce((sum, value) => sum + value, 0);
  const tiles: Tile[] = [];
  // In units where the whole is `ratio` by 1.
  let [x, y, width, height] = [0, 0, ratio, 1];
  const areas = values.map((value) => (value / total) * ratio);
  for (let begin = 0; begin < areas.length; ) {
    const side = Math.min(width, height);
    let end = begin + 1;
    while (end < areas.length && worst(areas.slice(begin, end + 1), side) <= worst(areas.slice(begin, end), side)) end += 1;
    const row = areas.slice(begin, end);
    const thickness = sum(row) / side;
    let along = 0;
    for (const area of row) {
      const length = area / thickness;
      const [left, top, wide, high] = width >= height ? [x, y + along, thickness, length] : [x + along, y, length, thickness];
      tiles.push({ x: left / ratio, y: top, width: wide / ratio, height: high });
      along += length;
    }
    if (width >= height) [x, width] = [x + thickness, width - thickness];
    else [y, height] = [y + thickness, height - thickness];
    begin = end;
  }
  return tiles;
}

const sum = (row: readonly number[]): number => row.reduce((total, area) => total + area, 0);

/** The largest of the sides' ratios in a row laid along `side`. */
function worst(row: readonly number[], side: number): number {
  const total = sum(row);
  return Math.max((side ** 2 * (row[0] ?? 0)) / total ** 2, total ** 2 / (side ** 2 * (row.at(-1) ?? 1)));
}
