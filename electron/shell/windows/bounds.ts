import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Rectangle } from "electron";

export interface WindowBounds extends Rectangle {
  readonly maximized: boolean;
}

const first = { width: 1200, height: 800 };
/** So much of a window must lie on some display for its place to be kept: enough to grab it. */
const visiblePixelsMin = 64;

/** Where the window was, if that still lies on a display; else its first size, placed by the system. */
export function readBounds(path: string, displays: readonly { readonly workArea: Rectangle }[]): Partial<WindowBounds> {
  let stored: Partial<WindowBounds>;
  try {
    stored = JSON.parse(readFileSync(path, "utf8")) as Partial<WindowBounds>;
  } catch {
    return first;
  }
  const { x, y, width, height, maximized } = stored;
  if (![x, y, width, height].every(Number.isFinite)) return first;
  const bounds = { x: x as number, y: y as number, width: width as number, height: height as number };
  return displays.some(({ workArea }) => overlaps(bounds, workArea)) ? { ...bounds, maximized: maximized === true } : first;
}

export function writeBounds(path: string, bounds: WindowBounds): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, JSON.stringify(bounds), { mode: 0o600 });
  } catch {
    // The place of a window is not worth a word.
  }
}

const overlaps = (a: Rectangle, b: Rectangle): boolean =>
  Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x) >= visiblePixelsMin &&
  Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y) >= visiblePixelsMin;
