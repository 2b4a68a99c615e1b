import type { Catalog } from "./catalog.ts";

export interface Census {
  readonly total: number;
  readonly running: number;
  readonly paused: number;
  readonly stopped: number;
}

/** dockerd counts who waits for a restart among those that run. */
export function censusOf(catalog: Catalog): Census {
  const all = catalog.all();
  const count = (...statuses: string[]): number => all.filter(({ status }) => statuses.includes(status)).length;
  const paused = count("paused");
  const running = count("running", "restarting");
  return { total: all.length, running, paused, stopped: all.length - running - paused };
}
