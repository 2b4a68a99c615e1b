import { readFileSync, readdirSync } from "node:fs";
import { arch, availableParallelism, hostname, release, totalmem } from "node:os";
import { apiVersion, apiVersionMin, engineVersion } from "#api/versions.ts";
import { formatNano, nowNano } from "../clock/clock.ts";
import type { EngineConfig, Proxies } from "../config/config.ts";
import { defaults } from "../config/load.ts";
import { stockRuntimes } from "../config/values.ts";
import type { DevicesByName } from "../specs/builder.ts";
import type { State } from "../state/state.ts";
import { diskWarning } from "./disk-watch.ts";
import { engineId } from "./facts.ts";
import { maskCredentials } from "./proxies.ts";
import type { RuntimeFacts } from "./runtime.ts";

/** What `/info` needs of the other nouns. */
export interface SystemParts {
  readonly config: EngineConfig;
  readonly state: State;
  /** How layers are mounted here. */
  readonly layerMethod: string;
  readonly logDrivers: readonly string[];
  readonly cgroupRoot: string;
  /** Whether containers are confined by AppArmor. */
  readonly apparmor: boolean;
  /** The release of this program, and the runtime's. */
  readonly version: string;
  readonly runtime: RuntimeFacts;
  readonly proxies: Proxies;
  readonly devices: () => DevicesByName;
  readonly containers: () => { total: number; running: number; paused: number; stopped: number };
  readonly images: () => Promise<number>;
  readonly listeners: () => number;
}

export interface SystemInfo {
  /** Made once for a root directory. */
  readonly id: string;
  info(): Promise<Record<string, unknown>>;
  version(): Promise<Record<string, unknown>>;
}

const machine = { x64: "amd64", arm64: "arm64" } as const;
const kernelMachine = { x64: "x86_64", arm64: "aarch64" } as const;
const nameOf = (names: Readonly<Record<string, string>>): string => names[arch()] ?? arch();

/** Reads once what does not change while the engine runs. */
export function createSystemInfo(parts: SystemParts): SystemInfo {
  const id = engineId(parts.state);
  const os = osRelease(parts.config.hostPrefix);
  return {
    id,
    info: () => infoOf(parts, id, os),
    version: () => versionOf(parts),
  };
}

async function versionOf({ config, version, runtime }: SystemParts): Promise<Record<string, unknown>> {
  const details = {
    ApiVersion: apiVersion,
    Arch: nameOf(machine),
    BuildTime: "",
    Experimental: String(config.experimental),
    GitCommit: version,
    GoVersion: "",
    KernelVersion: release(),
    MinAPIVersion: apiVersionMin,
    Os: "linux",
  };
  return {
    Platform: { Name: `Slipway ${version}` },
    Components: [
      { Name: "Engine", Version: engineVersion, Details: details },
      { Name: "slipway", Version: version, Details: { GitCommit: "" } },
      { Name: "node", Version: process.versions.node, Details: { GitCommit: "" } },
      { Name: "crun", Version: await runtime.version(), Details: { GitCommit: "" } },
    ],
    Version: engineVersion,
    ApiVersion: apiVersion,
    MinAPIVersion: apiVersionMin,
    GitCommit: version,
    GoVersion: "",
    Os: "linux",
    Arch: nameOf(machine),
    KernelVersion: release(),
    ...(config.experimental ? { Experimental: true } : {}),
  };
}

async function infoOf(parts: SystemParts, id: string, os: { name: string; version: string }): Promise<Record<string, unknown>> {
  const { config } = parts;
  const { total, running, paused, stopped } = parts.containers();
  const controllers = new Set(read(`${parts.cgroupRoot}/cgroup.controllers`).trim().split(" "));
  const has = (name: string): boolean => controllers.has(name);
  const forwarding = read("/proc/sys/net/ipv4/ip_forward").trim() === "1";
  const devices = parts.devices();
  const full = await diskWarning(config.root);
  return {
    ID: id,
    Containers: total,
    ContainersRunning: running,
    ContainersPaused: paused,
    ContainersStopped: stopped,
    Images: await parts.images(),
    Driver: "overlayfs",
    DriverStatus: [
      ["driver-type", "io.containerd.snapshotter.v1"],
      ["layers", parts.layerMethod],
    ],
    Plugins: {
      Volume: ["local"],
      Network: ["bridge", "host", "ipvlan", "macvlan", "null", "overlay"],
      Authorization: null,
      Log: parts.logDrivers.filter((name) => name !== "none").toSorted(),
    },
    MemoryLimit: has("memory"),
    SwapLimit: has("memory"),
    CpuCfsPeriod: has("cpu"),
    CpuCfsQuota: has("cpu"),
    CPUShares: has("cpu"),
    CPUSet: has("cpuset"),
    PidsLimit: has("pids"),
    IPv4Forwarding: forwarding,
    Debug: config.debug,
    NFd: countDescriptors(),
    OomKillDisable: false,
    NGoroutines: process.getActiveResourcesInfo().length,
    SystemTime: formatNano(nowNano()),
    LoggingDriver: config.logDriver,
    CgroupDriver: "cgroupfs",
    CgroupVersion: "2",
    NEventsListener: parts.listeners(),
    KernelVersion: release(),
    OperatingSystem: os.name,
    OSVersion: os.version,
    OSType: "linux",
    Architecture: nameOf(kernelMachine),
    IndexServerAddress: "https://index.docker.io/v1/",
    RegistryConfig: registryConfig(config),
    NCPU: availableParallelism(),
    MemTotal: totalmem(),
    GenericResources: null,
    DockerRootDir: config.root,
    HttpProxy: maskCredentials(parts.proxies.http),
    HttpsProxy: maskCredentials(parts.proxies.https),
    NoProxy: parts.proxies.no,
    Name: hostname(),
    Labels: config.labels,
    ExperimentalBuild: config.experimental,
    ServerVersion: engineVersion,
    Runtimes: await runtimesOf(parts),
    DefaultRuntime: config.defaultRuntime,
    Swarm: { NodeID: "", NodeAddr: "", LocalNodeState: "inactive", ControlAvailable: false, Error: "", RemoteManagers: null },
    LiveRestoreEnabled: config.liveRestore,
    Isolation: "",
    InitBinary: "docker-init",
    ContainerdCommit: { ID: "" },
    RuncCommit: { ID: await parts.runtime.version() },
    InitCommit: { ID: "" },
    SecurityOptions: securityOptions(parts),
    FirewallBackend: { Driver: "nftables" },
    CDISpecDirs: config.cdiSpecDirs,
    ...(devices.ids.length === 0 ? {} : { DiscoveredDevices: devices.ids.map((ID) => ({ Source: "cdi", ID })) }),
    ...(config.defaultAddressPools === defaults.defaultAddressPools
      ? {}
      : { DefaultAddressPools: config.defaultAddressPools.map(({ base, size }) => ({ Base: base, Size: size })) }),
    Warnings: [
      ...limitWarnings(has),
      ...(forwarding ? [] : ["WARNING: IPv4 forwarding is disabled"]),
      ...(full === undefined ? [] : [`WARNING: ${full}`]),
      ...config.warnings.map((warning) => `WARNING: ${warning}`),
      ...devices.problems.map(({ file, reason }) => `CDI: Error associated with spec file ${file}: ${reason}`),
    ],
  };
}

