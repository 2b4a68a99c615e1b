import type { Ulimit } from "./config.ts";

/** A container's own limits, and the daemon's for those it does not name; as they are, when the daemon has none. */
export function mergedUlimits(own: readonly Ulimit[] | null | undefined, defaults: readonly Ulimit[]): readonly Ulimit[] | null {
  if (defaults.length === 0) return own ?? null;
  const named = new Set((own ?? []).map(({ Name }) => Name));
  return [...(own ?? []), ...defaults.filter(({ Name }) => !named.has(Name))];
}
