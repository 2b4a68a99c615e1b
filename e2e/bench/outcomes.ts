import { writeFileSync } from "node:fs";

/** One line of the table as it came out. */
export interface Outcome {
  readonly row: string;
  readonly unit: string;
  /** A median for each engine; undefined: none could be had. */
  readonly values: readonly (number | undefined)[];
  /** What the first is compared with, where that is not the last. */
  readonly against?: number;
  /** Ratio that is asked for; for rates at least, for the rest at most. */
  readonly budget: number | undefined;
}

export const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

const isRate = (unit: string): boolean => unit.endsWith("/s");

/** Prints the table, and writes it to `json` where that is given. */
export function report(labels: readonly string[], outcomes: readonly Outcome[], json: string | undefined): void {
  const table = outcomes.map(judged);
  const columns = Math.max(labels.length, ...table.map(({ values }) => values.length));
  const heads = Array.from({ length: columns }, (_, i) => labels[i] ?? "");
  console.log(`\n| row | ${heads.join(" | ")} | first / last | budget |`);
  console.log(`|---|${heads.map(() => "---:").join("|")}|---:|---|`);
  for (const { row, unit, values, ratio, budget, met } of table) {
    const cells = heads.map((_, i) => values[i]).map((v) => (v === undefined ? "-" : `${v.toFixed(1)} ${unit}`));
    const asked = budget === undefined ? "" : `${isRate(unit) ? ">=" : "<="} ${budget}x${met === undefined ? "" : met ? " met" : " MISSED"}`;
    console.log(`| ${row} | ${cells.join(" | ")} | ${ratio === undefined ? "" : `${ratio.toFixed(2)}x`} | ${asked} |`);
  }
  if (json !== undefined) writeFileSync(json, `${JSON.stringify({ labels, rows: table }, null, 2)}\n`);
}

function judged(outcome: Outcome): Outcome & { readonly ratio: number | undefined; readonly met: boolean | undefined } {
  const { values, budget, unit } = outcome;
  const own = values[0];
  const reference = outcome.against ?? (values.length > 1 ? values.at(-1) : undefined);
  const ratio = own === undefined || reference === undefined ? undefined : own / reference;
  const met = ratio === undefined || budget === undefined ? undefined : isRate(unit) ? ratio >= budget : ratio <= budget;
  return { ...outcome, ratio, met };
}
