import type { BuildGcRule } from "./build-gc.ts";
import type { TrashLimits } from "../bin/keeper.ts";
import type { LogMemoryLimits } from "../logs/memory.ts";
import type { RegistryAuth } from "../registry/registry.ts";

/** Where the API is served besides the program's own socket. */
export type ApiHost =
  | { readonly kind: "unix"; readonly path: string }
  /** With TLS and client certificates, always. */
  | { readonly kind: "tcp"; readonly host: string; readonly port: number };

/** Files of certificates, as the host names them. */
export interface TlsFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** What runs containers: an OCI runtime behind the usual shim, or a shim of its own. */
export type RuntimeChoice =
  | { readonly kind: "oci"; readonly path: string; readonly args: readonly string[] }
  | { readonly kind: "shim"; readonly type: string; readonly options: Readonly<Record<string, unknown>> };

export interface Ulimit {
  readonly Name: string;
  readonly Soft: number;
  readonly Hard: number;
}

/** What a container gets that does not say otherwise. */
export interface ContainerDefaults {
  readonly cgroupParent: string;
  readonly shmSizeBytes: number;
  readonly ipcMode: string;
  readonly cgroupnsMode: string;
  readonly ulimits: readonly Ulimit[];
  /** `builtin`, `unconfined`, or a file of the host. */
  readonly seccompProfile: string;
  readonly noNewPrivileges: boolean;
  readonly init: boolean;
  /** "" for the engine's own. */
  readonly initPath: string;
  readonly runtimes: Readonly<Record<string, RuntimeChoice>>;
  readonly defaultRuntime: string;
  /** How much a container may write into its own root, where the file system can limit it; 0: as much as there is. */
  readonly rootBytes: number;
  /** What the build cache is cut down to, rule by rule. */
  readonly buildGc: readonly BuildGcRule[];
  /** What clients may grant their builds: `network.host`, `security.insecure`. */
  readonly buildEntitlements: readonly string[];
  readonly logDriver: string;
  readonly logOptions: Readonly<Record<string, string>>;
}

/** The default bridge, and what all networks share. "" and 0 stand for "not said". */
export interface NetworkDefaults {
  readonly dns: readonly string[];
  readonly dnsSearch: readonly string[];
  readonly dnsOptions: readonly string[];
  readonly hostGateways: readonly string[];
  readonly bip: string;
  readonly mtu: number;
  readonly defaultAddressPools: readonly { readonly base: string; readonly size: number }[];
  readonly fixedCidr: string;
  /** Of the default bridge: `docker0` for "", none at all for "none", else one that is there already. */
  readonly bridge: string;
  readonly ipv6: boolean;
  readonly bip6: string;
  readonly fixedCidr6: string;
  readonly defaultGateway: string;
  readonly defaultGateway6: string;
  readonly icc: boolean;
  readonly ipMasq: boolean;
  /** Whether the engine switches forwarding on. */
  readonly ipForward: boolean;
  /** Whether packet rules are made, by family. */
  readonly iptables: boolean;
  readonly ip6tables: boolean;
  /** Published ports may also be reached at the container's own address from outside. */
  readonly allowDirectRouting: boolean;
  /** Whether the machine's own connections to published ports are carried by the engine; otherwise by packet rules. */
  readonly userlandProxy: boolean;
  /** Where published ports of the default bridge listen when nothing is said. */
  readonly bindAddress: string;
  /** Options of new networks by driver. */
  readonly networkOptions: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Absent: no network is between engines. */
  readonly overlay?: OverlayConfig;
}

/** Networks between engines: where they are agreed on, and by which address of this machine the other hosts reach it. */
export interface OverlayConfig {
  readonly etcd: readonly string[];
  readonly advertise: string;
  readonly tls?: TlsFiles;
}

export interface Proxies {
  readonly http: string;
  readonly https: string;
  readonly no: string;
}

export interface TransferLimits {
  readonly insecureRegistries: readonly string[];
  readonly registryMirrors: readonly string[];
  readonly maxConcurrentDownloads: number;
  readonly maxConcurrentUploads: number;
  readonly maxDownloadAttempts: number;
  readonly proxies: Proxies;
}

/** The engine's configuration: daemon.json and flags, defaulted, validated, frozen. Paths absolute. */
export interface EngineConfig extends ContainerDefaults, NetworkDefaults, TransferLimits {
  readonly root: string;
  readonly socket: string;
  readonly hosts: readonly ApiHost[];
  readonly tls: TlsFiles | undefined;
  readonly debug: boolean;
  readonly logLevel: LogLevel;
  readonly logFormat: "text" | "json";
  readonly liveRestore: boolean;
  readonly shutdownTimeoutSeconds: number;
  readonly labels: readonly string[];
  readonly features: Readonly<Record<string, boolean>>;
  readonly experimental: boolean;
  /** `host:port`, or "" for none. */
  readonly metricsAddress: string;
  readonly pidFile: string;
  readonly cdiSpecDirs: readonly string[];
  /** Whose ids containers' users get (`userns-remap`); "" for none. */
  readonly usernsRemap: string;
  /** Of removed containers' output. */
  readonly logMemory: LogMemoryLimits;
  /** Of what was removed and can be brought back. */
  readonly trash: TrashLimits;
  readonly group?: string;
  /** Prefix under which the host's own files appear to this process (`/host` behind the native launcher; `` in the VM). */
  readonly hostPrefix: string;
  readonly warnings: readonly string[];
}

export const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "panic"] as const;
export type LogLevel = (typeof logLevels)[number];

export type { RegistryAuth };
