import { type ApiCase, created, host } from "./container-api.case.ts";

/** Fields of the wrong type. */
export const wrongTypes: readonly ApiCase[] = [
  ...["Hostname", "Domainname", "User", "Image", "WorkingDir", "StopSignal"].map((field) => created({ [field]: 5 })),
  ...["AttachStdin", "Tty", "OpenStdin", "NetworkDisabled"].map((field) => created({ [field]: "yes" })),
  ...["Env", "Cmd", "Entrypoint", "Shell"].map((field) => created({ [field]: 5 })),
  ...["ExposedPorts", "Volumes", "Labels"].map((field) => created({ [field]: [] })),
  created({ StopTimeout: "5" }),
  created({ StopTimeout: 1.5 }),
  created({ Env: [1] }),
  created({ Labels: { a: 1 } }),
  created({ Healthcheck: { Test: "x" } }),
  created({ Healthcheck: { Interval: "5s" } }),
  created({ HostConfig: [] }),
  created({ NetworkingConfig: { EndpointsConfig: [] } }),
  ...["Memory", "CpuShares", "NanoCpus", "ShmSize", "PidsLimit", "BlkioWeight", "OomScoreAdj", "MemorySwappiness"].map((field) => host({ [field]: "5" })),
  ...["Binds", "CapAdd", "Dns", "ExtraHosts", "GroupAdd", "SecurityOpt", "Links", "VolumesFrom", "Devices", "Mounts", "Ulimits"].map((field) =>
    host({ [field]: "x y" }),
  ),
  ...["PortBindings", "Tmpfs", "Sysctls", "StorageOpt", "Annotations", "LogConfig", "RestartPolicy"].map((field) => host({ [field]: "x" })),
  ...["Privileged", "AutoRemove", "ReadonlyRootfs", "PublishAllPorts", "Init", "OomKillDisable"].map((field) => host({ [field]: 1 })),
  ...["NetworkMode", "IpcMode", "PidMode", "UTSMode", "UsernsMode", "CgroupnsMode", "Runtime", "Isolation", "CgroupParent"].map((field) =>
    host({ [field]: true }),
  ),
  host({ ConsoleSize: ["a", "b"] }),
  host({ Mounts: [{ Type: 5 }] }),
  host({ Mounts: [{ Type: "tmpfs", Target: "/t", TmpfsOptions: { SizeBytes: "1m" } }] }),
  host({ PortBindings: { "80/tcp": "x" } }),
  host({ BlkioWeight: -1 }),
  host({ BlkioWeight: 70000 }),
  host({ RestartPolicy: { Name: 5 } }),
];
