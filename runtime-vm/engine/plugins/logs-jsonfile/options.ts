import { EngineError } from "#base/errors.ts";

/** `--log-opt`s of one container, understood. */
export interface JsonFileOptions {
  readonly maxBytes: number;
  readonly maxFiles: number;
  readonly compress: boolean;
  readonly dropPastBytes?: number;
}

const known = ["max-size", "max-file", "compress", "labels", "labels-regex", "env", "env-regex", "tag", "mode", "max-buffer-size"];
const bufferBytesDefault = 1024 * 1024;

export function parseOptions(
  driver: string,
  options: Readonly<Record<string, string>>,
  defaults: { maxFiles: number; maxSize: string; compress: boolean },
): JsonFileOptions {
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown !== undefined) throw invalid(`unknown log opt '${unknown}' for ${driver} log driver`);
  const maxBytes = parseSize("max-size", options["max-size"] ?? defaults.maxSize);
  const maxFiles = parseCount("max-file", options["max-file"] ?? String(defaults.maxFiles));
  const compress = parseBool("compress", options["compress"] ?? String(defaults.compress));
  if (options["max-file"] !== undefined && maxFiles > 1 && maxBytes === 0) throw invalid("max-file cannot be set without max-size");
  return { maxBytes, maxFiles, compress: compress && maxFiles > 1 && maxBytes > 0, ...parseMode(options) };
}

/** Options every driver takes. */
export function parseMode(options: Readonly<Record<string, string>>): { dropPastBytes?: number } {
  const mode = options["mode"] ?? "";
  if (!["", "blocking", "non-blocking"].includes(mode)) throw invalid(`logger: logging mode not supported: ${mode}`);
  const size = options["max-buffer-size"];
  if (size !== undefined && mode !== "non-blocking") throw invalid("logger: max-buffer-size option is only supported with 'mode=non-blocking'");
  return mode === "non-blocking" ? { dropPastBytes: size === undefined ? bufferBytesDefault : parseSize("max-buffer-size", size) } : {};
}

const units: Readonly<Record<string, number>> = { "": 1, b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4, p: 1024 ** 5 };

/** `10m`, `1.5g`, `512`; `-1` is no limit (0 here). */
function parseSize(name: string, text: string): number {
  if (text === "-1") return 0;
  const parsed = /^(\d+(?:\.\d+)?) ?([kmgtp]?)(?:i?b)?$/i.exec(text.trim());
  const bytes = parsed ? Math.trunc(Number(parsed[1]) * (units[(parsed[2] ?? "").toLowerCase()] ?? 1)) : 0;
  if (!parsed || bytes <= 0) throw invalid(`invalid value for ${name}: invalid size: '${text}'`);
  return bytes;
}

function parseCount(name: string, text: string): number {
  const count = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (count < 1) throw invalid(`${name} cannot be less than 1, got ${JSON.stringify(text)}`);
  return count;
}

function parseBool(name: string, text: string): boolean {
  if (["1", "t", "T", "true", "TRUE", "True"].includes(text)) return true;
  if (["0", "f", "F", "false", "FALSE", "False"].includes(text)) return false;
  throw invalid(`invalid value for ${name}: ${JSON.stringify(text)}`);
}

const invalid = (message: string): EngineError => new EngineError("invalidArgument", message);
