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
  return `${Number(value.toFixed(digits))} ${units[unit] ?? ""}`;
}

/** `0 %`, `0.4 %`, `37 %`: zero is shown as zero, one decimal below ten. */
export function percent(value: number): string {
  if (!Number.isFinite(value)) return unknown;
  return `${value >= 10 || value === 0 ? Math.round(value) : Number(value.toFixed(1))} %`;
}

/** `640 ms`, `4.2 s`, `3 min 5 s` */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
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
const relativeTime = new Intl.RelativeTimeFormat("en", { numeric: "always" });

/** `3 minutes ago`, from epoch seconds. */
export function ago(epochSeconds: number, nowMs: number): string {
  const seconds = nowMs / 1000 - epochSeconds;
  const step = steps.find(([, length]) => seconds >= length);
  return step === undefined ? "just now" : relativeTime.format(-Math.floor(seconds / step[1]), step[0]);
}

/** `12 seconds`, `3 minutes`, `2 days`: one unit, rounded down. */
export function elapsed(seconds: number): string {
  const [unit, length] = steps.find(([, size]) => seconds >= size) ?? (["second", 1] as const);
  return unitFormat(unit).format(Math.floor(Math.max(0, seconds) / length));
}

const unitFormats = new Map<string, Intl.NumberFormat>();
/** Making a format takes a hundred times longer than using it. */
function unitFormat(unit: string): Intl.NumberFormat {
  const format = unitFormats.get(unit) ?? new Intl.NumberFormat("en", { style: "unit", unit, unitDisplay: "long" });
  unitFormats.set(unit, format);
  return format;
}

const exact = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "medium" });
export const exactTime = (epochSeconds: number): string => (Number.isFinite(epochSeconds) ? exact.format(epochSeconds * 1000) : "");

/** Twelve digits of an id, without the algorithm's name. */
export const shortId = (id: string): string => id.replace(/^sha256:/, "").slice(0, 12);

/** Docker's names come with a slash. */
export const plainName = (names: readonly string[] | undefined): string => (names?.[0] ?? "").replace(/^\//, "");

const plurals = new Intl.PluralRules("en");
/** `1 container`, `3 containers` */
export const count = (n: number, one: string, many = `${one}s`): string => `${n.toLocaleString("en")} ${plurals.select(n) === "one" ? one : many}`;
