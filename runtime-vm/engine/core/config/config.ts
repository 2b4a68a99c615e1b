import type { RegistryAuth } from "../registry/registry.ts";

/** The engine's configuration: daemon.json and flags, defaulted, validated, frozen. Paths absolute. */
export interface EngineConfig {
  readonly root: string;
  readonly socket: string;
  readonly debug: boolean;
  readonly liveRestore: boolean;
  readonly labels: readonly string[];
  readonly insecureRegistries: readonly string[];
  readonly registryMirrors: readonly string[];
  readonly dns: readonly string[];
  readonly dnsSearch: readonly string[];
  readonly bip: string;
  readonly mtu: number;
  readonly defaultAddressPools: readonly { readonly base: string; readonly size: number }[];
  readonly logDriver: string;
  readonly logOptions: Readonly<Record<string, string>>;
  readonly group?: string;
  /** Prefix under which the host's own files appear to this process (`/host` behind the native launcher; `` in the VM). */
  readonly hostPrefix: string;
  readonly warnings: readonly string[];
}
export type { RegistryAuth };
