import type { PullProgress } from "#api/images.ts";

const barCells = 50;
const units = ["B", "kB", "MB", "GB", "TB", "PB"];

/** A size with four significant digits and decimal units, as Docker prints it. */
export function humanSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${Number(value.toPrecision(4))}${units[unit]!}`;
}

/** One line of a bar: `[===>      ]  1.08MB/3MB`. */
export function progressBar(current: number, total: number): string {
  if (current <= 0 && total <= 0) return "";
  if (total <= 0) return humanSize(current).padStart(8);
  const filled = Math.min(barCells, Math.floor(Math.floor((current / total) * 100) / 2));
  const numbers = current > total ? humanSize(current).padStart(8) : `${humanSize(current).padStart(8)}/${humanSize(total)}`;
  return `[${"=".repeat(filled)}>${" ".repeat(barCells - filled)}] ${numbers}`;
}

/** A step of one layer with its bar. */
export const stepProgress = (id: string, status: string, current: number, total: number): PullProgress => ({
  status,
  progressDetail: { current, total },
  progress: progressBar(current, total),
  id,
});

/** A step that is over: clients take the bar away. */
export const stepDone = (id: string, status: string): PullProgress => ({ status, progressDetail: { hidecounts: true }, id });

export const stepBegun = (id: string, status: string): PullProgress => ({ status, progressDetail: {}, id });

/** First 12 digits, without the algorithm. */
export const shortDigest = (digest: string): string => digest.replace(/^sha256:/, "").slice(0, 12);
