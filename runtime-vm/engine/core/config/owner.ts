import { readFileSync } from "node:fs";
import { EngineError } from "#base/errors.ts";
import type { EngineConfig } from "./config.ts";

/** 0660 of root and the configured group, or else 0600 of `caller` (who called sudo). */
export function socketOwner(config: EngineConfig, caller: { uid: number; gid: number }): { uid: number; gid: number; mode: number } {
  if (config.group === undefined) return { ...caller, mode: 0o600 };
  return { uid: 0, gid: groupId(config.group, config.hostPrefix), mode: 0o660 };
}

/** By name, or a number as it is. */
function groupId(group: string, hostPrefix: string): number {
  const groups = readFileSync(`${hostPrefix}/etc/group`, "utf8")
    .split("\n")
    .map((line) => line.split(":"));
  const gid = groups.find(([name]) => name === group)?.[2] ?? (/^\d+$/.test(group) ? group : undefined);
  if (gid === undefined) throw new EngineError("invalidArgument", `group ${group} does not exist: create it, or leave "group" out of daemon.json`);
  return Number(gid);
}
