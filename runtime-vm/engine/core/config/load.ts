import { isAbsolute, resolve } from "node:path";
import { EngineError } from "#base/errors.ts";
import { buildEntitlementsDefault, buildGcDefault } from "./build-gc.ts";
import type { EngineConfig } from "./config.ts";
import { logMemoryDefault } from "./log-memory.ts";
import { trashDefault } from "./trash.ts";
import { readDocument } from "./document.ts";
import type { EngineFlags } from "./flags.ts";
import { apiHosts } from "./hosts.ts";
import type { Draft } from "./keys.ts";
import { stockRuntimes } from "./values.ts";

export { type EngineFlags, parseFlags } from "./flags.ts";

export const defaults = {
  root: "/var/lib/slipway",
  socket: "/run/docker.sock",
  debug: false,
  logLevel: "info",
  logFormat: "text",
  liveRestore: true,
  shutdownTimeoutSeconds: 15,
  labels: [],
  features: {},
  experimental: false,
  metricsAddress: "",
  pidFile: "",
  usernsRemap: "",
  logMemory: logMemoryDefault,
  trash: trashDefault,
  cdiSpecDirs: ["/etc/cdi", "/var/run/cdi"],
  insecureRegistries: [],
  registryMirrors: [],
  maxConcurrentDownloads: 3,
  maxConcurrentUploads: 5,
  maxDownloadAttempts: 5,
  proxies: { http: "", https: "", no: "" },
  dns: [],
  dnsSearch: [],
  dnsOptions: [],
  hostGateways: [],
  bip: "",
  mtu: 1500,
  defaultAddressPools: [
    { base: "172.17.0.0/16", size: 16 },
    { base: "172.18.0.0/16", size: 16 },
    { base: "172.19.0.0/16", size: 16 },
    { base: "172.20.0.0/14", size: 16 },
    { base: "172.24.0.0/14", size: 16 },
    { base: "172.28.0.0/14", size: 16 },
    { base: "192.168.0.0/16", size: 20 },
  ],
  fixedCidr: "",
  bridge: "",
  ipv6: false,
  bip6: "",
  fixedCidr6: "",
  defaultGateway: "",
  defaultGateway6: "",
  icc: true,
  ipMasq: true,
  ipForward: true,
  iptables: true,
  ip6tables: true,
  allowDirectRouting: false,
  userlandProxy: true,
  bindAddress: "",
  networkOptions: {},
  cgroupParent: "",
  shmSizeBytes: 64 * 1024 * 1024,
  ipcMode: "private",
  cgroupnsMode: "private",
  ulimits: [],
  seccompProfile: "builtin",
  noNewPrivileges: false,
  init: false,
  initPath: "",
  runtimes: {},
  defaultRuntime: "crun",
  rootBytes: 0,
  buildGc: buildGcDefault,
  buildEntitlements: buildEntitlementsDefault,
  logDriver: "json-file",
  logOptions: {},
  hostPrefix: "",
} as const satisfies Omit<EngineConfig, "warnings" | "hosts" | "tls">;

/** Defaults, then the file, then the flags; checked and frozen. */
export function resolveConfig(flags: EngineFlags, file: string | undefined): EngineConfig {
  const name = flags.config ?? "daemon.json";
  const { draft, warnings } = file === undefined ? { draft: {}, warnings: [] } : readDocument(file, name, flags);
  const { tlsOn: _on, tlsVerify: _verify, tlsCa: _ca, tlsCert: _cert, tlsKey: _key, hosts: _hosts, ...given } = draft;
  const more: string[] = [...warnings];
  const warn = (key: string, reason: string): void => void more.push(`${name}: "${key}" has no effect: ${reason}`);
  if (draft.root !== undefined && flags.root !== undefined && draft.root !== flags.root)
    warn("data-root", `the root directory is given by --root ${flags.root}`);
  const config: EngineConfig = {
    ...defaults,
    ...withoutEmpty(given),
    ...apiHosts(draft, (reason) => warn("hosts", reason)),
    ...(flags.root === undefined ? {} : { root: resolve(flags.root) }),
    ...(flags.socket === undefined ? {} : { socket: resolve(flags.socket) }),
    ...(flags.debug === undefined ? {} : { debug: flags.debug }),
    ...(flags.hostPrefix === undefined ? {} : { hostPrefix: flags.hostPrefix.replace(/\/+$/, "") }),
    warnings: more,
  };
  validate(config);
  return Object.freeze(config);
}

/** "" and 0 where dockerd's file means "as without it". */
function withoutEmpty(draft: Omit<Draft, "hosts">): Partial<EngineConfig> {
  const unsaid = ["root", "bip", "ipcMode", "cgroupnsMode", "seccompProfile", "defaultRuntime", "logDriver", "shmSizeBytes", "logLevel", "logFormat", "group"];
  return Object.fromEntries(Object.entries(draft).filter(([field, value]) => !(unsaid.includes(field) && (value === "" || value === 0))));
}

function validate(config: EngineConfig): void {
  const refuse = (message: string): EngineError => new EngineError("invalidArgument", message);
  if (!isAbsolute(config.root)) throw refuse(`root must be absolute, got ${config.root}`);
  if (config.hostPrefix !== "" && !isAbsolute(config.hostPrefix)) throw refuse(`host-prefix must be absolute, got ${config.hostPrefix}`);
  if (config.mtu < 68 || config.mtu > 65_535) throw refuse(`mtu must be between 68 and 65535, got ${config.mtu}`);
  if (!stockRuntimes.includes(config.defaultRuntime) && config.runtimes[config.defaultRuntime] === undefined) {
    throw refuse(`specified default runtime '${config.defaultRuntime}' does not exist`);
  }
}
