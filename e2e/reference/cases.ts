/** One request that a client may send, and nothing changes by it. `setup` runs once before all of them. */
export interface Case {
  readonly name: string;
  readonly method: "GET" | "POST" | "DELETE" | "HEAD" | "PUT";
  readonly path: string;
  readonly body?: unknown;
  /** Sent as it is, instead of `body`. */
  readonly raw?: string;
  /** A difference that is meant: why ours answers otherwise, and which status it gives. */
  readonly ours?: { readonly status: number; readonly reason: string };
  /** The text differs in a way that does not matter (a list of candidates, a Go type name); only the status is compared. */
  readonly statusOnly?: true;
}

const image = "busybox:latest";
const create = (name: string, body: Record<string, unknown>, more: Partial<Case> = {}): Case => ({
  name,
  method: "POST",
  path: "/v1.51/containers/create",
  body: { Image: image, ...body },
  ...more,
});

/** Needs the image busybox:latest and a created container named `still`. */
export const cases: readonly Case[] = [
  { name: "an unknown path", method: "GET", path: "/v1.51/nothing/here" },
  { name: "an API version that is too new", method: "GET", path: "/v1.99/info" },
  { name: "an API version that is too old", method: "GET", path: "/v1.10/info" },
  { name: "broken JSON", method: "POST", path: "/v1.51/containers/create", raw: "{broken" },
  { name: "an empty body", method: "POST", path: "/v1.51/containers/create", raw: "" },
  create("create without an image", { Image: "" }),
  create("create from an image that is not here", { Image: "nobody/nothing:x" }),
  create("create from a reference in capitals", { Image: "Bad:Ref" }),
  { name: "create with a bad name", method: "POST", path: "/v1.51/containers/create?name=-bad-", body: { Image: image } },
  { name: "create with a name that is taken", method: "POST", path: "/v1.51/containers/create?name=still", body: { Image: image } },
  create("create with no command to run", { Cmd: [], Entrypoint: [""] }, { statusOnly: true }),
  create("create with a relative working directory", { WorkingDir: "relative" }),
  create("create with too little memory", { HostConfig: { Memory: 1024 } }),
  create("create with negative shm size", { HostConfig: { ShmSize: -1 } }),
  create("create with a bad restart policy", { HostConfig: { RestartPolicy: { Name: "sometimes" } } }),
  create("create with auto-remove and a restart policy", { HostConfig: { AutoRemove: true, RestartPolicy: { Name: "always" } } }),
  create(
    "create with a bind to a relative target",
    { HostConfig: { Binds: ["/tmp:relative"] } },
    { ours: { status: 400, reason: "a bad argument is the client's fault, not a server error" } },
  ),
  create("create with a duplicate mount point", { HostConfig: { Binds: ["/tmp:/x", "/var:/x"] } }),
  create(
    "create with a bad port",
    { HostConfig: { PortBindings: { "80000/tcp": [{ HostPort: "1" }] } }, ExposedPorts: { "80000/tcp": {} } },
    { statusOnly: true },
  ),
  create("create with a bad capability", { HostConfig: { CapAdd: ["NOT_A_CAP"] } }),
  create("create with an unknown log driver", { HostConfig: { LogConfig: { Type: "nothing" } } }),
  create("create with an unknown runtime", { HostConfig: { Runtime: "nothing" } }),
  { name: "inspect nobody", method: "GET", path: "/v1.51/containers/nobody/json" },
  { name: "start nobody", method: "POST", path: "/v1.51/containers/nobody/start" },
  { name: "stop nobody", method: "POST", path: "/v1.51/containers/nobody/stop" },
  { name: "stop what does not run", method: "POST", path: "/v1.51/containers/still/stop" },
  { name: "kill what does not run", method: "POST", path: "/v1.51/containers/still/kill" },
  { name: "kill with a bad signal", method: "POST", path: "/v1.51/containers/still/kill?signal=NOTASIG" },
  { name: "pause what does not run", method: "POST", path: "/v1.51/containers/still/pause" },
  { name: "top of what does not run", method: "GET", path: "/v1.51/containers/still/top" },
  { name: "exec in what does not run", method: "POST", path: "/v1.51/containers/still/exec", body: { Cmd: ["true"] } },
  { name: "exec without a command", method: "POST", path: "/v1.51/containers/still/exec", body: { Cmd: [] } },
  { name: "start an exec that is not", method: "POST", path: "/v1.51/exec/nobody/start", body: { Detach: false } },
  { name: "inspect an exec that is not", method: "GET", path: "/v1.51/exec/nobody/json" },
  { name: "remove nobody", method: "DELETE", path: "/v1.51/containers/nobody" },
  { name: "rename to a name that is bad", method: "POST", path: "/v1.51/containers/still/rename?name=-bad-" },
  { name: "logs of nobody", method: "GET", path: "/v1.51/containers/nobody/logs?stdout=1" },
  { name: "logs with no stream chosen", method: "GET", path: "/v1.51/containers/still/logs" },
  { name: "attach to nobody", method: "POST", path: "/v1.51/containers/nobody/attach?stream=1" },
  { name: "wait with a bad condition", method: "POST", path: "/v1.51/containers/still/wait?condition=never" },
  { name: "resize without sizes", method: "POST", path: "/v1.51/containers/still/resize?h=x&w=1", statusOnly: true },
  { name: "list with a bad filter", method: "GET", path: "/v1.51/containers/json?filters=%7B%22nothing%22%3A%5B%22x%22%5D%7D" },
  { name: "list with filters that are no JSON", method: "GET", path: "/v1.51/containers/json?filters=xx", statusOnly: true },
  { name: "inspect an image that is not here", method: "GET", path: "/v1.51/images/nobody/json" },
  { name: "inspect an image by a bad reference", method: "GET", path: "/v1.51/images/BAD/json" },
  { name: "remove an image that is not here", method: "DELETE", path: "/v1.51/images/nobody" },
  { name: "inspect a network that is not", method: "GET", path: "/v1.51/networks/nobody" },
  { name: "remove a predefined network", method: "DELETE", path: "/v1.51/networks/bridge" },
  { name: "create a network with a predefined name", method: "POST", path: "/v1.51/networks/create", body: { Name: "bridge" }, statusOnly: true },
  { name: "create a network without a name", method: "POST", path: "/v1.51/networks/create", body: { Name: "" }, statusOnly: true },
  {
    name: "create a network with a bad subnet",
    method: "POST",
    path: "/v1.51/networks/create",
    body: { Name: "n1", IPAM: { Config: [{ Subnet: "10.0.0.300/24" }] } },
    statusOnly: true,
  },
  {
    name: "create a network with an unknown driver",
    method: "POST",
    path: "/v1.51/networks/create",
    body: { Name: "n1", Driver: "nothing" },
    statusOnly: true,
  },
  { name: "inspect a volume that is not", method: "GET", path: "/v1.51/volumes/nobody" },
  { name: "remove a volume that is not", method: "DELETE", path: "/v1.51/volumes/nobody" },
  { name: "create a volume with a bad name", method: "POST", path: "/v1.51/volumes/create", body: { Name: "-bad" } },
  { name: "create a volume with an unknown driver", method: "POST", path: "/v1.51/volumes/create", body: { Name: "v1", Driver: "nothing" }, statusOnly: true },
  {
    name: "events with a time that is none",
    method: "GET",
    path: "/v1.51/events?since=yesterday&until=0",
    ours: { status: 400, reason: "a bad argument is the client's fault, not a server error" },
  },
];
