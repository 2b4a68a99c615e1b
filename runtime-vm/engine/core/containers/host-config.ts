import { posix } from "node:path";
import { EngineError } from "#base/errors.ts";
import type { HostConfig, PortBinding, PortMap, RestartPolicy } from "#api/containers.ts";
import type { EngineConfig } from "../config/config.ts";
import { chosenRuntime } from "../config/runtime.ts";
import { parseRamSize } from "./units.ts";

const maskedPaths = [
  "/proc/asound",
  "/proc/acpi",
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/sys/firmware",
  "/sys/devices/virtual/powercap",
];
const readonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/** What a host configuration is when nothing is asked for: inspect shows every field. */
const defaults: HostConfig = {
  Binds: null,
  ContainerIDFile: "",
  NetworkMode: "bridge",
  PortBindings: null,
  AutoRemove: false,
  VolumeDriver: "",
  VolumesFrom: null,
  ConsoleSize: [0, 0],
  CapAdd: null,
  CapDrop: null,
  CgroupnsMode: "private",
  Dns: null,
  DnsOptions: null,
  DnsSearch: null,
  ExtraHosts: null,
  GroupAdd: null,
  IpcMode: "private",
  Cgroup: "",
  Links: null,
  OomScoreAdj: 0,
  PidMode: "",
  Privileged: false,
  PublishAllPorts: false,
  ReadonlyRootfs: false,
  SecurityOpt: null,
  UTSMode: "",
  UsernsMode: "",
  ShmSize: 64 * 1024 * 1024,
  Runtime: "crun",
  Isolation: "",
  CpuCount: 0,
  CpuPercent: 0,
  IOMaximumIOps: 0,
  IOMaximumBandwidth: 0,
  CpuShares: 0,
  Memory: 0,
  NanoCpus: 0,
  CgroupParent: "",
  BlkioWeight: 0,
  BlkioWeightDevice: null,
  BlkioDeviceReadBps: null,
  BlkioDeviceWriteBps: null,
  BlkioDeviceReadIOps: null,
  BlkioDeviceWriteIOps: null,
  CpuPeriod: 0,
  CpuQuota: 0,
  CpuRealtimePeriod: 0,
  CpuRealtimeRuntime: 0,
  CpusetCpus: "",
  CpusetMems: "",
  Devices: null,
  DeviceCgroupRules: null,
  DeviceRequests: null,
  MemoryReservation: 0,
  MemorySwap: 0,
  MemorySwappiness: null,
  OomKillDisable: null,
  PidsLimit: null,
  Ulimits: null,
};

/** Fills in defaults and refuses what no container can have. */
export function completeHostConfig(given: HostConfig, config: EngineConfig): HostConfig {
  const runtime = given.Runtime || config.defaultRuntime;
  chosenRuntime(config, runtime);
  if ((given.ShmSize ?? 0) < 0) throw new EngineError("invalidArgument", "SHM size can not be less than 0");
  checkNamespaceModes(given);
  refuseWhatWeLack(given);
  for (const key of Object.keys(given.Annotations ?? {})) {
    if (key === "") throw new EngineError("invalidArgument", "invalid Annotations: the empty string is not permitted as an annotation key");
  }
  for (const port of Object.keys(given.PortBindings ?? {})) {
    const number = port.split("/", 1)[0] ?? "";
    if (!/^\d{1,5}$/.test(number) || Number(number) > 65_535) throw new EngineError("invalidArgument", `invalid port specification: ${JSON.stringify(number)}`);
  }
  for (const host of given.ExtraHosts ?? []) {
    const [, address = ""] = /^[^:]+:(.*)$/.exec(host) ?? [];
    if (address === "") throw new EngineError("invalidArgument", `bad format for add-host: ${JSON.stringify(host)}`);
    if (address.startsWith("[")) throw new EngineError("invalidArgument", `invalid IP address in add-host: ${JSON.stringify(address)}`);
  }
  for (const path of Object.keys(given.Tmpfs ?? {})) {
    if (!path.startsWith("/")) throw new EngineError("invalidArgument", `invalid mount path: '${path}' mount path must be absolute`);
    if (posix.resolve(path) === "/") throw new EngineError("invalidArgument", "invalid specification: destination can't be '/'");
  }
  const privileged = given.Privileged === true;
  const logType = given.LogConfig?.Type || config.logDriver;
  return {
    ...defaults,
    MaskedPaths: privileged ? null : maskedPaths,
    ReadonlyPaths: privileged ? null : readonlyPaths,
    ...given,
    Runtime: runtime,
    PortBindings: portBindings(given),
    ...devices(given),
    NetworkMode: networkMode(given),
    RestartPolicy: restartPolicy(given),
    LogConfig: { Type: logType, Config: given.LogConfig?.Config ?? (logType === config.logDriver ? config.logOptions : {}) },
    CgroupnsMode: given.CgroupnsMode || config.cgroupnsMode,
    SecurityOpt: securityOptions(given),
    IpcMode: given.IpcMode || config.ipcMode,
    ShmSize: given.ShmSize || config.shmSizeBytes,
  };
}

