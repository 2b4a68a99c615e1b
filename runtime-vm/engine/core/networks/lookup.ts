import { EngineError } from "#base/errors.ts";
import type { LiveNetwork } from "./register.ts";

/** By ID, name or a prefix of the ID that is nobody else's; in that order, as dockerd. */
export function lookUp(networks: ReadonlyMap<string, LiveNetwork>, idOrName: string): LiveNetwork {
  const all = [...networks.values()];
  const exact = networks.get(idOrName) ?? all.find(({ record }) => record.name === idOrName);
  if (exact !== undefined) return exact;
  const [found, ...more] = idOrName === "" ? [] : all.filter(({ record }) => record.id.startsWith(idOrName));
  if (found === undefined) throw new EngineError("notFound", `network ${idOrName} not found`);
  if (more.length > 0) throw new EngineError("invalidArgument", `network ${idOrName} is ambiguous (${more.length + 1} matches found on ID prefix)`);
  return found;
}
