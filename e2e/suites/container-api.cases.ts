/** One request; what its answer says is compared with what dockerd 28.5 was recorded to say. */
export interface Step {
  /** `POST /containers/{n}/start`: a path of API 1.51, `{n}` the case's own container. */
  readonly call: string;
  readonly body?: unknown;
  /** Sent as it is. */
  readonly raw?: string;
  /** Fields of a successful answer to be compared; without any, only its status is. */
  readonly show?: readonly string[];
  /** Ask again until the first of `show` is this. */
  readonly until?: unknown;
}

export interface ApiCase {
  readonly name: string;
  /** Creates `{n}` first, of busybox, from this. */
  readonly make?: Readonly<Record<string, unknown>>;
  readonly steps: readonly Step[];
  /** Refused for its type: the words are Go's own, but they name this field. */
  readonly field?: string;
  /** Other statuses, one a step, are right for us where dockerd is wrong. */
  readonly ours?: { readonly reason: string; readonly statuses: readonly number[] };
}

const sleeper = { Cmd: ["sleep", "600"] };
const sh = (script: string): { Cmd: readonly string[] } => ({ Cmd: ["sh", "-c", script] });
const start: Step = { call: "POST /containers/{n}/start" };
/** A shell that has come to its loop has set its traps. */
const looping: Step = { call: "GET /containers/{n}/top", show: ["Processes.length"], until: 2 };
const stop: Step = { call: "POST /containers/{n}/stop?t=0" };
const state = (...fields: readonly string[]): Step => ({ call: "GET /containers/{n}/json", show: fields.map((field) => `State.${field}`) });
const created = (body: unknown, ours?: ApiCase["ours"]): ApiCase => ({
  name: `create ${JSON.stringify(body)}`,
  steps: [{ call: "POST /containers/create?name={n}", body: { Image: "busybox", Cmd: ["true"], ...(body as object) }, show: ["Warnings"] }],
  ...(ours === undefined ? {} : { ours }),
});
const host = (HostConfig: unknown, ours?: ApiCase["ours"]): ApiCase => created({ HostConfig }, ours);
const clientsFault = (reason: string): ApiCase["ours"] => ({ reason, statuses: [400] });
const mount = (spec: unknown, ours?: ApiCase["ours"]): ApiCase => host({ Mounts: [spec] }, ours);

