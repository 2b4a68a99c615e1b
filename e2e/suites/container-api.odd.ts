import { type ApiCase, type Step, clientsFault, created, host, mount, sleeper, start } from "./container-api.case.ts";

const shown = (make: object, ...fields: readonly string[]): ApiCase => ({
  name: `what is shown of ${JSON.stringify(make)}`,
  make: { ...sleeper, ...make },
  steps: [{ call: "GET /containers/{n}/json", show: fields }],
});
const started = (make: object): ApiCase => ({
  name: `start of ${JSON.stringify(make)}`,
  make: { ...sleeper, ...make },
  steps: [start, { call: "GET /containers/{n}/json", show: ["State.Status"] }] satisfies readonly Step[],
});
const connected = (EndpointsConfig: object, more: object = {}): object => ({ ...more, NetworkingConfig: { EndpointsConfig } });
const asked = (call: string, body?: object): ApiCase => ({
  name: `${call} ${JSON.stringify(body ?? null)}`,
  steps: [{ call, ...(body === undefined ? {} : { body }) }],
});
const leave: Step = { call: "POST /networks/host/disconnect", body: { Container: "{n}" } };
const failsAtStart = clientsFault("dockerd takes it, and fails at start");

/** What nobody asks for, and somebody will. */
export const oddities: readonly ApiCase[] = [
  shown(
    { StopSignal: "", Shell: [], Healthcheck: { Test: [] }, OnBuild: ["RUN x"] },
    "Config.StopSignal",
    "Config.Shell",
    "Config.Healthcheck",
    "Config.OnBuild",
  ),
  shown({ HostConfig: { ConsoleSize: [1], KernelMemoryTCP: 5 } }, "HostConfig.ConsoleSize", "HostConfig.KernelMemoryTCP"),
  shown({ HostConfig: { ConsoleSize: [1, 2, 3] } }, "HostConfig.ConsoleSize"),
  shown({ HostConfig: { Devices: [{ PathOnHost: "/dev/nope" }], DeviceRequests: [{ Count: -1 }] } }, "HostConfig.Devices", "HostConfig.DeviceRequests"),
  shown({ ExposedPorts: { "80-82/tcp": {}, "90/UDP": {} } }, "Config.ExposedPorts"),
  started({ ExposedPorts: { "80-82/tcp": {} } }),
  started({ HostConfig: { CgroupParent: "../x" } }),
  started({ HostConfig: { Devices: [{ PathOnHost: "" }] } }),
  started({ HostConfig: { Devices: [{}] } }),
  started(connected({ bridge: {}, host: {} })),
  started(connected({ bridge: {}, none: {} })),
  host({ ExtraHosts: ["a=1.2.3.4"] }),
  host({ ExtraHosts: ["a:[::1]"] }),
  host({ ExtraHosts: ["a:host-gateway", "b:1.2.3.4", "c:::1"] }),
  host({ Tmpfs: { "/": "" } }),
  host({ NetworkMode: "host", PortBindings: { "80/tcp": [{ HostPort: "18480" }] } }),
  host({ Ulimits: [{}] }, failsAtStart),
  created(connected({ bridge: { MacAddress: "02:42:ac:11:00:78" } }, { MacAddress: "02:42:ac:11:00:79" })),
  created(connected({ bridge: { IPAMConfig: { LinkLocalIPs: ["x"] } } })),
  created(connected({ bridge: { IPAMConfig: { IPv4Address: "172.17.0.99" }, Aliases: ["x"] } })),
  created(connected({ bridge: null })),
  created(connected({ host: null }, { NetworkDisabled: true })),
  created(connected({ default: null })),
  host({ RestartPolicy: {} }),
  mount({ Type: "volume", Target: "/x", ReadOnly: true }),
  asked("POST /containers/missing-one/kill?signal=nonsense"),
  asked("POST /containers/missing-one/update", { RestartPolicy: { Name: "nonsense" } }),
  asked("POST /containers/missing-one/update", { Memory: 1024 }),
  { name: "a new name with a space, after a slash", make: sleeper, steps: [{ call: "POST /containers/{n}/rename?name=/x%20y" }] },
  { name: "leaving a network it is not in", make: sleeper, steps: [leave, start, leave] },
  host({ RestartPolicy: { MaximumRetryCount: -3 } }),
  host({ VolumesFrom: ["missing:/x:bad"] }),
  host({ Tmpfs: { x: "wrong" } }),
  host({ CpuCount: 1e20 }),
  mount({ Type: "wrong" }),
  mount({ Type: "wrong", BindOptions: {} }),
  created(connected({ bridge: null }, { NetworkDisabled: true })),
  created(connected({ none: null }, { HostConfig: { NetworkMode: "none" } })),
  created(connected({ missing: { MacAddress: "zz" }, other: null })),
  created(connected({ missing: { IPAMConfig: { IPv4Address: "1.1" }, Aliases: ["x"] } })),
  created(connected({ missing: { IPAMConfig: { IPv4Address: "10.1.1.1" }, Aliases: ["x"] } })),
  created(connected({ bridge: { IPAMConfig: { IPv4Address: "172.31.255.9" } } })),
  mount({ Target: "/x" }),
  mount(
    { Type: "bind", Source: "/tmp", Target: "/x", ReadOnly: true, BindOptions: { ReadOnlyForceRecursive: true, ReadOnlyNonRecursive: true } },
    failsAtStart,
  ),
];
