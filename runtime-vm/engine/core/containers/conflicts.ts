import { EngineError } from "#base/errors.ts";
import type { ContainerConfig, HostConfig } from "#api/containers.ts";

/** Refuses what cannot be had together, in dockerd's words. `given` is what was asked for, nothing filled in. */
export function refuseConflicts(given: Pick<ContainerConfig, "Hostname">, host: HostConfig): void {
  const mode = host.NetworkMode ?? "";
  const named = (given.Hostname ?? "") !== "";
  const linked = (host.Links?.length ?? 0) > 0;
  const undefinedBehaviour = "can't be used with links. This would result in undefined behavior";
  const conflicts: readonly (readonly [boolean, string])[] = [
    [named && host.UTSMode === "host", "hostname and the UTS mode"],
    [named && mode.startsWith("container:"), "hostname and the network mode"],
    [linked && mode.startsWith("container:"), `container type network ${undefinedBehaviour}`],
    [linked && mode === "host", `host type networking ${undefinedBehaviour}`],
  ];
  for (const [found, what] of conflicts) if (found) throw new EngineError("invalidArgument", `conflicting options: ${what}`);
}
