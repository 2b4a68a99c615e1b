import { chownSync } from "node:fs";
import { EngineError } from "#base/errors.ts";
import type { HostConfig } from "#api/containers.ts";
import { type IdentityMap, mappedRoot } from "../userns/identity.ts";
import type { Userns } from "../userns/open.ts";
import type { ContainerBackends } from "./backends.ts";
import type { ContainerSpec } from "./record.ts";

type Backends = Pick<ContainerBackends, "userns">;

/** Whether the container's users are to be others of this machine, and refusals in dockerd's words of what cannot be had together with that. */
export function usersAreMapped({ userns }: Backends, host: HostConfig): boolean {
  if (userns === undefined || host.UsernsMode === "host") return false;
  const refuse = (sentence: string): EngineError => new EngineError("invalidArgument", sentence);
  if (host.Privileged === true) {
    const hint = "You must run the container in the host namespace when running privileged mode";
    throw refuse(`privileged mode is incompatible with user namespaces.  ${hint}`);
  }
  if (host.NetworkMode === "host") throw refuse("cannot share the host's network namespace when user namespaces are enabled");
  if (host.PidMode === "host") throw refuse("cannot share the host PID namespace when user namespaces are enabled");
  return true;
}

/** The user namespace of a container; undefined: the machine's own. */
export function usernsOf({ userns }: Backends, { mapped }: Pick<ContainerSpec, "mapped">): Userns | undefined {
  if (mapped !== true) return undefined;
  if (userns !== undefined) return userns;
  throw new EngineError("conflict", 'the container was made with its users mapped, and daemon.json does not say "userns-remap" any more');
}

export const mapOf = (backends: Backends, spec: Pick<ContainerSpec, "mapped">): IdentityMap | undefined => usernsOf(backends, spec)?.map;

/** Gives what was just made for containers to their root, when that is not this machine's. */
export function giveToRoot(map: IdentityMap | undefined, ...made: readonly string[]): void {
  if (map === undefined) return;
  const { uid, gid } = mappedRoot(map);
  for (const path of made) chownSync(path, uid, gid);
}
