import { useEffect, useRef, useState } from "react";
import { useStore } from "zustand";
import "uplot/dist/uPlot.min.css";
import uPlot from "uplot";
import { clockTime } from "#renderer/core/format.ts";
import type { Values } from "#renderer/core/stats.ts";
import { theme } from "#renderer/core/theme.ts";
import { type CursorAt, chartOptions } from "./chartoptions.ts";

export interface Series {
  readonly name: string;
  readonly values: Values;
}

export interface ChartProps {
  /** The chart in words, for readers. */
  readonly label: string;
  /** Epoch seconds. */
  readonly times: readonly number[];
  readonly series: readonly Series[];
  readonly format: (value: number) => string;
  /** The scale ends no lower, so that noise around zero stays flat. */
  readonly floor: number;
  readonly limit?: { readonly value: number; readonly text: string } | undefined;
  /** Ticks at powers of 1024. */
  readonly binary?: boolean;
}

const heightPx = 148;

export function Chart({ label, times, series, format, floor, limit, binary = false }: ChartProps) {
  const host = useRef<HTMLDivElement>(null);
  const [plot, setPlot] = useState<uPlot>();
  const [tip, setTip] = useState<CursorAt>();
  const shown = useStore(theme, (state) => state.shown);
  const names = series.map(({ name }) => name).join("|");
  const limitValue = limit?.value;

  useEffect(() => {
    const element = host.current;
    if (element === null) return;
    const options = chartOptions({
      names: names.split("|"),
      format,
      floor,
      limit: limitValue,
      binary,
      width: element.clientWidth,
      height: heightPx,
      onCursor: setTip,
    });
    const made = new uPlot(options, [[], ...names.split("|").map(() => [])], element);
    setPlot(made);
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: heightPx }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
    };
    // `shown`: the canvas takes its colours from the theme when it is made.
  }, [names, format, floor, limitValue, binary, shown]);

  useEffect(() => {
    plot?.setData([[...times], ...series.map(({ values }) => [...values])]);
  }, [plot, times, series]);

  const at = tip === undefined ? undefined : times[tip.index];
  return (
    <div className="relative mt-1.5 -mb-0.5">
      <div ref={host} role="img" aria-label={label} style={{ height: heightPx }} />
      {tip !== undefined && at !== undefined && (
        <div
          aria-hidden
          style={tip.left > tip.width / 2 ? { right: tip.width - tip.left + 10 } : { left: tip.left + 10 }}
          className="tabular pointer-events-none absolute top-1 z-10 rounded-md bg-raised px-2 py-1 text-sm shadow-float"
        >
          <p className="text-fg3">{clockTime(at * 1000)}</p>
          {series.map(({ name, values }) => (
            <p key={name} className="flex justify-between gap-4">
              <span className="text-fg2">{name}</span>
              <span>{format(values[tip.index] ?? 0)}</span>
            </p>
          ))}
        </div>
      )}
    </div>
  );
}
