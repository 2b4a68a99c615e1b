import { type ApiCase, type Step, sleeper, start, stop } from "./container-api.case.ts";

const rows = (filters: object, query = "all=1", show: readonly string[] = ["length", "0.Names"]): Step => ({
  call: `GET /containers/json?${query}&filters=${encodeURIComponent(JSON.stringify({ name: ["{n}"], ...filters })).replaceAll("%7Bn%7D", "{n}")}`,
  show,
});

const made = {
  ...sleeper,
  Labels: { a: "b", c: "", "x=y": "z" },
  ExposedPorts: { "80/tcp": {}, "81/tcp": {}, "90/udp": {} },
  Volumes: { "/data": {} },
  HostConfig: {
    PortBindings: { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "18480" }] },
    Binds: ["listed:/named", "/tmp:/host"],
    Annotations: { "an.no": "t" },
  },
};

const filters: readonly object[] = [
  ...["a", "a=b", "a=x", "a=", "c=", "x=y=z"].map((label) => ({ label: [label] })),
  ...[["a=b", "c"], ["a=b", "d"], []].map((label) => ({ label })),
  { label: { a: true } },
  { "label!": ["a"] },
  ...["80", "80/tcp", "80/udp", "18480", "18480/tcp", "18480/udp", "18470-18490", "81", "90-70", "", "80/nonsense"].map((publish) => ({ publish: [publish] })),
  ...["80", "81", "90", "90/udp", "80-81/tcp", "82"].map((expose) => ({ expose: [expose] })),
  { expose: ["82"], publish: ["18480"] },
  ...["listed", "/named", "/named/", "/nam", "/tmp", "/host", "/data"].map((volume) => ({ volume: [volume] })),
  ...["bridge", "none"].map((network) => ({ network: [network] })),
  ...["none", "starting", "healthy"].map((health) => ({ health: [health] })),
  ...["default", ""].map((isolation) => ({ isolation: [isolation] })),
  ...["false", "true", "0", "nonsense"].map((task) => ({ "is-task": [task] })),
  ...["137", "0"].map((exited) => ({ exited: [exited] })),
  ...[["created", "exited"], ["running"], ["dead"], ["removing"]].map((status) => ({ status })),
  ...[["busybox"], ["busybox:latest"], ["docker.io/library/busybox:latest"], ["busybox:other"], ["nobody", "busybox"]].map((ancestor) => ({ ancestor })),
  ...["^{n}$", "/{n}", "^/{n}$", "{n}(", ".*{n}"].map((name) => ({ name: [name] })),
  { id: ["zzz"] },
  { before: ["{n}"] },
  { since: ["{n}"] },
  { nothing: ["x"] },
  { label: "a" },
];

/** Each filter before the start, while it runs, and after. */
export const lists: readonly ApiCase[] = [
  ...filters.map(
    (one): ApiCase => ({ name: `list with ${JSON.stringify(one)}, in all states`, make: made, steps: [rows(one), start, rows(one), stop, rows(one)] }),
  ),
  {
    name: "list without all",
    make: made,
    steps: [
      ...["all=0", "limit=5", "all=false&limit=0"].map((query) => rows({}, query)),
      rows({ status: ["created"] }, "all=0"),
      rows({ exited: ["0"] }, "all=0"),
      start,
      rows({}, "all=0"),
      stop,
      rows({}, "all=0"),
      rows({ exited: ["137"] }, "all=0"),
      rows({ exited: ["137", "3"] }),
    ],
  },
  {
    name: "list before and since another",
    make: made,
    steps: [
      { call: "POST /containers/create?name={n}-peer", body: { Image: "busybox" } },
      rows({ before: ["{n}-peer"] }),
      rows({ since: ["{n}"] }),
      rows({ since: ["{n}"], before: ["{n}-peer"] }),
      rows({}, "limit=1"),
      { call: "DELETE /containers/{n}-peer" },
    ],
  },
  {
    name: "what a row says",
    make: made,
    steps: [
      rows({}, "all=1", ["0.Names", "0.Image", "0.Command", "0.Ports", "0.Labels", "0.State", "0.Status", "0.HostConfig", "0.Mounts.length", "0.Health"]),
      rows({}, "all=1", ["0.NetworkSettings", "0.ImageManifestDescriptor.platform", "0.SizeRw"]),
      start,
      rows({}, "all=1", ["0.State", "0.Ports.length", "0.NetworkSettings.Networks.bridge.IPPrefixLen", "0.NetworkSettings.Networks.bridge.DNSNames"]),
      stop,
      rows({}, "all=1", ["0.Ports", "0.NetworkSettings.Networks.bridge.IPAddress"]),
    ],
  },
  ...[
    { Cmd: ["sh", "-c", "echo 'a b'; exit 1", "", "x\ty", 'a"b'] },
    { Entrypoint: ["/bin/sh", "-c"], Cmd: ["exit 1"] },
    { Entrypoint: ["/bin/echo me", "b"] },
  ].map(
    (make): ApiCase => ({
      name: `the command of ${JSON.stringify(make)}`,
      make,
      steps: [rows({}, "all=1", ["0.Command"]), { call: "GET /containers/{n}/json", show: ["Path", "Args", "Config.Cmd", "Config.Entrypoint"] }],
    }),
  ),
];
