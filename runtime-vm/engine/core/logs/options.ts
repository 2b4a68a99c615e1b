import { EngineError } from "#base/errors.ts";

/** Reading `--log-opt` values, with the sentences dockerd has for bad ones. */
export type LogOptions = Readonly<Record<string, string>>;

export const invalidOption = (message: string): EngineError => new EngineError("invalidArgument", message);

/** Options that every driver takes. */
const builtIn = ["mode", "max-buffer-size", "cache-disabled", "cache-max-size", "cache-max-file", "cache-compress"];

/** Refuses options that neither the driver nor every driver knows. */
export function checkKnown(
  driver: string,
  options: LogOptions,
  known: readonly string[],
  said: (name: string) => string = (name) =>
    driver === "local" ? `unknown log opt '${name}' for log driver local` : `unknown log opt '${name}' for ${driver} log driver`,
): void {
  const unknown = Object.keys(options).find((name) => !known.includes(name) && !builtIn.includes(name));
  if (unknown !== undefined) throw invalidOption(said(unknown));
}

const bufferBytesDefault = 1024 * 1024;

/** `mode` and `max-buffer-size`. `dropPastBytes`: the program never waits, output past so much is dropped. */
export function parseMode(options: LogOptions): { readonly dropPastBytes?: number } {
  const mode = options["mode"] ?? "";
  if (!["", "blocking", "non-blocking"].includes(mode)) throw invalidOption(`logger: logging mode not supported: ${mode}`);
  const size = options["max-buffer-size"];
  if (size !== undefined && mode !== "non-blocking") throw invalidOption("logger: max-buffer-size option is only supported with 'mode=non-blocking'");
  parseCacheDisabled(options);
  if (mode !== "non-blocking") return {};
  return { dropPastBytes: size === undefined ? bufferBytesDefault : within("error parsing option max-buffer-size", () => parseSize(size)) };
}

export function parseCacheDisabled(options: LogOptions): boolean {
  const given = options["cache-disabled"];
  if (given === undefined || given === "") return false;
  return within("", () => parseBool(given), `invalid value for option cache-disabled: ${given}`);
}

/** Puts words before the message of what fails, or `instead` in its place. */
export function within<T>(prefix: string, work: () => T, instead?: string): T {
  try {
    return work();
  } catch (error) {
    throw invalidOption(instead ?? `${prefix}: ${(error as Error).message}`);
  }
}

/** `10m`, `1.5g`, `512`: in units of 1024. */
export const parseSize = (text: string): number => sized(text, 1024);

/** The same in units of 1000, as json-file's max-size is meant. */
export const parseDecimalSize = (text: string): number => sized(text, 1000);

function sized(text: string, base: number): number {
  const [, count, given = ""] = /^(.*[\d.]|.*(?= ))? ?([^\d. ]*)$/s.exec(text) ?? [];
  if (count === undefined) throw invalidOption(`invalid size: '${text}'`);
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(count)) throw invalidOption(`strconv.ParseFloat: parsing ${JSON.stringify(count)}: invalid syntax`);
  if (Number(count) < 0) throw invalidOption(`invalid size: '${text}'`);
  const [, unit = ""] = /^(?:b|([kmgtp])(?:i?b)?)?$/i.exec(given) ?? [undefined, "none"];
  if (unit === "none") throw invalidOption(`invalid suffix: '${given.length > 3 ? given : given.toLowerCase()}'`);
  return Math.trunc(Number(count) * base ** (unit === "" ? 0 : "kmgtp".indexOf(unit.toLowerCase()) + 1));
}

export function parseBool(text: string): boolean {
  if (["1", "t", "T", "true", "TRUE", "True"].includes(text)) return true;
  if (["0", "f", "F", "false", "FALSE", "False"].includes(text)) return false;
  throw invalidOption(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
}

export function parseInteger(text: string, by: "Atoi" | "ParseInt" | "ParseUint"): number {
  if (by === "ParseUint" ? /^\d+$/.test(text) : /^[+-]?\d+$/.test(text)) return Number(text);
  throw invalidOption(`strconv.${by}: parsing ${JSON.stringify(text)}: invalid syntax`);
}

const durations: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Go's durations, in milliseconds: `1s`, `1m30s`, `500ms`. */
export function parseDuration(text: string): number {
  const bad = invalidOption(`time: invalid duration ${JSON.stringify(text)}`);
  if (text === "0") return 0;
  if (!/^[+-]?(\d+(\.\d*)?(ns|us|µs|ms|s|m|h))+$/.test(text)) {
    throw /^[+-]?\d+(\.\d*)?$/.test(text) ? invalidOption(`time: missing unit in duration ${JSON.stringify(text)}`) : bad;
  }
  let total = 0;
  for (const [, count, unit] of text.matchAll(/(\d+(?:\.\d*)?)(ns|us|µs|ms|s|m|h)/g)) total += Number(count) * (durations[unit ?? ""] ?? 0);
  return text.startsWith("-") ? -total : total;
}
