const width = 48;
const height = 18;

export interface SparklineProps {
  readonly values: readonly number[];
  /** The top of the scale, unless a value is higher. */
  readonly max: number;
  readonly points: number;
}

/** The last seconds at a glance. The figure beside it says the same in text, so it is hidden from readers. */
export function Sparkline({ values, max, points }: SparklineProps) {
  const top = Math.max(max, ...values);
  const step = width / (points - 1);
  const x = (index: number): number => width - (values.length - 1 - index) * step;
  const y = (value: number): number => height - 1 - (value / top) * (height - 2);
  const line = values.map((value, index) => `${index === 0 ? "M" : "L"}${x(index).toFixed(1)} ${y(value).toFixed(1)}`).join("");
  return (
    <svg width={width} height={height} aria-hidden className="shrink-0 max-[1100px]:hidden">
      <path d={`M0 ${height - 0.5}H${width}`} className="stroke-line" fill="none" />
      {values.length > 1 && <path d={`${line}V${height}H${x(0).toFixed(1)}Z`} className="fill-accent opacity-15" />}
      {values.length > 1 && <path d={line} fill="none" strokeWidth="1.25" strokeLinejoin="round" style={{ stroke: "var(--chart-1)" }} />}
    </svg>
  );
}
