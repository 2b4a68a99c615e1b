/** `slipway.trash` of daemon.json: how long what was removed can be brought back, and how much of the disk it may take. */
import type { TrashLimits } from "../bin/keeper.ts";
import { EngineError } from "#base/errors.ts";
import { bytes, number, object, wrong } from "./values.ts";

export const trashDefault: TrashLimits = { days: 7, bytes: 10 * 1024 ** 3 };
const daysMax = 3_650;

export function trash(value: unknown, key: string): { readonly trash: TrashLimits } {
  const { days, bytes: most, ...strangers } = object(value, key);
  const [stranger] = Object.keys(strangers);
  if (stranger !== undefined) throw new EngineError("invalidArgument", `${key}: unknown field ${JSON.stringify(stranger)}: there are "days" and "bytes"`);
  const kept = days === undefined ? trashDefault.days : number(days, `${key}.days`);
  if (kept < 0 || kept > daysMax) throw wrong(`${key}.days`, `from 0 (off) to ${daysMax}, got ${kept}`);
  return { trash: { days: kept, bytes: most === undefined ? trashDefault.bytes : bytes(most, `${key}.bytes`) } };
}
