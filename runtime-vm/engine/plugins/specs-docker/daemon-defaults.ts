import { readFileSync } from "node:fs";
import type { HostConfig } from "#api/containers.ts";
import { EngineError, messageOf } from "#base/errors.ts";
import type { ContainerDefaults } from "#core/config/config.ts";
import { mergedUlimits } from "#core/config/ulimits.ts";

/** What daemon.json says of every container. */
export type DaemonDefaults = Pick<ContainerDefaults, "cgroupParent" | "ulimits" | "init" | "initPath" | "noNewPrivileges" | "seccompProfile"> & {
  readonly cdiSpecDirs: readonly string[];
  /** Prefix of the host's files. */
  readonly hostPrefix: string;
};

/** The host configuration completed by the daemon's, as a container is started with it. What the container says itself counts. */
export function withDaemonDefaults(host: HostConfig, defaults: DaemonDefaults | undefined): HostConfig {
  if (defaults === undefined) return host;
  // Later options override earlier ones.
  const security = [...(defaults.noNewPrivileges ? ["no-new-privileges"] : []), ...seccompOption(host, defaults)];
  return {
    ...host,
    CgroupParent: host.CgroupParent || defaults.cgroupParent,
    Ulimits: mergedUlimits(host.Ulimits, defaults.ulimits),
    Init: host.Init ?? defaults.init,
    ...(security.length === 0 ? {} : { SecurityOpt: [...security, ...(host.SecurityOpt ?? [])] }),
  };
}

function seccompOption(host: HostConfig, { seccompProfile, hostPrefix }: DaemonDefaults): string[] {
  if (host.Privileged || seccompProfile === "builtin") return [];
  if (seccompProfile === "unconfined") return ["seccomp=unconfined"];
  try {
    return [`seccomp=${readFileSync(hostPrefix + seccompProfile, "utf8")}`];
  } catch (error) {
    throw new EngineError("unavailable", `the seccomp-profile of daemon.json, ${seccompProfile}, cannot be read: ${messageOf(error)}`, { cause: error });
  }
}
