import { EngineError } from "#base/errors.ts";
import type { Query } from "./query.ts";

/** `h` and `w` of a resize, refused in dockerd's words. */
export function sizeOf(query: Query): { height: number; width: number } {
  return { height: side(query.get("h"), "height"), width: side(query.get("w"), "width") };
}

function side(text: string, name: string): number {
  if (!/^\d+$/.test(text)) throw new EngineError("invalidArgument", `invalid resize ${name} ${JSON.stringify(text)}: invalid syntax`);
  const value = Number(text);
  if (value > 65_535) throw new EngineError("invalidArgument", `invalid resize ${name} ${JSON.stringify(text)}: value out of range`);
  return value;
}

/** `[height, width]` of a ConsoleSize; undefined when it says nothing. */
export function consoleSize(given: readonly number[] | null | undefined): { height: number; width: number } | undefined {
  const [height = 0, width = 0] = given ?? [];
  return height > 0 && width > 0 ? { height, width } : undefined;
}

/** A Unix time with an optional fraction (`1700000000.000000123`) in nanoseconds; undefined for "" and 0. */
export function unixNano(text: string, name: string): bigint | undefined {
  if (text === "" || text === "0") return undefined;
  const found = /^(-?\d+)(?:\.(\d{1,9})\d*)?$/.exec(text);
  if (found === null) throw new EngineError("invalidArgument", `invalid value for "${name}": ${JSON.stringify(text)} is no Unix time`);
  const seconds = BigInt(found[1] ?? "0");
  if (BigInt.asIntN(64, seconds) !== seconds) throw new EngineError("invalidArgument", `invalid value for "${name}": ${JSON.stringify(text)} is out of range`);
  return seconds * 1_000_000_000n + BigInt((found[2] ?? "").padEnd(9, "0"));
}
