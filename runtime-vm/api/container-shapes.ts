import { type Shape, bool, int, int64, list, map, string, struct, uint, uint16, uint64, words } from "./decode.ts";

/** Shapes of the bodies that containers are made, changed and entered with. Struct names are those of dockerd's errors. */
const healthConfig = struct(".HealthConfig", {
  Test: list(string),
  Interval: int64,
  Timeout: int64,
  StartPeriod: int64,
  StartInterval: int64,
  Retries: int,
});

const emptyStruct = struct(".struct {}", {});

const containerConfig: Readonly<Record<string, Shape>> = {
  Hostname: string,
  Domainname: string,
  User: string,
  AttachStdin: bool,
  AttachStdout: bool,
  AttachStderr: bool,
  ExposedPorts: map(emptyStruct),
  Tty: bool,
  OpenStdin: bool,
  StdinOnce: bool,
  Env: list(string),
  Cmd: words,
  Healthcheck: healthConfig,
  ArgsEscaped: bool,
  Image: string,
  Volumes: map(emptyStruct),
  WorkingDir: string,
  Entrypoint: words,
  NetworkDisabled: bool,
  MacAddress: string,
  Labels: map(string),
  StopSignal: string,
  StopTimeout: int,
  Shell: words,
};

const endpointSettings = struct("network.EndpointSettings", {
  IPAMConfig: struct("network.EndpointIPAMConfig", { IPv4Address: string, IPv6Address: string, LinkLocalIPs: list(string) }),
  Links: list(string),
  Aliases: list(string),
  MacAddress: string,
  DriverOpts: map(string),
  GwPriority: int,
  NetworkID: string,
  EndpointID: string,
  Gateway: string,
  IPAddress: string,
  IPPrefixLen: int,
  IPv6Gateway: string,
  GlobalIPv6Address: string,
  GlobalIPv6PrefixLen: int,
  DNSNames: list(string),
});

const throttle = list(struct(".ThrottleDevice", { Path: string, Rate: uint64 }));
const portMap = map(list(struct("nat.PortBinding", { HostIp: string, HostPort: string })));
export const restartPolicyShape = struct(".RestartPolicy", { Name: string, MaximumRetryCount: int });

const resources: Readonly<Record<string, Shape>> = {
  CpuShares: int64,
  Memory: int64,
  NanoCpus: int64,
  CgroupParent: string,
  BlkioWeight: uint16,
  BlkioWeightDevice: list(struct(".WeightDevice", { Path: string, Weight: uint16 })),
  BlkioDeviceReadBps: throttle,
  BlkioDeviceWriteBps: throttle,
  BlkioDeviceReadIOps: throttle,
  BlkioDeviceWriteIOps: throttle,
  CpuPeriod: int64,
  CpuQuota: int64,
  CpuCount: int64,
  CpuPercent: int64,
  IOMaximumIOps: int64,
  IOMaximumBandwidth: int64,
  CpuRealtimePeriod: int64,
  CpuRealtimeRuntime: int64,
  CpusetCpus: string,
  CpusetMems: string,
  Devices: list(struct(".DeviceMapping", { PathOnHost: string, PathInContainer: string, CgroupPermissions: string })),
  DeviceCgroupRules: list(string),
  DeviceRequests: list(
    struct(".DeviceRequest", { Driver: string, Count: int, DeviceIDs: list(string), Capabilities: list(list(string)), Options: map(string) }),
  ),
  KernelMemoryTCP: int64,
  MemoryReservation: int64,
  MemorySwap: int64,
  MemorySwappiness: int64,
  OomKillDisable: bool,
  PidsLimit: int64,
  Ulimits: list(struct("units.Ulimit", { Name: string, Soft: int64, Hard: int64 })),
};

const mount = struct("mount.Mount", {
  Type: string,
  Source: string,
  Target: string,
  ReadOnly: bool,
  Consistency: string,
  BindOptions: struct("mount.BindOptions", {
    Propagation: string,
    NonRecursive: bool,
    CreateMountpoint: bool,
    ReadOnlyNonRecursive: bool,
    ReadOnlyForceRecursive: bool,
  }),
  VolumeOptions: struct("mount.VolumeOptions", {
    NoCopy: bool,
    Labels: map(string),
    Subpath: string,
    DriverConfig: struct("mount.Driver", { Name: string, Options: map(string) }),
  }),
  TmpfsOptions: struct("mount.TmpfsOptions", { SizeBytes: int64, Mode: int, Options: list(list(string)) }),
  ImageOptions: struct("mount.ImageOptions", { Subpath: string }),
});

const hostConfig = struct(".HostConfig", {
  ...resources,
  Binds: list(string),
  ContainerIDFile: string,
  LogConfig: struct(".LogConfig", { Type: string, Config: map(string) }),
  NetworkMode: string,
  PortBindings: portMap,
  RestartPolicy: restartPolicyShape,
  AutoRemove: bool,
  VolumeDriver: string,
  VolumesFrom: list(string),
  ConsoleSize: list(uint),
  Annotations: map(string),
  CapAdd: words,
  CapDrop: words,
  CgroupnsMode: string,
  Dns: list(string),
  DnsOptions: list(string),
  DnsSearch: list(string),
  ExtraHosts: list(string),
  GroupAdd: list(string),
  IpcMode: string,
  Cgroup: string,
  Links: list(string),
  OomScoreAdj: int,
  PidMode: string,
  Privileged: bool,
  PublishAllPorts: bool,
  ReadonlyRootfs: bool,
  SecurityOpt: list(string),
  StorageOpt: map(string),
  Tmpfs: map(string),
  UTSMode: string,
  UsernsMode: string,
  ShmSize: int64,
  Sysctls: map(string),
  Runtime: string,
  Isolation: string,
  Mounts: list(mount),
  MaskedPaths: list(string),
  ReadonlyPaths: list(string),
  Init: bool,
});

/** The run configuration of the image that `POST /commit` makes. */
export const commitConfigShape = struct("", { ...containerConfig, OnBuild: list(string) });

export const createContainerShape = struct(
  "container.CreateRequest",
  {
    ...containerConfig,
    OnBuild: list(string),
    HostConfig: hostConfig,
    NetworkingConfig: struct("network.NetworkingConfig", { EndpointsConfig: map(endpointSettings, { pointers: true }) }),
  },
  { embedded: true },
);

export const updateContainerShape = struct("container.UpdateConfig", { ...resources, RestartPolicy: restartPolicyShape });

export const createExecShape = struct("container.ExecOptions", {
  User: string,
  Privileged: bool,
  Tty: bool,
  ConsoleSize: list(uint),
  AttachStdin: bool,
  AttachStderr: bool,
  AttachStdout: bool,
  DetachKeys: string,
  Env: list(string),
  WorkingDir: string,
  Cmd: words,
});

export const startExecShape = struct("container.ExecStartOptions", { Detach: bool, Tty: bool, ConsoleSize: list(uint) });

export const connectNetworkShape = struct("network.ConnectOptions", { Container: string, EndpointConfig: endpointSettings });

export const disconnectNetworkShape = struct("network.DisconnectOptions", { Container: string, Force: bool });

/** `POST /auth`. */
export const authShape = struct("registry.AuthConfig", {
  username: string,
  password: string,
  auth: string,
  email: string,
  serveraddress: string,
  identitytoken: string,
  registrytoken: string,
});
