import type { EngineConfig } from "#core/config/config.ts";
import { readConfigFile } from "#core/config/file.ts";
import { socketOwner } from "#core/config/owner.ts";
import type { Place } from "./listeners.ts";

/** Where daemon.json wants the API besides the program's own socket. Its files are the host's. */
export function placesOf(config: EngineConfig, caller: { uid: number; gid: number }): Place[] {
  const { hosts, tls, hostPrefix } = config;
  const pem = (path: string): string => readConfigFile(hostPrefix + path) ?? "";
  return hosts.flatMap((host): Place[] => {
    if (host.kind === "unix") return [{ kind: "unix", path: hostPrefix + host.path, owner: socketOwner(config, caller) }];
    return tls === undefined ? [] : [{ ...host, kind: "tls", ca: pem(tls.ca), cert: pem(tls.cert), key: pem(tls.key) }];
  });
}
