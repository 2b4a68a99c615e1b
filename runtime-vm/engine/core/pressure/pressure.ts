import type { PressureField } from "#api/pressure.ts";

/** What the kernel shows at one moment: counters grow, gauges are as they are. What is not known is left out. */
export interface Reading {
  /** Seconds, since whatever beginning. */
  readonly counters: Partial<Readonly<Record<CounterField, number>>>;
  readonly gauges: Partial<Readonly<Record<GaugeField, number>>>;
}

export type GaugeField = Extract<PressureField, `memory.${string}`>;
export type CounterField = Exclude<PressureField, GaugeField>;

export interface PressureReader {
  container(cgroup: string): Reading;
  machine(): Reading;
}
