import { EngineError } from "#base/errors.ts";
import { builder } from "./build-gc.ts";
import type { EngineConfig } from "./config.ts";
import { absolute, execOptions, features, ipcMode, labels, logLevel, metricsAddress, mirrors, proxies, searchDomains, storageOptions } from "./readers.ts";
import { slipway, slipwayFields } from "./slipway.ts";
import { type Reader, address, addressOf, addresses, bytes, cidr, cidr6, flag, mapOf, number, pools, runtimes, text, texts, ulimits } from "./values.ts";

/** What the file says, before it is completed: hosts and certificates still as they are written. */
export interface Draft extends Partial<Omit<Mutable<EngineConfig>, "hosts" | "tls">> {
  hosts?: readonly string[];
  tlsOn?: boolean;
  tlsVerify?: boolean;
  tlsCa?: string;
  tlsCert?: string;
  tlsKey?: string;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Reads one key into the draft. `warn` says why the value has no effect here. */
type Key = (value: unknown, key: string, warn: (reason: string) => void) => Partial<Draft>;

const into =
  <K extends keyof Draft>(field: K, read: Reader<NonNullable<Draft[K]>>): Key =>
  (value, key) => ({ [field]: read(value, key) });

/** A count of which dockerd takes 0 for "not said". */
const count =
  (field: keyof Draft, name: string): Key =>
  (value, key) => {
    const given = number(value, key);
    if (given < 0) throw new EngineError("invalidArgument", `invalid ${name}: ${given}`);
    return given === 0 ? {} : { [field]: given };
  };

/** Accepted in silence while it asks for what is so anyway. */
const only =
  (read: Reader<unknown>, suits: (value: unknown) => boolean, reason: string): Key =>
  (value, key, warn) => {
    if (!suits(read(value, key))) warn(reason);
    return {};
  };

const is =
  (...values: readonly unknown[]) =>
  (value: unknown): boolean =>
    values.includes(value);
const isEmpty = (value: unknown): boolean => value === "" || (Array.isArray(value) ? value.length === 0 : false);

const oneOf =
  <T extends string>(values: readonly T[], refusal: (given: string) => string): Reader<T> =>
  (value, key) => {
    const given = text(value, key) as T;
    if (!values.includes(given)) throw new EngineError("invalidArgument", refusal(given));
    return given;
  };

const noContainerd = "this engine drives the shims itself: there is no containerd";
const noSwarm = "this engine is in no swarm";
const forSecurity = (what: string): string => `${what}: they are NOT confined by it`;

/** Every key that dockerd 28.5 accepts and that is no flag's name, and `slipway` for what is this engine's alone: read, or answered with the reason why it does nothing. */
export const keys: Readonly<Record<string, Key>> = {
  "allow-direct-routing": into("allowDirectRouting", flag),
  "allow-nondistributable-artifacts": only(texts, isEmpty, "such artifacts are pushed like any other"),
  "api-cors-header": (value, key) => {
    if (text(value, key) === "") return {};
    const sentence = 'DEPRECATED: The "api-cors-header" config parameter and the dockerd "--api-cors-header" option have been removed; use a reverse proxy';
    throw new EngineError("invalidArgument", `${sentence} if you need CORS headers`);
  },
  "authorization-plugins": only(texts, isEmpty, "this engine has no plugins; requests are NOT asked about"),
  bip: into("bip", cidr),
  bip6: into("bip6", cidr6),
  bridge: into("bridge", text),
  builder,
  "cdi-spec-dirs": into("cdiSpecDirs", texts),
  "cgroup-parent": into("cgroupParent", text),
  containerd: only(text, isEmpty, noContainerd),
  "containerd-namespace": only(text, isEmpty, noContainerd),
  "containerd-plugins-namespace": only(text, isEmpty, noContainerd),
  "cpu-rt-period": only(number, is(0), "control groups of version 2 have no real-time limits"),
  "cpu-rt-runtime": only(number, is(0), "control groups of version 2 have no real-time limits"),
  "cri-containerd": only(flag, is(false), noContainerd),
  "data-root": into("root", text),
  debug: into("debug", flag),
  "default-address-pools": into("defaultAddressPools", pools),
  "default-cgroupns-mode": into(
    "cgroupnsMode",
    oneOf(["", "host", "private"], (mode) => `invalid default cgroup namespace (${mode}): use "host" or "private"`),
  ),
  "default-gateway": into("defaultGateway", addressOf(4)),
  "default-gateway-v6": into("defaultGateway6", addressOf(6)),
  "default-ipc-mode": into("ipcMode", ipcMode),
  "default-network-opts": into("networkOptions", mapOf(mapOf(text))),
  "default-runtime": into("defaultRuntime", text),
  "default-shm-size": into("shmSizeBytes", bytes),
  "default-ulimits": into("ulimits", ulimits),
  "deprecated-key-path": only(text, isEmpty, "nothing reads such a key any more"),
  dns: into("dns", addresses),
  "dns-opts": into("dnsOptions", texts),
  "dns-search": into("dnsSearch", searchDomains),
  "exec-opts": execOptions,
  "exec-root": only(text, isEmpty, "what a reboot may forget lies in the root directory's run/"),
  experimental: into("experimental", flag),
  features,
  "fixed-cidr": into("fixedCidr", cidr),
  "fixed-cidr-v6": into("fixedCidr6", cidr6),
  group: into("group", text),
  "host-gateway-ip": (value, key) => (address(value, key) === "" ? {} : { hostGateways: [address(value, key)] }),
  "host-gateway-ips": into("hostGateways", addresses),
  hosts: into("hosts", texts),
  "http-proxy": only(text, isEmpty, 'write it as {"proxies": {"http-proxy": ...}}'),
  "https-proxy": only(text, isEmpty, 'write it as {"proxies": {"https-proxy": ...}}'),
  "no-proxy": only(text, isEmpty, 'write it as {"proxies": {"no-proxy": ...}}'),
  icc: into("icc", flag),
  init: into("init", flag),
  "init-path": into("initPath", text),
  "insecure-registries": into("insecureRegistries", texts),
  ip: into("bindAddress", address),
  "ip-forward": into("ipForward", flag),
  // Of the machine's own policy for forwarded packets nothing is ever changed.
  "ip-forward-no-drop": (value, key) => (flag(value, key), {}),
  "ip-masq": into("ipMasq", flag),
  ip6tables: into("ip6tables", flag),
  iptables: into("iptables", flag),
  ipv6: into("ipv6", flag),
  labels: into("labels", labels),
  "live-restore": into("liveRestore", flag),
  "log-driver": into("logDriver", text),
  "log-format": into(
    "logFormat",
    oneOf(["text", "json"], (format) => `invalid log format: ${format}`),
  ),
  "log-level": into("logLevel", logLevel),
  "log-opts": into("logOptions", mapOf(text)),
  "max-concurrent-downloads": count("maxConcurrentDownloads", "max concurrent downloads"),
  "max-concurrent-uploads": count("maxConcurrentUploads", "max concurrent uploads"),
  "max-download-attempts": count("maxDownloadAttempts", "max download attempts"),
  "metrics-addr": into("metricsAddress", metricsAddress),
  mtu: count("mtu", "default MTU"),
  "network-control-plane-mtu": only(number, is(0), noSwarm),
  "network-diagnostic-port": only(number, is(0), "there is no such server; `docker network inspect --verbose` and the engine log tell"),
  "no-new-privileges": into("noNewPrivileges", flag),
  "node-generic-resources": only(texts, isEmpty, noSwarm),
  pidfile: into("pidFile", absolute),
  proxies: proxies,
  "raw-logs": (value, key) => (flag(value, key), {}),
  "registry-mirrors": into("registryMirrors", mirrors),
  rootless: only(flag, is(false), "this engine runs as root"),
  runtimes: into("runtimes", runtimes),
  "seccomp-profile": into("seccompProfile", text),
  "selinux-enabled": only(flag, is(false), forSecurity("this engine sets no SELinux labels on containers")),
  "shutdown-timeout": into("shutdownTimeoutSeconds", number),
  slipway,
  ...Object.fromEntries(Object.entries(slipwayFields).map(([name, read]) => [`slipway.${name}`, read])),
  "storage-driver": only(text, is("", "overlayfs", "overlay2"), "layers are mounted by overlayfs, always"),
  "storage-opts": storageOptions,
  "swarm-default-advertise-addr": only(text, isEmpty, noSwarm),
  tls: into("tlsOn", flag),
  tlscacert: into("tlsCa", text),
  tlscert: into("tlsCert", text),
  tlskey: into("tlsKey", text),
  tlsverify: into("tlsVerify", flag),
  "userland-proxy": into("userlandProxy", flag),
  "userland-proxy-path": only(text, isEmpty, "published ports are carried by the engine itself"),
  "userns-remap": (value, key, warn) => {
    const usernsRemap = text(value, key);
    if (usernsRemap !== "" && usernsRemap !== "root") warn(forSecurity("on the RUN steps of builds, whose root is the machine's"));
    return { usernsRemap };
  },
};

/** Names of dockerd's flags, which it accepts as keys and then does not read; with what the file calls them. */
export const flagNames: Readonly<Record<string, string>> = {
  "add-runtime": "runtimes",
  "authorization-plugin": "authorization-plugins",
  "cdi-spec-dir": "cdi-spec-dirs",
  "default-address-pool": "default-address-pools",
  "default-network-opt": "default-network-opts",
  "default-ulimit": "default-ulimits",
  "dns-opt": "dns-opts",
  "exec-opt": "exec-opts",
  feature: "features",
  host: "hosts",
  "insecure-registry": "insecure-registries",
  label: "labels",
  "log-opt": "log-opts",
  "node-generic-resource": "node-generic-resources",
  "registry-mirror": "registry-mirrors",
  "storage-opt": "storage-opts",
  help: "",
  restart: "",
  version: "",
};
