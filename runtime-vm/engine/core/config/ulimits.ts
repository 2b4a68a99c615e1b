import type { Ulimit } from "./config.ts";

/** A container's own limits, and the daemon's for those it does not name. */
export function mergedUlimits(own: readonly Ulimit[] | null | undefined, defaults: readonly Ulimit[]): Ulimit[] {
  const named = new Set((own ?? []).map(({ Name }) => Name));
  return [...(own ?? []), ...defaults.filter(({ Name }) => !named.has(Name))];
}
