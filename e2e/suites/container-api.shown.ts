import { type ApiCase, sleeper, start, stop } from "./container-api.case.ts";

const shown = (...fields: readonly string[]): { call: string; show: readonly string[] } => ({ call: "GET /containers/{n}/json", show: fields });
const all = (one: string, fields: string): readonly string[] => fields.split(" ").map((field) => `${one}.${field}`);

const config = all(
  "Config",
  "Hostname Domainname User AttachStdin AttachStdout AttachStderr ExposedPorts Tty OpenStdin StdinOnce Env Cmd Image Volumes WorkingDir Entrypoint OnBuild Labels StopSignal StopTimeout Shell Healthcheck",
);
const host = all(
  "HostConfig",
  "Binds ContainerIDFile LogConfig NetworkMode PortBindings RestartPolicy AutoRemove VolumeDriver VolumesFrom ConsoleSize Annotations CapAdd CapDrop CgroupnsMode Dns DnsOptions DnsSearch ExtraHosts GroupAdd IpcMode Cgroup Links OomScoreAdj PidMode Privileged PublishAllPorts ReadonlyRootfs SecurityOpt StorageOpt Tmpfs UTSMode UsernsMode ShmSize Sysctls Mounts MaskedPaths ReadonlyPaths Init Ulimits PidsLimit Devices",
);
const network = all(
  "NetworkSettings",
  "Bridge Ports HairpinMode LinkLocalIPv6Address LinkLocalIPv6PrefixLen SecondaryIPAddresses SecondaryIPv6Addresses IPPrefixLen GlobalIPv6Address GlobalIPv6PrefixLen IPv6Gateway",
);
const rest = ["Name", "Path", "Args", "Driver", "Platform", "MountLabel", "ProcessLabel", "RestartCount", "ExecIDs", "GraphDriver", "SizeRw", "Mounts.length"];
const fields = [...config.filter((name) => name !== "Config.Hostname"), ...host, ...network, ...rest];

const rich = {
  ...sleeper,
  ...{ Tty: true, OpenStdin: true, Domainname: "d", User: "1:1", Env: ["A=b"], Labels: { a: "b" }, ExposedPorts: { "80/tcp": {} }, Volumes: { "/v": {} } },
  ...{ StopSignal: "HUP", StopTimeout: 3, Healthcheck: { Test: ["CMD", "true"], Interval: 3_600_000_000_000 }, WorkingDir: "/w", Shell: ["/bin/sh"] },
  HostConfig: {
    ...{
      Binds: ["/tmp:/t:ro"],
      Tmpfs: { "/tt": "size=1m" },
      CapAdd: ["NET_ADMIN"],
      Dns: ["1.1.1.1"],
      ExtraHosts: ["a:1.2.3.4"],
      Init: true,
      ShmSize: 1_048_576,
    },
    ...{
      RestartPolicy: { Name: "on-failure", MaximumRetryCount: 2 },
      ReadonlyRootfs: true,
      SecurityOpt: ["no-new-privileges"],
      GroupAdd: ["5"],
      OomScoreAdj: 5,
    },
    ...{ Sysctls: { "net.core.somaxconn": "99" }, LogConfig: { Type: "local" }, Annotations: { "x.y": "z" }, ConsoleSize: [10, 20] },
    Mounts: [
      { Type: "tmpfs", Target: "/m", TmpfsOptions: { SizeBytes: 1_048_576 } },
      { Type: "volume", Source: "shown", Target: "/nv", ReadOnly: true },
    ],
    Ulimits: [{ Name: "nofile", Soft: 1000, Hard: 2000 }],
    PortBindings: { "80/tcp": [{ HostPort: "18491" }] },
    Devices: [{ PathOnHost: "/dev/null", PathInContainer: "/dev/x", CgroupPermissions: "r" }],
  },
};

/** Everything that inspect shows, of one made with nothing and of one made with much: created, running and ended. */
export const everythingShown: readonly ApiCase[] = [
  { name: "all of one made with nothing", make: sleeper, steps: [shown(...fields), start, shown(...fields), stop, shown(...fields)] },
  { name: "all of one made with much", make: rich, steps: [shown(...fields), start, shown(...fields), stop, shown(...fields)] },
  ...["none", "host"].map(
    (mode): ApiCase => ({
      name: `all of one with network ${mode}`,
      make: { ...sleeper, HostConfig: { NetworkMode: mode } },
      steps: [start, shown(...network, ...host)],
    }),
  ),
  {
    name: "all of one that shares the machine's namespaces",
    make: { ...sleeper, HostConfig: { Privileged: true, PidMode: "host", IpcMode: "host", CgroupnsMode: "host", UTSMode: "host" } },
    steps: [start, shown(...host)],
  },
  {
    name: "health of one that did not start",
    make: { Cmd: ["no-such-command"], Healthcheck: { Test: ["CMD", "true"] } },
    steps: [start, shown("State.Health", "State.Status", "Config.Healthcheck")],
  },
];