/** The stock runtime under each of its names, and those of daemon.json. */
async function runtimesOf({ config, runtime: stockRuntime }: SystemParts): Promise<Record<string, unknown>> {
  const features = await stockRuntime.features();
  const stock = { path: "crun", ...(features === "" ? {} : { status: { "org.opencontainers.runtime-spec.features": features } }) };
  const added = Object.entries(config.runtimes).map(([name, runtime]) => {
    if (runtime.kind === "shim") return [name, { runtimeType: runtime.type, ...(isEmptyObject(runtime.options) ? {} : { options: runtime.options }) }] as const;
    return [name, { path: runtime.path, ...(runtime.args.length === 0 ? {} : { runtimeArgs: runtime.args }) }] as const;
  });
  return { ...Object.fromEntries(stockRuntimes.map((name) => [name, stock])), ...Object.fromEntries(added) };
}

const isEmptyObject = (value: object): boolean => Object.keys(value).length === 0;

/** In dockerd's order. */
function securityOptions({ config, apparmor }: SystemParts): string[] {
  return [
    ...(apparmor ? ["name=apparmor"] : []),
    `name=seccomp,profile=${config.seccompProfile}`,
    ...(config.usernsRemap === "" || config.usernsRemap === "root" ? [] : ["name=userns"]),
    ...(config.cgroupnsMode === "private" ? ["name=cgroupns"] : []),
    ...(config.noNewPrivileges ? ["name=no-new-privileges"] : []),
  ];
}

/** In dockerd's words and order. */
function limitWarnings(has: (controller: string) => boolean): string[] {
  const missing = (controller: string, ...what: string[]): string[] => (has(controller) ? [] : what.map((name) => `WARNING: No ${name} support`));
  return [
    ...missing("memory", "memory limit", "swap limit"),
    ...missing("cpu", "cpu cfs quota", "cpu cfs period", "cpu shares"),
    ...missing("cpuset", "cpuset"),
    ...missing("io", "io.weight", "io.weight (per device)", "io.max (rbps)", "io.max (wbps)", "io.max (riops)", "io.max (wiops)"),
  ];
}

function registryConfig(config: EngineConfig): Record<string, unknown> {
  const insecure = config.insecureRegistries.filter((name) => !name.includes("/"));
  const index = (Name: string, Official: boolean, Secure: boolean): Record<string, unknown> => ({
    Mirrors: Official ? config.registryMirrors : [],
    Name,
    Official,
    Secure,
  });
  return {
    IndexConfigs: { "docker.io": index("docker.io", true, true), ...Object.fromEntries(insecure.map((name) => [name, index(name, false, false)])) },
    InsecureRegistryCIDRs: ["::1/128", "127.0.0.0/8", ...config.insecureRegistries.filter((name) => name.includes("/"))],
    Mirrors: config.registryMirrors.length === 0 ? null : config.registryMirrors,
  };
}

/** The machine's system, seen through the host prefix. */
function osRelease(prefix: string): { name: string; version: string } {
  const text = read(`${prefix}/etc/os-release`) || read("/etc/os-release");
  const field = (name: string): string => new RegExp(`^${name}="?([^"\n]*)"?$`, "m").exec(text)?.[1] ?? "";
  return { name: field("PRETTY_NAME") || "Linux", version: field("VERSION_ID") };
}

function countDescriptors(): number {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return 0;
  }
}

function read(path: string): string {
  try {
    // As bytes first: see procFile in containers/top.ts.
    return readFileSync(path).toString("utf8");
  } catch {
    return "";
  }
}
