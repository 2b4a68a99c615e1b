import { intl } from "./intl.ts";

/** Figures for people. Memory is counted in powers of 1024 (MiB), sizes on disk and network in powers of 1000 (MB). */

const binaryUnits = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
const decimalUnits = ["B", "kB", "MB", "GB", "TB", "PB"];

export const memory = (bytes: number): string => scaled(bytes, 1024, binaryUnits);
export const size = (bytes: number): string => scaled(bytes, 1000, decimalUnits);
export const rate = (bytesPerSecond: number): string => (Number.isFinite(bytesPerSecond) ? `${size(bytesPerSecond)}/s` : unknown);

const unknown = "–";

function scaled(bytes: number, base: number, units: readonly string[]): string {
  if (!Number.isFinite(bytes) || bytes < 0) return unknown;
  let value = bytes;
  let unit = 0;
  while (value >= base && unit < units.length - 1) {
    value /= base;
    unit += 1;
  }
  // 999.6 would be written "1000": the next unit says it better.
  if (Math.round(value) >= base && unit < units.length - 1) {
    value /= base;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${upTo(digits, value)} ${units[unit] ?? ""}`;
}

const upTo = (decimals: number, value: number): string => intl().digits(0, decimals, false).format(value);

/** `0 %`, `0.4 %`, `37 %`: zero is shown as zero, one decimal below ten. */
export function percent(value: number): string {
  if (!Number.isFinite(value)) return unknown;
  return `${upTo(value >= 10 ? 0 : 1, value)} %`;
}

/** `640 ms`, `4.2 s`, `3 min 5 s` */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${decimal(ms / 1000)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

const steps: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

/** The largest unit that fits, and how many of it, rounded down. */
function inUnits(seconds: number): readonly [amount: number, unit: Intl.RelativeTimeFormatUnit] {
  const [unit, length] = steps.find(([, size]) => seconds >= size) ?? (["second", 1] as const);
  return [Math.floor(Math.max(0, seconds) / length), unit];
}

/** `3 minutes ago`, from epoch seconds. */
export function ago(epochSeconds: number, nowMs: number): string {
  const seconds = nowMs / 1000 - epochSeconds;
  return seconds < 60 ? intl().justNow : secondsAgo(seconds);
}

/** `12 seconds ago`, `2 days ago` */
export function secondsAgo(seconds: number): string {
  const [amount, unit] = inUnits(seconds);
  return intl().relative.format(-amount, unit);
}

/** `12 seconds`, `3 minutes`, `2 days`: one unit, rounded down. */
export function elapsed(seconds: number): string {
  const [amount, unit] = inUnits(seconds);
  return intl().unit(unit).format(amount);
}

export const exactTime = (epochSeconds: number): string => (Number.isFinite(epochSeconds) ? intl().dateTime.format(epochSeconds * 1000) : "");

/** The time of day, with seconds. */
export const clockTime = (epochMs: number): string => intl().time.format(epochMs);

/** Twelve digits of an id, without the algorithm's name. */
export const shortId = (id: string): string => id.replace(/^sha256:/, "").slice(0, 12);

/** Docker's names come with a slash. */
export const plainName = (names: readonly string[] | undefined): string => (names?.[0] ?? "").replace(/^\//, "");

/** The same without a.m. and p.m., where there is little room. */
export const clockTime24 = (epochMs: number): string => intl().time24.format(epochMs);

/** `12,345` */
export const whole = (n: number): string => intl().digits(0, 0, true).format(n);
/** `4.2` */
export const decimal = (n: number): string => intl().digits(1, 1, false).format(n);

/** `1 container`, `3 containers` */
export const count = (n: number, one: string, many = `${one}s`): string => `${whole(n)} ${intl().plurals.select(n) === "one" ? one : many}`;
