import type uPlot from "uplot";
import { clockTime24 } from "#renderer/core/format.ts";

/** Where the pointer is over a chart: pixels from its left edge, the point's index. */
export interface CursorAt {
  readonly left: number;
  readonly width: number;
  readonly index: number;
}

export interface ChartLook {
  readonly names: readonly string[];
  readonly format: (value: number) => string;
  readonly floor: number;
  readonly limit: number | undefined;
  readonly binary: boolean;
  readonly width: number;
  readonly height: number;
  readonly onCursor: (at: CursorAt | undefined) => void;
}

/** Seconds in sight; the newest is always at the right edge. */
const spanSeconds = 120;
const headroom = 1.15;
/** The limit is in sight once usage comes within this factor of it. */
const limitReach = 4;
const axisWidth = 64;

export function chartOptions(look: ChartLook): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const color = (name: string): string => style.getPropertyValue(name).trim();
  const font = `11px ${getComputedStyle(document.body).fontFamily}`;
  const axis = { stroke: color("--fg3"), font, ticks: { show: false }, grid: { stroke: color("--line"), width: 1 } };
  return {
    width: look.width,
    height: look.height,
    padding: [8, 4, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
    scales: {
      x: { time: true, range: (_plot, _min, max) => [max - spanSeconds, max] },
      y: { range: (_plot, _min, max) => [0, topOf(max, look)] },
    },
    series: [
      {},
      ...look.names.map((_, index) => {
        const stroke = color(`--chart-${index + 1}`);
        return { stroke, width: 1.5, points: { show: false }, ...(look.names.length === 1 && { fill: `color-mix(in srgb, ${stroke} 14%, transparent)` }) };
      }),
    ],
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 22,
        space: 90,
        values: (_plot, times) => times.map((at) => clockTime24(at * 1000)),
      },
      {
        ...axis,
        size: axisWidth,
        gap: 6,
        splits: (_plot, _axis, _min, max) => ticks(max, look.binary),
        values: (_plot, values) => values.map((value) => (value === 0 ? "0" : look.format(value))),
      },
    ],
    hooks: {
      draw: [(plot) => drawLimit(plot, look.limit, color("--danger"))],
      setCursor: [
        (plot) => {
          const { idx, left = -1 } = plot.cursor;
          look.onCursor(idx === null || idx === undefined || left < 0 ? undefined : { left: left + axisWidth, width: plot.width, index: idx });
        },
      ],
    },
  };
}

function topOf(max: number, { floor, limit }: ChartLook): number {
  const top = Math.max(Number.isFinite(max) ? max : 0, floor) * headroom;
  return limit !== undefined && limit < top * limitReach ? Math.max(top, limit * headroom) : top;
}

/** Three or four round values up to `max`. */
export function ticks(max: number, binary: boolean): number[] {
  const base = binary ? 1024 : 10;
  const unit = base ** Math.floor(Math.log(Math.max(max, 1e-9)) / Math.log(base));
  const steps = binary ? [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024] : [1, 2, 2.5, 5, 10];
  const least = max / 4;
  const fine = binary ? unit / 4 : unit / 10;
  const step = [...steps.map((n) => n * fine), ...steps.map((n) => n * unit)].find((n) => n >= least) ?? max;
  const values = [];
  for (let value = 0; value <= max; value += step) values.push(value);
  return values;
}

function drawLimit(plot: uPlot, limit: number | undefined, color: string): void {
  const max = plot.scales["y"]?.max ?? 0;
  if (limit === undefined || limit > max) return;
  const y = Math.round(plot.valToPos(limit, "y", true)) + 0.5;
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.strokeStyle = color;
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.restore();
}
