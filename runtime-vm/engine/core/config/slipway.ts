/** `slipway` of daemon.json: what is this engine's alone. */
import { EngineError } from "#base/errors.ts";
import type { EngineConfig } from "./config.ts";
import { logMemory } from "./log-memory.ts";
import { overlay } from "./overlay.ts";
import { trash } from "./trash.ts";
import { object } from "./values.ts";

type Part = Pick<EngineConfig, "overlay"> & Partial<Pick<EngineConfig, "logMemory" | "trash">>;

/** By the name of each field; the same may be written as a key of its own: `"slipway.overlay": {...}`. */
export const slipwayFields: Readonly<Record<string, (value: unknown, key: string) => Part>> = { overlay, logMemory, trash };

export function slipway(value: unknown, key: string): Part {
  let part: Part = {};
  for (const [name, given] of Object.entries(object(value, key))) {
    const read = Object.hasOwn(slipwayFields, name) ? slipwayFields[name] : undefined;
    const known = Object.keys(slipwayFields).map((field) => JSON.stringify(field));
    if (read === undefined) throw new EngineError("invalidArgument", `${key}: unknown field ${JSON.stringify(name)}: there are ${known.join(" and ")}`);
    part = { ...part, ...read(given, `${key}.${name}`) };
  }
  return part;
}
