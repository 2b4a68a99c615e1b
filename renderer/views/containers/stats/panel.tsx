import { summary } from "#renderer/core/stats.ts";
import { t } from "#renderer/core/texts.ts";
import { cx } from "#renderer/ui/cx.ts";
import { Chart, type ChartProps } from "./chart.tsx";

export interface PanelProps extends Omit<ChartProps, "label"> {
  readonly title: string;
  /** Below the title: the limit, or totals. */
  readonly note: string;
}

const swatches = ["bg-[var(--chart-1)]", "bg-[var(--chart-2)]"] as const;

/** One figure: its value now, the chart, and the chart in words. */
export function Panel({ title, note, ...chart }: PanelProps) {
  const { series, format } = chart;
  const words = series
    .map(({ name, values }) => {
      const { last, max, mean } = summary(values);
      return t.stats.chart(name, format(last), format(max), format(mean));
    })
    .join("; ");
  return (
    <section aria-label={title} data-testid={`panel-${title}`} className="@container rounded-lg border border-line bg-page p-3 pb-2">
      <header className="flex items-baseline gap-3">
        <h2 className="font-medium whitespace-nowrap">{title}</h2>
        <p className={cx("tabular truncate text-sm text-fg3", series.length > 1 && "@max-[440px]:hidden")}>{note}</p>
        <div className="ml-auto flex gap-3">
          {series.map(({ name, values }, index) => (
            <span key={name} className="flex items-baseline gap-1.5 whitespace-nowrap">
              {series.length > 1 && (
                <>
                  <span aria-hidden className={cx("size-2 self-center rounded-xs", swatches[index])} />
                  <span className="text-sm text-fg3">{name}</span>
                </>
              )}
              <span className="tabular font-medium">{format(summary(values).last)}</span>
            </span>
          ))}
        </div>
      </header>
      <Chart label={words} {...chart} />
      <p className="tabular truncate text-xs text-fg3" data-testid="chart-summary">
        {series
          .map(({ name, values }) => {
            const { max, mean } = summary(values);
            return `${series.length > 1 ? `${name} ` : ""}${t.stats.peak} ${format(max)}, ${t.stats.mean} ${format(mean)}`;
          })
          .join(" · ")}
      </p>
    </section>
  );
}
