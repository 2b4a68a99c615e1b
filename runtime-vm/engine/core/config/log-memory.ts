/** `slipway.logMemory` of daemon.json: how long the output of removed containers stays to be searched, and how much of it. */
import type { LogMemoryLimits } from "../logs/memory.ts";
import { EngineError } from "#base/errors.ts";
import { bytes, number, object, wrong } from "./values.ts";

export const logMemoryDefault: LogMemoryLimits = { days: 7, maxBytes: 1024 ** 3 };
const daysMax = 3_650;

export function logMemory(value: unknown, key: string): { readonly logMemory: LogMemoryLimits } {
  const { days, maxSize, ...strangers } = object(value, key);
  const [stranger] = Object.keys(strangers);
  if (stranger !== undefined) throw new EngineError("invalidArgument", `${key}: unknown field ${JSON.stringify(stranger)}: there are "days" and "maxSize"`);
  const kept = days === undefined ? logMemoryDefault.days : number(days, `${key}.days`);
  if (kept < 0 || kept > daysMax) throw wrong(`${key}.days`, `from 0 (off) to ${daysMax}, got ${kept}`);
  return { logMemory: { days: kept, maxBytes: maxSize === undefined ? logMemoryDefault.maxBytes : bytes(maxSize, `${key}.maxSize`) } };
}
