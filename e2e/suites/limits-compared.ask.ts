import { join } from "node:path";
import type { EngineClient } from "#client/client.ts";
import { askLimit, type LimitAnswer } from "./limits.ask.ts";
import { limitCases } from "./limits.cases.ts";
import { askStats, type OnMachine, type StatsAnswer, statsCases } from "./stats.ask.ts";

export const recordedPath = join(import.meta.dirname, "dockerd-28.5.limits.json");

/** Of an engine on the guest's kernel, with all its controllers. */
export interface LimitAnswers {
  readonly version: string;
  readonly limits: Readonly<Record<string, LimitAnswer>>;
  readonly stats: Readonly<Record<string, StatsAnswer>>;
}

export async function askAll(client: EngineClient, onMachine: OnMachine): Promise<LimitAnswers> {
  const { Version } = await client.json<{ Version: string }>("GET", "/version");
  const limits: Record<string, LimitAnswer> = {};
  for (const one of limitCases) limits[one.name] = await askLimit(client, one);
  const stats: Record<string, StatsAnswer> = {};
  for (const one of statsCases) stats[one.name] = await askStats(client, onMachine, one);
  return { version: Version, limits, stats };
}