/** Fields of the wrong type. */
const wrongTypes: readonly ApiCase[] = [
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

/** Values of the right type that no container can have, and pairs that cannot be. */
const wrongValues: readonly ApiCase[] = [
  created({ Env: ["=x"] }),
  created({ Env: [""] }),
  created({ WorkingDir: "relative" }),
  created({ StopSignal: "NOTHING" }),
  created({ StopSignal: "99" }, clientsFault("dockerd takes it, and fails at start")),
  created({ Healthcheck: { Test: ["WHAT"] } }, clientsFault("dockerd takes it, and fails at start")),
  created({ Healthcheck: { Test: ["CMD"], Interval: 5 } }),
  created({ Healthcheck: { Test: ["CMD", "true"], Timeout: 5 } }),
  created({ Healthcheck: { Test: ["CMD", "true"], StartPeriod: 5 } }),
  created({ Healthcheck: { Test: ["CMD", "true"], StartInterval: 5 } }),
  created({ Healthcheck: { Test: ["CMD", "true"], Retries: -1 } }),
  created({ ExposedPorts: { nonsense: {} } }, clientsFault("dockerd takes keys that are no ports")),
  created({ Volumes: { "/": {} } }, clientsFault("dockerd takes it, and fails at start")),
  created({ Volumes: { "": {} } }, clientsFault("dockerd takes it, and fails at start")),
  created({ Cmd: [] }),
  created({ Image: "" }),
  created({ Image: "no-such-image" }),
  created({ Image: "Bad Reference" }),
  created({ MacAddress: "zz" }),
  host({ AutoRemove: true, RestartPolicy: { Name: "always" } }),
  host({ RestartPolicy: { Name: "nonsense" } }),
  host({ RestartPolicy: { Name: "always", MaximumRetryCount: 3 } }),
  host({ RestartPolicy: { Name: "on-failure", MaximumRetryCount: -3 } }),
  host({ ShmSize: -1 }),
  host({ OomScoreAdj: 1001 }),
  host({ CapAdd: ["NOTHING"] }),
  host({ CapDrop: ["NOTHING"] }),
  host({ Ulimits: [{ Name: "nothing", Soft: 1, Hard: 1 }] }, clientsFault("dockerd takes it, and fails at start")),
  host({ Ulimits: [{ Name: "nofile", Soft: 2, Hard: 1 }] }, clientsFault("dockerd takes it, and fails at start")),
  host({ Annotations: { "": "x" } }),
  host({ ExtraHosts: ["nonsense"] }),
  host({ ExtraHosts: ["a:1.2.3.400"] }),
  host({ Dns: ["nonsense"] }, clientsFault("dockerd takes it, and fails at start")),
  host({ IpcMode: "nonsense" }),
  host({ PidMode: "nonsense" }),
  host({ UTSMode: "nonsense" }),
  host({ UsernsMode: "nonsense" }, clientsFault("dockerd takes it, and fails at start")),
  host({ CgroupnsMode: "nonsense" }),
  host({ IpcMode: "container:" }, clientsFault("dockerd takes it, and fails at start")),
  host({ PidMode: "container:" }),
  host({ NetworkMode: "container:" }),
  host({ Runtime: "nothing" }),
  host({ Isolation: "nothing" }),
  host({ LogConfig: { Type: "nothing" } }),
  host({ LogConfig: { Type: "json-file", Config: { nonsense: "1" } } }),
  host({ Binds: ["a:b:c:d"] }, clientsFault("dockerd calls it an error of its own (500)")),
  host({ Binds: ["/a:relative"] }, clientsFault("dockerd calls it an error of its own (500)")),
  host({ Binds: ["/a:/b:nonsense"] }, clientsFault("dockerd calls it an error of its own (500)")),
  host({ Binds: ["/a:/"] }, clientsFault("dockerd calls it an error of its own (500)")),
  host({ Binds: [""] }, clientsFault("dockerd calls it an error of its own (500)")),
  host({ Binds: ["/tmp:/x", "/tmp:/x"] }),
  host({ Binds: ["-bad:/x"] }),
  host({ VolumesFrom: ["nobody"] }),
  host({ VolumesFrom: ["nobody:nonsense"] }),
  host({ VolumesFrom: [""] }),
  host({ Tmpfs: { relative: "" } }),
  host({ Tmpfs: { "/t": "nonsense" } }, clientsFault("dockerd takes options that no tmpfs has, and fails at start")),
  host({ Links: ["nobody:x"] }),
  host({ Links: ["a:b:c"] }, clientsFault("dockerd calls it an error of its own (500)")),
  host({ NetworkMode: "host", Links: ["a:b"] }),
  host({ DeviceCgroupRules: ["nonsense"] }, clientsFault("dockerd takes it, and fails at start")),
  host({ Devices: [{ PathOnHost: "/dev/null", PathInContainer: "/dev/x", CgroupPermissions: "q" }] }, clientsFault("dockerd takes letters that are none")),
  host({ SecurityOpt: ["nonsense"] }, clientsFault("dockerd says so at start only, or calls it an error of its own (500)")),
  host({ SecurityOpt: ["seccomp={"] }, clientsFault("dockerd says so at start only, or calls it an error of its own (500)")),
  host({ PortBindings: { nonsense: [] } }),
  host({ PortBindings: { "80/nonsense": [] } }),
  host({ PortBindings: { "80/tcp": [{ HostPort: "nonsense" }] } }),
  host({ PortBindings: { "80/tcp": [{ HostPort: "99999" }] } }),
  host({ PortBindings: { "80/tcp": [{ HostIp: "no address" }] } }, clientsFault("dockerd takes a HostIp that is no address")),
  host({ PortBindings: { "99999/tcp": [] } }),
  host({ CpusetCpus: "0", NanoCpus: -1 }),
  host({ NanoCpus: 5, CpuPeriod: 5000 }),
  host({ NanoCpus: 5, CpuQuota: 5000 }),
  host({ Memory: 5 }),
  host({ Memory: -5 }),
  host({ MemorySwap: 5 }),
  host({ MemorySwappiness: 101 }),
  host({ IOMaximumIOps: 5 }),
  host({ IOMaximumBandwidth: 5 }),
  host({ CpuPercent: 5 }),
  host({ CpuRealtimePeriod: 5 }),
  mount({ Type: "bind", Target: "/x" }),
  mount({ Type: "bind", Source: "relative", Target: "/x" }),
  mount({ Type: "bind", Source: "/tmp" }),
  mount({ Type: "bind", Source: "/tmp", Target: "relative" }),
  mount({ Type: "bind", Source: "/no/such/path", Target: "/x" }),
  mount({ Type: "bind", Source: "/tmp", Target: "/x", BindOptions: { Propagation: "nonsense" } }),
  mount({ Type: "bind", Source: "/tmp", Target: "/x", VolumeOptions: {} }),
  mount({ Type: "bind", Source: "/tmp", Target: "/x", TmpfsOptions: {} }),
  mount({ Type: "bind", Source: "/tmp", Target: "/x", ImageOptions: {} }),
  mount({ Type: "bind", Source: "/tmp", Target: "/" }),
  mount({ Type: "bind", Source: "/tmp", Target: "/x", BindOptions: { ReadOnlyForceRecursive: true } }),
  mount({ Type: "bind", Source: "/tmp", Target: "/x", ReadOnly: true, BindOptions: { ReadOnlyForceRecursive: true } }),
  mount({ Type: "bind", Source: "/tmp", Target: "/x", BindOptions: { ReadOnlyNonRecursive: true } }),
  mount({ Type: "volume", Source: "-bad", Target: "/x" }),
  mount({ Type: "volume", Target: "/x", VolumeOptions: { Subpath: "a" } }),
  mount({ Type: "volume", Source: "v", Target: "/x", VolumeOptions: { Subpath: "../a" } }),
  mount({ Type: "volume", Source: "v", Target: "/x", VolumeOptions: { Subpath: "/a" } }),
  mount({ Type: "volume", Source: "v", Target: "/x", BindOptions: {} }),
  mount({ Type: "volume", Source: "v", Target: "/x", VolumeOptions: { DriverConfig: { Name: "nothing" } } }),
  mount({ Type: "tmpfs", Source: "x", Target: "/x" }),
  mount({ Type: "tmpfs", Target: "/x", TmpfsOptions: { SizeBytes: -1 } }, clientsFault("dockerd takes it, and fails at start")),
  mount({ Type: "tmpfs", Target: "/x", TmpfsOptions: { Options: [["nonsense"]] } }),
  mount({ Type: "tmpfs", Target: "/x", TmpfsOptions: { Options: [["exec", "x"]] } }),
  mount({ Type: "tmpfs", Target: "/x", TmpfsOptions: { Options: [["uid", "5"], ["noexec"]] } }),
  mount({ Type: "image", Target: "/x" }),
  mount({ Type: "image", Source: "no-such", Target: "/x" }),
  mount({ Type: "image", Source: "busybox", Target: "/x", ImageOptions: { Subpath: "../x" } }),
  mount({ Type: "npipe", Source: "x", Target: "/x" }),
  mount({ Type: "cluster", Source: "x", Target: "/x" }),
  mount({ Type: "", Target: "/x" }),
  mount({ Type: "nonsense", Target: "/x" }),
  host({
    Mounts: [
      { Type: "tmpfs", Target: "/x" },
      { Type: "tmpfs", Target: "/x" },
    ],
  }),
  { name: "a name that is none", steps: [{ call: "POST /containers/create?name=-x", body: { Image: "busybox" } }] },
  { name: "a platform that is none", steps: [{ call: "POST /containers/create?name={n}&platform=a/b/c/d", body: { Image: "busybox" } }] },
  { name: "a platform the image is not for", steps: [{ call: "POST /containers/create?name={n}&platform=linux/s390x", body: { Image: "busybox:latest" } }] },
  { name: "no body", steps: [{ call: "POST /containers/create?name={n}" }] },
  {
    name: "a body that is null",
    steps: [{ call: "POST /containers/create?name={n}", raw: "null" }],
    ours: { reason: "nothing is what null says", statuses: [400] },
  },
  { name: "a body that is no JSON", steps: [{ call: "POST /containers/create?name={n}", raw: "{" }] },
  { name: "two bodies", steps: [{ call: "POST /containers/create?name={n}", raw: '{"Image":"busybox"}{}' }] },
];

/** Ours refuse with reason what dockerd takes, or what it words by the program it asks. */
const refusedByUs: Readonly<Record<string, string>> = {
  "POST /containers/{n}/resize?h=70000&w=1": "no terminal has so many lines",
  "GET /containers/{n}/top?ps_args=nonsense": "the words are those of the ps(1) that dockerd runs",
  "GET /containers/{n}/logs?stdout=1&since=x": "dockerd names no parameter",
};

function ofRunning(call: string): ApiCase {
  const reason = refusedByUs[call];
  const one = { name: `${call} of a running one`, make: sleeper, steps: [start, { call }, state("Status")] };
  return reason === undefined ? one : { ...one, ours: { reason, statuses: [204, 400, 200] } };
}

const queries: readonly ApiCase[] = [
  ...[
    "POST /containers/{n}/stop?t=x",
    "POST /containers/{n}/stop?signal=NOTHING",
    "POST /containers/{n}/restart?t=x",
    "POST /containers/{n}/restart?signal=NOTHING",
    "POST /containers/{n}/kill?signal=NOTHING",
    "POST /containers/{n}/kill?signal=0",
    "POST /containers/{n}/kill?signal=99",
    "POST /containers/{n}/wait?condition=nonsense",
    "POST /containers/{n}/resize",
    "POST /containers/{n}/resize?h=1&w=x",
    "POST /containers/{n}/resize?h=70000&w=1",
    "POST /containers/{n}/rename",
    "POST /containers/{n}/rename?name=-x",
    "POST /containers/{n}/rename?name={n}",
    "GET /containers/{n}/top?ps_args=nonsense",
    "GET /containers/{n}/logs",
    "GET /containers/{n}/logs?stdout=1&tail=x",
    "GET /containers/{n}/logs?stdout=1&since=x",
    "DELETE /containers/{n}",
    "DELETE /containers/{n}?link=1",
    "POST /containers/{n}/pause?x=1",
    "POST /containers/{n}/start",
  ].map(ofRunning),
  ...["stop", "restart?t=0", "kill", "pause", "unpause", "resize?h=1&w=1", "rename?name=x", "update", "exec", "wait", "attach"].map(
    (path): ApiCase => ({
      name: `POST ${path} of nobody`,
      steps: [{ call: `POST /containers/nobody-here/${path}`, body: { Cmd: ["true"] } }],
    }),
  ),
  ...["stop", "kill", "pause", "unpause", "resize?h=1&w=1", "exec"].map(
    (path): ApiCase => ({
      name: `POST ${path} of a created one`,
      make: sleeper,
      steps: [{ call: `POST /containers/{n}/${path}`, body: { Cmd: ["true"] } }, state("Status", "ExitCode")],
    }),
  ),
  ...["top", "stats?stream=0&one-shot=1", "logs?stdout=1"].map(
    (path): ApiCase => ({ name: `GET ${path} of a created one`, make: sleeper, steps: [{ call: `GET /containers/{n}/${path}` }] }),
  ),
  ...[
    '{"nonsense":["x"]}',
    '{"status":["nonsense"]}',
    '{"health":["nonsense"]}',
    '{"exited":["x"]}',
    '{"is-task":["x"]}',
    '{"before":["nobody"]}',
    '{"since":["nobody"]}',
    '{"publish":["x"]}',
    '{"expose":["99999"]}',
    '{"isolation":["hyperv"]}',
    '{"ancestor":["nobody"]}',
    '{"network":["nobody"]}',
    '{"volume":["nobody"]}',
    "nonsense",
    '["x"]',
  ].map((filters): ApiCase => ({ name: `list with ${filters}`, steps: [{ call: `GET /containers/json?filters=${encodeURIComponent(filters)}` }] })),
  ...["limit=x", "limit=-1", "all=nonsense"].map((query): ApiCase => ({ name: `list with ${query}`, steps: [{ call: `GET /containers/json?${query}` }] })),
  ...['{"nonsense":["x"]}', '{"until":["x"]}', '{"until":["1h","2h"]}', '{"label":["none=such"]}', '{"until":["100000h"]}'].map(
    (filters): ApiCase => ({
      name: `prune with ${filters}`,
      steps: [{ call: `POST /containers/prune?filters=${encodeURIComponent(filters)}`, show: ["ContainersDeleted", "SpaceReclaimed"] }],
    }),
  ),
  ...[
    { RestartPolicy: { Name: "nonsense" } },
    { RestartPolicy: { Name: "always", MaximumRetryCount: 1 } },
    { RestartPolicy: { Name: "on-failure", MaximumRetryCount: 2 } },
    { Memory: 5 },
    { Memory: "x" },
    { NanoCpus: -1 },
    { BlkioWeight: "x" },
    {},
  ].map(
    (body): ApiCase => ({
      name: `update ${JSON.stringify(body)}`,
      make: sleeper,
      steps: [
        start,
        { call: "POST /containers/{n}/update", body, show: ["Warnings"] },
        { call: "GET /containers/{n}/json", show: ["HostConfig.RestartPolicy"] },
      ],
    }),
  ),
  {
    name: "update to fewer shares than none",
    make: sleeper,
    steps: [start, { call: "POST /containers/{n}/update", body: { CpuShares: -1 } }],
    ours: { reason: "dockerd lets the kernel refuse it", statuses: [204, 400] },
  },
  {
    name: "update a policy of one that removes itself",
    make: { ...sleeper, HostConfig: { AutoRemove: true } },
    steps: [{ call: "POST /containers/{n}/update", body: { RestartPolicy: { Name: "always" } } }],
  },
  ...[{}, { Cmd: [] }, { Cmd: ["true"], DetachKeys: "nonsense-x" }, { Cmd: 5 }, { Cmd: ["true"], Env: "x" }].map(
    (body): ApiCase => ({
      name: `exec ${JSON.stringify(body)}`,
      make: sleeper,
      steps: [start, { call: "POST /containers/{n}/exec", body }],
    }),
  ),
];

const lives: readonly ApiCase[] = [
  {
    name: "created, running, paused, exited",
    make: { Cmd: ["sh", "-c", "trap 'exit 3' TERM; while :; do sleep 0.1; done"] },
    steps: [
      state("Status", "Running", "Paused", "Restarting", "OOMKilled", "Dead", "Pid", "ExitCode", "Error", "StartedAt", "FinishedAt"),
      start,
      looping,
      state("Status", "Running", "Paused", "ExitCode", "FinishedAt"),
      { call: "POST /containers/{n}/pause" },
      state("Status", "Running", "Paused"),
      { call: "POST /containers/{n}/pause" },
      { call: "POST /containers/{n}/start" },
      { call: "POST /containers/{n}/exec", body: { Cmd: ["true"] } },
      { call: "GET /containers/json?filters=%7B%22status%22%3A%5B%22paused%22%5D%7D", show: ["0.State"] },
      { call: "POST /containers/{n}/unpause" },
      { call: "POST /containers/{n}/unpause" },
      { call: "POST /containers/{n}/stop" },
      state("Status", "Running", "Pid", "ExitCode", "OOMKilled", "Error"),
      { call: "POST /containers/{n}/stop" },
    ],
  },
  {
    name: "a stop that is not obeyed ends in 137",
    make: sh("trap '' TERM; while :; do sleep 0.1; done"),
    steps: [start, { call: "POST /containers/{n}/stop?t=1" }, state("Status", "ExitCode", "OOMKilled")],
  },
  {
    name: "a stop signal of one's own",
    make: { ...sh("trap 'exit 9' USR2; while :; do sleep 0.1; done"), StopSignal: "USR2" },
    steps: [start, looping, { call: "POST /containers/{n}/stop" }, state("ExitCode")],
  },
  {
    name: "a stop by another signal",
    make: sh("trap 'exit 8' HUP; while :; do sleep 0.1; done"),
    steps: [start, looping, { call: "POST /containers/{n}/stop?signal=HUP" }, state("ExitCode")],
  },
  {
    name: "kill",
    make: sleeper,
    steps: [
      start,
      { call: "POST /containers/{n}/kill" },
      state("Status", "ExitCode", "OOMKilled"),
      { call: "POST /containers/{n}/wait", show: ["StatusCode"] },
    ],
  },
  {
    name: "a command that is not there",
    make: { Cmd: ["no-such-command"] },
    steps: [start, state("Status", "ExitCode", "Error", "StartedAt"), { call: "POST /containers/{n}/wait", show: ["StatusCode"] }],
  },
  { name: "a command that is no program", make: { Cmd: ["/etc"] }, steps: [start, state("Status", "ExitCode", "Error")] },
  { name: "every exit code", make: sh("exit 255"), steps: [start, { call: "POST /containers/{n}/wait", show: ["StatusCode"] }, state("Status", "ExitCode")] },
  {
    name: "wait for what has been",
    make: sh("exit 4"),
    steps: [
      start,
      { call: "POST /containers/{n}/wait?condition=not-running", show: ["StatusCode"] },
      { call: "POST /containers/{n}/wait", show: ["StatusCode"] },
    ],
  },
  { name: "wait for one that never ran", make: sleeper, steps: [{ call: "POST /containers/{n}/wait?condition=not-running", show: ["StatusCode"] }] },
  {
    name: "on-failure gives up after its count",
    make: { ...sh("exit 5"), HostConfig: { RestartPolicy: { Name: "on-failure", MaximumRetryCount: 2 } } },
    steps: [
      start,
      { call: "GET /containers/{n}/json", show: ["State.Status"], until: "exited" },
      { call: "GET /containers/{n}/json", show: ["RestartCount", "State.ExitCode", "State.Restarting"] },
    ],
  },
  {
    name: "on-failure leaves success alone",
    make: { Cmd: ["true"], HostConfig: { RestartPolicy: { Name: "on-failure" } } },
    steps: [start, { call: "POST /containers/{n}/wait", show: ["StatusCode"] }, { call: "GET /containers/{n}/json", show: ["RestartCount", "State.Status"] }],
  },
  {
    name: "always comes back until it is stopped by hand",
    make: { ...sh("exit 1"), HostConfig: { RestartPolicy: { Name: "always" } } },
    steps: [
      start,
      { call: "GET /containers/{n}/json", show: ["RestartCount"], until: 2 },
      { call: "GET /containers/{n}/json", show: ["State.Status"], until: "restarting" },
      state("Running", "Restarting"),
      stop,
      state("Status", "Running", "Restarting"),
    ],
  },
  {
    name: "unless-stopped obeys kill",
    make: { ...sleeper, HostConfig: { RestartPolicy: { Name: "unless-stopped" } } },
    steps: [
      start,
      { call: "POST /containers/{n}/kill" },
      { call: "POST /containers/{n}/wait", show: ["StatusCode"] },
      state("Status"),
      { call: "GET /containers/{n}/json", show: ["RestartCount"] },
    ],
  },
  {
    name: "healthy, and unhealthy once it ends",
    make: { ...sleeper, Healthcheck: { Test: ["CMD-SHELL", "echo fine"], Interval: 200_000_000 } },
    steps: [
      { call: "GET /containers/{n}/json", show: ["State.Health"] },
      start,
      { call: "GET /containers/{n}/json", show: ["State.Health.Status"], until: "healthy" },
      { call: "GET /containers/{n}/json", show: ["State.Health.FailingStreak", "State.Health.Log.0.ExitCode", "State.Health.Log.0.Output"] },
      { call: "GET /containers/{n}/json", show: ["State.Health.Log.length"], until: 5 },
      { call: "GET /containers/json?filters=%7B%22health%22%3A%5B%22healthy%22%5D%7D", show: ["0.State"] },
      stop,
      { call: "GET /containers/{n}/json", show: ["State.Health.Status", "State.Health.Log.length"] },
    ],
  },
  {
    name: "unhealthy after its retries",
    make: { ...sleeper, Healthcheck: { Test: ["CMD-SHELL", "echo bad; exit 3"], Interval: 100_000_000, Retries: 2 } },
    steps: [
      start,
      { call: "GET /containers/{n}/json", show: ["State.Health.Status"], until: "unhealthy" },
      { call: "GET /containers/{n}/json", show: ["State.Health.Log.0.ExitCode", "State.Health.Log.0.Output"] },
    ],
  },
  {
    name: "a check that takes too long",
    make: { ...sleeper, Healthcheck: { Test: ["CMD", "sleep", "60"], Interval: 100_000_000, Timeout: 200_000_000, Retries: 1 } },
    steps: [
      start,
      { call: "GET /containers/{n}/json", show: ["State.Health.Status"], until: "unhealthy" },
      { call: "GET /containers/{n}/json", show: ["State.Health.Log.0.ExitCode", "State.Health.Log.0.Output"] },
    ],
  },
  {
    name: "a check that cannot run",
    make: { ...sleeper, Healthcheck: { Test: ["CMD", "no-such-check"], Interval: 100_000_000, Retries: 1 } },
    steps: [
      start,
      { call: "GET /containers/{n}/json", show: ["State.Health.Status"], until: "unhealthy" },
      { call: "GET /containers/{n}/json", show: ["State.Health.Log.0.ExitCode"] },
    ],
  },
  {
    name: "failures in the start period do not count",
    make: { ...sleeper, Healthcheck: { Test: ["CMD", "false"], Interval: 100_000_000, StartPeriod: 600_000_000_000, StartInterval: 100_000_000, Retries: 1 } },
    steps: [
      start,
      { call: "GET /containers/{n}/json", show: ["State.Health.Log.length"], until: 3 },
      { call: "GET /containers/{n}/json", show: ["State.Health.Status", "State.Health.FailingStreak"] },
    ],
  },
  {
    name: "HEALTHCHECK NONE",
    make: { ...sleeper, Healthcheck: { Test: ["NONE"] } },
    steps: [start, { call: "GET /containers/{n}/json", show: ["State.Health", "Config.Healthcheck"] }],
  },
  {
    name: "rename while it runs",
    make: sleeper,
    steps: [
      start,
      { call: "POST /containers/{n}/rename?name={n}-other" },
      { call: "GET /containers/{n}-other/json", show: ["Name"] },
      { call: "GET /containers/{n}/json" },
      { call: "POST /containers/{n}-other/rename?name={n}" },
    ],
  },
  {
    name: "top",
    make: sleeper,
    steps: [
      start,
      { call: "GET /containers/{n}/top", show: ["Titles", "Processes.length", "Processes.0.7"] },
      { call: "GET /containers/{n}/top?ps_args=-o%20pid,comm", show: ["Titles", "Processes.0.1"] },
      { call: "GET /containers/{n}/top?ps_args=aux", show: ["Titles", "Processes.0.10"] },
    ],
  },
  {
    name: "removal of a running one",
    make: sleeper,
    steps: [
      start,
      { call: "DELETE /containers/{n}" },
      { call: "DELETE /containers/{n}?force=1" },
      { call: "GET /containers/{n}/json" },
      { call: "DELETE /containers/{n}" },
    ],
  },
  {
    name: "removal of a paused one",
    make: sleeper,
    steps: [
      start,
      { call: "POST /containers/{n}/pause" },
      { call: "DELETE /containers/{n}" },
      { call: "POST /containers/{n}/kill" },
      { call: "GET /containers/{n}/json", show: ["State.Status"], until: "exited" },
    ],
  },
  {
    name: "list shows it as inspect does",
    make: { ...sleeper, Labels: { a: "b" } },
    steps: [
      start,
      {
        call: "GET /containers/json?filters=%7B%22name%22%3A%5B%22%5E/{n}%24%22%5D%7D",
        show: ["length", "0.Names", "0.Image", "0.Command", "0.Ports", "0.Labels", "0.State", "0.HostConfig", "0.Mounts", "0.SizeRw"],
      },
    ],
  },
  {
    name: "an image mounted as a whole",
    make: { ...sh("ls /whole/bin/sh && ! touch /whole/x"), HostConfig: { Mounts: [{ Type: "image", Source: "busybox", Target: "/whole" }] } },
    steps: [
      start,
      { call: "POST /containers/{n}/wait", show: ["StatusCode"] },
      { call: "GET /containers/{n}/json", show: ["HostConfig.Mounts", "Mounts.0.Type", "Mounts.0.Name", "Mounts.0.RW", "Mounts.0.Propagation"] },
    ],
  },
  {
    name: "a part of an image mounted",
    make: { ...sh("cat /part/index.html"), HostConfig: { Mounts: [{ Type: "image", Source: "busybox", Target: "/part", ImageOptions: { Subpath: "www" } }] } },
    steps: [start, { call: "POST /containers/{n}/wait", show: ["StatusCode"] }],
  },
  {
    name: "a part that an image does not have",
    make: { Cmd: ["true"], HostConfig: { Mounts: [{ Type: "image", Source: "busybox", Target: "/part", ImageOptions: { Subpath: "none" } }] } },
    steps: [start, state("Status", "ExitCode")],
  },
];

/** The field that is wrong is the first one said. */
const fieldOf = ({ steps }: ApiCase): string => {
  const body = steps[0]?.body as { readonly HostConfig?: object };
  const { HostConfig: hostConfig, ...config } = body;
  const names = Object.keys(config).filter((name) => name !== "Image" && name !== "Cmd");
  return names[0] ?? Object.keys(hostConfig ?? {})[0] ?? (hostConfig === undefined ? "" : "HostConfig");
};

export const apiCases: readonly ApiCase[] = [...wrongTypes.map((one) => ({ ...one, field: fieldOf(one) })), ...wrongValues, ...queries, ...lives];