/** Each binding with both its fields, as inspect shows them. */
function portBindings({ PortBindings }: HostConfig): PortMap | null {
  if (PortBindings === undefined || PortBindings === null) return null;
  const both = (bindings: readonly Partial<PortBinding>[] | null) => bindings?.map(({ HostIp = "", HostPort = "" }) => ({ HostIp, HostPort })) ?? null;
  return Object.fromEntries(Object.entries(PortBindings).map(([port, bindings]) => [port, both(bindings)]));
}

/** With all their fields, as inspect shows them. */
function devices({ Devices, DeviceRequests }: HostConfig): Pick<HostConfig, "Devices" | "DeviceRequests"> {
  const request = { Driver: "", Count: 0, DeviceIDs: null, Capabilities: null, Options: null };
  return {
    ...(Devices ? { Devices: Devices.map((device) => ({ ...noDevice, ...device })) } : {}),
    ...(DeviceRequests ? { DeviceRequests: DeviceRequests.map((one) => ({ ...request, ...one })) } : {}),
  };
}

const noDevice = { PathOnHost: "", PathInContainer: "", CgroupPermissions: "" };

/** Better no container than one without what was asked for. */
function refuseWhatWeLack(given: HostConfig): void {
  const lack = (what: string): EngineError => new EngineError("invalidArgument", what);
  for (const option of Object.keys(given.StorageOpt ?? {})) if (option !== "size") throw lack(`Unknown option ${option}`);
  parseRamSize(given.StorageOpt?.["size"] ?? "0");
  const isolation = given.Isolation ?? "";
  if (isolation !== "" && isolation !== "default") throw lack(`invalid isolation (${isolation}): linux only supports 'default'`);
}

/** Who sees the machine's processes or devices is not confined by labels, unless it says which. */
function securityOptions(given: HostConfig): readonly string[] | null {
  const asked = given.SecurityOpt ?? null;
  const open = given.Privileged === true || given.IpcMode === "host" || given.PidMode === "host";
  const labelled = (asked ?? []).some((option) => /^label([=:]|$)/.test(option));
  return open && !labelled ? [...(asked ?? []), "label=disable"] : asked;
}

/** `default` and nothing mean the bridge network. */
function networkMode(given: HostConfig): string {
  const mode = given.NetworkMode ?? "";
  return mode === "" || mode === "default" ? "bridge" : mode;
}

function checkNamespaceModes(given: HostConfig): void {
  const check = (what: string, mode: string | undefined, known: readonly string[]): void => {
    if (mode === undefined || known.includes(mode) || /^container:.+/.test(mode)) return;
    throw new EngineError("invalidArgument", `invalid ${what} mode: ${mode}`);
  };
  check("IPC", given.IpcMode, ["", "none", "private", "shareable", "host"]);
  check("PID", given.PidMode, ["", "host"]);
  for (const [what, mode] of [
    ["UTS", given.UTSMode],
    ["cgroup namespace", given.CgroupnsMode],
    ["user namespace", given.UsernsMode],
  ] as const) {
    if (mode !== undefined && !["", "host", ...(what.startsWith("cgroup") ? ["private"] : [])].includes(mode)) {
      throw new EngineError("invalidArgument", `invalid ${what} mode: ${mode}`);
    }
  }
}

function restartPolicy(given: HostConfig): RestartPolicy {
  const policy = checkedRestartPolicy(given.RestartPolicy ?? {});
  if (given.AutoRemove === true && policy.Name !== "no") throw new EngineError("invalidArgument", "can't create 'AutoRemove' container with restart policy");
  return policy;
}

/** With both fields, or class invalidArgument. */
export function checkedRestartPolicy({ Name: name = "", MaximumRetryCount: count = 0 }: Partial<RestartPolicy>): RestartPolicy {
  const wrong = (reason: string): EngineError => new EngineError("invalidArgument", `invalid restart policy: ${reason}`);
  if (!["", "no", "always", "unless-stopped", "on-failure"].includes(name)) {
    throw wrong(`unknown policy '${name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`);
  }
  if (count !== 0 && name !== "on-failure") throw wrong(`maximum retry count can only be used with 'on-failure'${count < 0 ? " and cannot be negative" : ""}`);
  if (count < 0) throw wrong("maximum retry count cannot be negative");
  return { Name: name || "no", MaximumRetryCount: count };
}
