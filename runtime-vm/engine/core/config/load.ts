import { isAbsolute, resolve } from "node:path";
import { EngineError } from "#base/errors.ts";
import { JsonSyntaxError, parseGoJson } from "#api/gojson.ts";
import type { EngineConfig } from "./config.ts";

/** What the command line says; absent means not said. */
export interface EngineFlags {
  readonly root?: string;
  readonly socket?: string;
  readonly config?: string;
  readonly debug?: boolean;
  readonly hostPrefix?: string;
  readonly link?: string;
  readonly ctl?: string;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const valueFlags = { "--root": "root", "--socket": "socket", "--config": "config", "--host-prefix": "hostPrefix", "--link": "link", "--ctl": "ctl" } as const;

/** Reads `--name value` and `--name=value`; an unknown flag is an error that names it. */
export function parseFlags(args: readonly string[]): EngineFlags {
  const flags: Mutable<EngineFlags> = {};
  for (let i = 0; i < args.length; i++) {
    const [name, inline] = splitOnce(args[i] ?? "", "=");
    if (name === "--debug") {
      flags.debug = inline === undefined || inline === "true";
      continue;
    }
    const key = valueFlags[name as keyof typeof valueFlags];
    if (key === undefined) throw new EngineError("invalidArgument", `unknown flag ${name}: known are --debug ${Object.keys(valueFlags).join(" ")}`);
    const value = inline ?? args[++i];
    if (value === undefined || value === "") throw new EngineError("invalidArgument", `flag ${name} needs a value`);
    flags[key] = value;
  }
  return flags;
}

const splitOnce = (text: string, by: string): [string, string | undefined] => {
  const at = text.indexOf(by);
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
};

const defaults = {
  root: "/var/lib/slipway",
  socket: "/run/docker.sock",
  debug: false,
  liveRestore: true,
  labels: [],
  insecureRegistries: [],
  registryMirrors: [],
  dns: [],
  dnsSearch: [],
  bip: "172.17.0.1/16",
  mtu: 1500,
  // dockerd's pools without 172.17, which is the default bridge's.
  defaultAddressPools: [
    { base: "172.18.0.0/16", size: 16 },
    { base: "172.19.0.0/16", size: 16 },
    { base: "172.20.0.0/14", size: 16 },
    { base: "172.24.0.0/14", size: 16 },
    { base: "172.28.0.0/14", size: 16 },
    { base: "192.168.0.0/16", size: 20 },
  ],
  logDriver: "json-file",
  logOptions: {},
  hostPrefix: "",
} as const satisfies Omit<EngineConfig, "warnings">;

/** Defaults, then the file, then the flags; checked and frozen. A key of the file that nobody reads becomes a warning, never an error. */
export function resolveConfig(flags: EngineFlags, file: string | undefined): EngineConfig {
  const { given, warnings } = file === undefined ? { given: {}, warnings: [] } : readDaemonJson(file, flags.config ?? "daemon.json");
  const config: Mutable<EngineConfig> = { ...defaults, ...given, warnings };
  if (flags.root !== undefined) config.root = resolve(flags.root);
  if (flags.socket !== undefined) config.socket = resolve(flags.socket);
  if (flags.debug !== undefined) config.debug = flags.debug;
  if (flags.hostPrefix !== undefined) config.hostPrefix = flags.hostPrefix.replace(/\/+$/, "");
  validate(config);
  return Object.freeze(config);
}

function validate(config: EngineConfig): void {
  if (!isAbsolute(config.root)) throw new EngineError("invalidArgument", `root must be absolute, got ${config.root}`);
  if (config.hostPrefix !== "" && !isAbsolute(config.hostPrefix))
    throw new EngineError("invalidArgument", `host-prefix must be absolute, got ${config.hostPrefix}`);
  if (!/^\d+\.\d+\.\d+\.\d+\/\d+$/.test(config.bip))
    throw new EngineError("invalidArgument", `bip must be an address with a prefix length (172.17.0.1/16), got ${config.bip}`);
  if (config.mtu < 68 || config.mtu > 65_535) throw new EngineError("invalidArgument", `mtu must be between 68 and 65535, got ${config.mtu}`);
  for (const label of config.labels) {
    if (!/^[^=\s]+=/.test(label)) throw new EngineError("invalidArgument", `bad attribute format: ${label}`);
  }
}

interface Read {
  readonly given: Partial<Mutable<EngineConfig>>;
  readonly warnings: string[];
}

/** How each key of daemon.json becomes a field of ours. `undefined`: known to dockerd, of no effect here. */
const keys: Readonly<Record<string, ((value: unknown, key: string) => Partial<EngineConfig>) | undefined>> = {
  "data-root": (v, k) => ({ root: text(v, k) }),
  debug: (v, k) => ({ debug: flag(v, k) }),
  "live-restore": (v, k) => ({ liveRestore: flag(v, k) }),
  labels: (v, k) => ({ labels: texts(v, k) }),
  "insecure-registries": (v, k) => ({ insecureRegistries: texts(v, k) }),
  "registry-mirrors": (v, k) => ({ registryMirrors: texts(v, k) }),
  dns: (v, k) => ({ dns: texts(v, k) }),
  "dns-search": (v, k) => ({ dnsSearch: texts(v, k) }),
  bip: (v, k) => ({ bip: text(v, k) }),
  mtu: (v, k) => (number(v, k) === 0 ? {} : { mtu: number(v, k) }),
  "default-address-pools": (v, k) => ({ defaultAddressPools: pools(v, k) }),
  "log-driver": (v, k) => ({ logDriver: text(v, k) }),
  "log-opts": (v, k) => ({ logOptions: strings(v, k) }),
  group: (v, k) => ({ group: text(v, k) }),
};

/** Keys of dockerd that change nothing here: accepted in silence or with a word, because people paste whole files. */
const withoutEffect = new Set(
  `features builder proxies default-ulimits experimental exec-opts ipv6 fixed-cidr fixed-cidr-v6 userns-remap max-concurrent-downloads max-concurrent-uploads
  max-download-attempts runtimes default-runtime storage-driver storage-opts hosts tls tlsverify tlscacert tlscert tlskey log-level log-format iptables ip6tables ip-forward
  ip-masq icc userland-proxy userland-proxy-path pidfile exec-root bridge default-gateway dns-opts shutdown-timeout init init-path containerd cgroup-parent
  default-cgroupns-mode default-shm-size default-ipc-mode metrics-addr seccomp-profile no-new-privileges selinux-enabled authorization-plugins api-cors-header
  host-gateway-ip host-gateway-ips raw-logs swarm-default-advertise-addr cdi-spec-dirs default-network-opts min-api-version firewall-backend`.split(/\s+/),
);

function readDaemonJson(file: string, name: string): Read {
  const warnings: string[] = [];
  let given: Partial<Mutable<EngineConfig>> = {};
  for (const [key, value] of Object.entries(parseObject(file, name))) {
    const read = keys[key];
    if (read !== undefined) given = { ...given, ...read(value, `${name}: ${key}`) };
    else if (withoutEffect.has(key)) warnings.push(`${name}: "${key}" has no effect in this engine`);
    else warnings.push(`${name}: unknown key "${key}" is ignored`);
  }
  return { given, warnings };
}

function parseObject(file: string, name: string): Record<string, unknown> {
  if (file.trim() === "") return {};
  let value: unknown;
  try {
    value = parseGoJson(file).value;
  } catch (error) {
    if (error instanceof JsonSyntaxError) throw new EngineError("invalidArgument", `unable to configure the engine with file ${name}: ${error.message}`);
    throw error;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong(name, "an object");
  return value as Record<string, unknown>;
}

const wrong = (key: string, wanted: string): EngineError => new EngineError("invalidArgument", `${key} must be ${wanted}`);

function text(value: unknown, key: string): string {
  if (typeof value !== "string") throw wrong(key, "a string");
  return value;
}
function flag(value: unknown, key: string): boolean {
  if (typeof value !== "boolean") throw wrong(key, "true or false");
  return value;
}
function number(value: unknown, key: string): number {
  if (typeof value !== "number" || !Number.isInteger(value)) throw wrong(key, "a whole number");
  return value;
}
function texts(value: unknown, key: string): readonly string[] {
  if (!Array.isArray(value) || !value.every((item) => typeof item === "string")) throw wrong(key, "a list of strings");
  return value;
}
function strings(value: unknown, key: string): Readonly<Record<string, string>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong(key, "an object of strings");
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, text(item, `${key}.${name}`)]));
}
function pools(value: unknown, key: string): EngineConfig["defaultAddressPools"] {
  const bad = wrong(key, 'a list of {"base": "172.30.0.0/16", "size": 24}');
  if (!Array.isArray(value)) throw bad;
  return value.map((item: unknown) => {
    if (typeof item !== "object" || item === null) throw bad;
    const { base, size } = item as Record<string, unknown>;
    if (typeof base !== "string" || typeof size !== "number") throw bad;
    return { base, size };
  });
}
