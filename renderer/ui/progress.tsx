import { cx } from "./cx.ts";

export interface ProgressProps {
  readonly label: string;
  readonly value: number;
  /** 0: not known yet. */
  readonly max: number;
  readonly done?: boolean;
  readonly failed?: boolean;
  readonly thin?: boolean;
}

export function Progress({ label, value, max, done = false, failed = false, thin = false }: ProgressProps) {
  const known = done || failed || max > 0;
  const part = done ? 1 : max > 0 ? Math.min(1, value / max) : 0;
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={known ? Math.round(part * 100) : undefined}
      className={cx("w-full overflow-hidden rounded-full bg-press", thin ? "h-1" : "h-1.5")}
    >
      <div
        style={known ? { width: `${part * 100}%` } : { width: "28%" }}
        className={cx(
          "h-full rounded-full transition-[width] duration-200 ease-out",
          failed ? "bg-danger" : done ? "bg-ok" : "bg-accent",
          !known && "progress-unknown",
        )}
      />
    </div>
  );
}
