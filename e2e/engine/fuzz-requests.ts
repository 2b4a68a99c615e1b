import type { Shape } from "#api/decode.ts";
import {
  connectNetworkShape,
  createContainerShape,
  createExecShape,
  disconnectNetworkShape,
  startExecShape,
  updateContainerShape,
} from "#api/container-shapes.ts";

/** A request that may or may not make sense. Equal seeds make equal requests. */
export interface FuzzRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
}

/** Random numbers that a seed repeats (mulberry32). */
export class Dice {
  #state: number;
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 0 <= x < 1 */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  chance(p: number): boolean {
    return this.next() < p;
  }

  below(n: number): number {
    return Math.floor(this.next() * n);
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T;
  }
}

/** `%` stands for a name or id; parameters are given now and then. */
const table: readonly [method: string, path: string, parameters: string, body?: Shape | "stream"][] = [
  ["GET", "/containers/json", "all limit size filters"],
  ["POST", "/containers/create", "name platform", createContainerShape],
  ["POST", "/containers/create", "name platform", createContainerShape],
  ["POST", "/containers/create", "name", createContainerShape],
  ["POST", "/containers/prune", "filters"],
  ["GET", "/containers/%/json", "size"],
  ["GET", "/containers/%/top", "ps_args"],
  ["GET", "/containers/%/logs", "stdout stderr follow since until tail timestamps details"],
  ["GET", "/containers/%/changes", ""],
  ["GET", "/containers/%/export", ""],
  ["GET", "/containers/%/stats", "stream one-shot"],
  ["POST", "/containers/%/start", "detachKeys"],
  ["POST", "/containers/%/stop", "t signal"],
  ["POST", "/containers/%/restart", "t signal"],
  ["POST", "/containers/%/kill", "signal"],
  ["POST", "/containers/%/pause", ""],
  ["POST", "/containers/%/unpause", ""],
  ["POST", "/containers/%/wait", "condition"],
  ["POST", "/containers/%/rename", "name"],
  ["POST", "/containers/%/resize", "h w"],
  ["POST", "/containers/%/update", "", updateContainerShape],
  ["POST", "/containers/%/attach", "stdin stdout stderr logs stream detachKeys"],
  ["GET", "/containers/%/attach/ws", "stdin stdout stderr logs stream detachKeys"],
  ["POST", "/containers/%/exec", "", createExecShape],
  ["DELETE", "/containers/%", "force v link"],
  ["GET", "/containers/%/archive", "path"],
  ["HEAD", "/containers/%/archive", "path"],
  ["PUT", "/containers/%/archive", "path noOverwriteDirNonDir copyUIDGID", "stream"],
  ["POST", "/commit", "container repo tag author comment pause changes", createContainerShape],
  ["POST", "/exec/%/start", "", startExecShape],
  ["POST", "/exec/%/resize", "h w"],
  ["GET", "/exec/%/json", ""],
  ["GET", "/images/json", "all filters shared-size digests manifests"],
  ["GET", "/images/%/json", "manifests platform"],
  ["GET", "/images/%/history", "platform"],
  ["GET", "/images/get", "names platform"],
  ["GET", "/images/%/get", "platform"],
  ["POST", "/images/load", "quiet platform", "stream"],
  ["POST", "/images/%/tag", "repo tag"],
  ["POST", "/images/%/push", "tag platform"],
  ["POST", "/images/create", "fromImage fromSrc repo tag message platform changes", "stream"],
  ["DELETE", "/images/%", "noprune"],
  ["POST", "/images/prune", "filters"],
  ["GET", "/images/search", "term limit filters"],
  ["GET", "/distribution/%/json", ""],
  ["GET", "/networks", "filters"],
  ["GET", "/networks/%", "verbose scope"],
  ["POST", "/networks/create", "", { kind: "any" }],
  ["POST", "/networks/%/connect", "", connectNetworkShape],
  ["POST", "/networks/%/disconnect", "", disconnectNetworkShape],
  ["DELETE", "/networks/%", ""],
  ["POST", "/networks/prune", "filters"],
  ["GET", "/volumes", "filters"],
  ["POST", "/volumes/create", "", { kind: "any" }],
  ["GET", "/volumes/%", ""],
  ["DELETE", "/volumes/%", "force"],
  ["POST", "/volumes/prune", "filters all"],
  ["GET", "/events", "since until filters"],
  ["GET", "/system/df", "type verbose"],
  // Nothing that names a registry: one that cannot be reached is not bad input.
  ["POST", "/auth", "", "stream"],
  ["GET", "/info", ""],
  ["GET", "/version", ""],
  ["GET", "/_ping", ""],
  ["GET", "/slipway/log", "tail follow"],
  ["POST", "/build", "dockerfile t remote q nocache target buildargs version", "stream"],
  ["POST", "/build/prune", "all filters"],
  ["POST", "/session", ""],
  ["GET", "/swarm", ""],
  ["POST", "/services/create", ""],
  ["GET", "/plugins", ""],
  ["GET", "/%", ""],
  ["PATCH", "/containers/%", ""],
];

/** Names of things that the fuzzer makes itself, or that are there; the rest is what people and attackers send. */
const names = ["one", "two", "three", "busybox", "busybox:latest", "bridge", "host", "none", "net1", "vol1"];
const oddities = [
  "",
  " ",
  "..",
  "../../etc/passwd",
  "/",
  "//",
  "%00",
  "\u0000",
  "é\u{1f40b}",
  "a".repeat(300),
  "sha256:abc",
  "sha256:".padEnd(71, "0"),
  "UPPER",
  "-x",
  "a b",
  "a,b",
  "a=b",
  "{}",
  "null",
  "0",
  "-1",
  "1e9",
  "99999999999999999999",
  "NaN",
  "true",
  "container:one",
  "container:",
  "127.0.0.1:1/x",
  "localhost:1/a/b@sha256:zz",
];
const filters = [
  "{}",
  '{"label":["a"]}',
  '{"name":["one"]}',
  '{"status":["nope"]}',
  '{"until":["x"]}',
  '{"dangling":["maybe"]}',
  '{"x":["y"]}',
  "[",
  '{"label":"a"}',
  '{"label":{"a":true}}',
];
const values: Readonly<Record<string, readonly string[]>> = {
  filters,
  // What would be pulled is refused for its name: a registry that cannot be reached is not bad input.
  fromImage: ["", "UPPER", "a b", "-x", "scratch", "a/../b", "x:y:z"],
  fromSrc: ["-", "/no/such", "http://"],
  signal: ["TERM", "KILL", "9", "0", "-1", "NOPE", "65", "SIGHUP"],
  path: ["/", "/etc/passwd", "/no/such", "etc", "/proc/self/root", "/../..", "/dev/zero", ""],
  since: ["0", "1", "-1", "x", "99999999999", "1.5", "1.0000000001"],
  until: ["1", "-1", "x", "1.5"],
  condition: ["not-running", "next-exit", "removed", "x"],
  t: ["0", "1", "-1", "x", "99999999999"],
  detachKeys: ["ctrl-p,ctrl-q", "x", "ctrl-", "é"],
  platform: ["linux/amd64", "linux/s390x", "a/b/c/d", "{}", '{"os":"linux"}'],
  tail: ["all", "0", "5", "-1", "x"],
  type: ["container", "image", "x"],
};
/** Fields with values that a generic string would never hit. */
const fields: Readonly<Record<string, readonly unknown[]>> = {
  Image: ["busybox", "busybox", "busybox", "busybox", "nope", ""],
  Cmd: [["true"], ["sh", "-c", "echo hi; exit 3"], ["nope"], ["sleep", "1"], [""], "echo a b"],
  Entrypoint: [[], ["sh", "-c"], [""], null],
  User: ["root", "1000", "nobody", "1:1", "-1", "x:y"],
  WorkingDir: ["/", "/tmp/new", "relative", "/etc/passwd"],
  Binds: [["/no/such:/x"], ["vol1:/data"], ["vol1:/data:ro,z"], ["x"], ["a:b:c:d"], [":/x"], ["vol1:/"]],
  NetworkMode: ["bridge", "none", "host", "net1", "container:one", "container:", "default", "nope"],
  PidMode: ["", "container:one", "nope"],
  IpcMode: ["private", "shareable", "none", "container:one", "nope"],
  UTSMode: ["", "nope"],
  CgroupnsMode: ["private", "nope"],
  CgroupParent: ["", "/a", "a/b", "../..", "/"],
  RestartPolicy: [
    { Name: "no" },
    { Name: "on-failure", MaximumRetryCount: 1 },
    { Name: "nope" },
    { Name: "always", MaximumRetryCount: 3 },
    { Name: "on-failure", MaximumRetryCount: -1 },
  ],
  LogConfig: [
    { Type: "json-file", Config: { "max-size": "1k" } },
    { Type: "local" },
    { Type: "none" },
    { Type: "nope" },
    { Type: "json-file", Config: { x: "y" } },
  ],
  Sysctls: [{ "net.ipv4.ip_forward": "1" }, { x: "y" }, { "kernel.domainname": "x" }],
  Runtime: ["crun", "runc", "nope"],
  SecurityOpt: [["no-new-privileges"], ["seccomp=unconfined"], ["seccomp={"], ["x"], ["label=disable"], ["apparmor=x"]],
  CapAdd: [["NET_ADMIN"], ["ALL"], ["NOPE"], "SYS_TIME"],
  Memory: [0, 6 * 1024 * 1024, 1, -1, 2 ** 53],
  NanoCpus: [0, 500_000_000, -1, 10 ** 15],
  ShmSize: [0, 65_536, -1],
  PortBindings: [
    { "80/tcp": [{ HostPort: "" }] },
    { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "0" }] },
    { x: [] },
    { "80/tcp": null },
    { "99999/tcp": [{}] },
    { "80/nope": [{}] },
  ],
  ExposedPorts: [{ "80/tcp": {} }, { x: {} }, { "1-99999/udp": {} }],
  Mounts: [
    [{ Type: "volume", Source: "vol1", Target: "/v" }],
    [{ Type: "tmpfs", Target: "/t", TmpfsOptions: { SizeBytes: 4096 } }],
    [{ Type: "bind", Source: "/no/such", Target: "/b" }],
    [{ Type: "nope", Target: "/x" }],
    [{ Type: "image", Source: "busybox", Target: "/i" }],
    [{ Target: "relative" }],
  ],
  Tmpfs: [{ "/t": "size=64k" }, { "/t": "nope" }, { relative: "" }],
  Devices: [[{ PathOnHost: "/dev/null", PathInContainer: "/dev/x", CgroupPermissions: "rwm" }], [{ PathOnHost: "/no/such" }]],
  Healthcheck: [{ Test: ["CMD", "true"], Interval: 10 ** 9 }, { Test: ["NOPE"] }, { Interval: 1 }, { Test: ["NONE"] }],
  EndpointsConfig: [{ net1: {} }, { bridge: { IPAMConfig: { IPv4Address: "172.17.0.77" } } }, { nope: {} }, { net1: { Aliases: ["a"], MacAddress: "zz" } }],
  Container: ["one", "two", "nope"],
  Privileged: [false, true],
};
/** Bodies of networks and volumes, whose shapes are the routes' own. */
const documents: readonly unknown[] = [
  { Name: "net1" },
  { Name: "net1", Driver: "nope" },
  { Name: "net2", IPAM: { Config: [{ Subnet: "10.99.0.0/24", Gateway: "10.99.0.1" }] } },
  { Name: "net3", IPAM: { Config: [{ Subnet: "x" }] } },
  { Name: "net4", Options: { "com.docker.network.driver.mtu": "1" } },
  { Name: "vol1" },
  { Name: "vol1", DriverOpts: { type: "tmpfs", device: "tmpfs" } },
  { Name: "../x" },
  { Name: "vol2", Driver: "nope" },
  { Name: 5 },
  [],
];

/** The next request; `ids` are names and ids that exist. */
export function fuzzRequest(dice: Dice, ids: readonly string[]): FuzzRequest {
  const [method, pattern, parameters, shape] = dice.pick(table);
  const name = dice.chance(0.6) && ids.length > 0 ? dice.pick(ids) : dice.pick(dice.chance(0.7) ? names : oddities);
  const version = dice.pick(["", "/v1.51", "/v1.24", "/v1.41", "/v1.44", "/v9.9", "/v1.1", "/vx"]);
  const path = `${version}${pattern.replace("%", dice.chance(0.9) ? encodeURIComponent(name) : name.replace(/[^\x21-\x7e]/g, "%"))}`;
  const query = parameters
    .split(" ")
    .filter((parameter) => parameter !== "" && dice.chance(0.4))
    .map((parameter) => `${parameter}=${encodeURIComponent(valueOf(dice, parameter, ids))}`);
  const { headers, body } = bodyOf(dice, shape);
  return { method, path: query.length === 0 ? path : `${path}?${query.join("&")}`, headers, body };
}

function valueOf(dice: Dice, parameter: string, ids: readonly string[]): string {
  const known = values[parameter];
  if (known !== undefined && (parameter === "fromImage" || dice.chance(0.8))) return dice.pick(known);
  if (dice.chance(0.4)) return dice.pick(["0", "1", "true", "false"]);
  return dice.pick(dice.chance(0.5) && ids.length > 0 ? ids : [...names, ...oddities]);
}

function bodyOf(dice: Dice, shape: Shape | "stream" | undefined): { headers: Record<string, string>; body: Buffer | undefined } {
  if (shape === undefined && dice.chance(0.9)) return { headers: {}, body: undefined };
  const type = dice.chance(0.9)
    ? shape === "stream"
      ? "application/x-tar"
      : "application/json"
    : dice.pick(["", "text/plain", "application/json; x", ";", "a/b/c"]);
  const headers = type === "" ? {} : { "Content-Type": type };
  if (shape === "stream" || shape === undefined) return { headers, body: junk(dice) };
  const document = shape.kind === "any" ? dice.pick(documents) : valueFor(dice, shape, "");
  const text = JSON.stringify(document);
  if (dice.chance(0.85)) return { headers, body: Buffer.from(text) };
  return {
    headers,
    body: dice.pick([() => Buffer.from(text.slice(0, dice.below(text.length + 1))), () => junk(dice), () => Buffer.from(`${text}${text}`), () => nested])(),
  };
}

const nested = Buffer.from(`${'{"HostConfig":'.repeat(5_000)}1${"}".repeat(5_000)}`);

function junk(dice: Dice): Buffer {
  return Buffer.from(Array.from({ length: dice.below(2_000) }, () => dice.below(256)));
}

/** A document of the shape, mostly: every so often a value of another kind. */
function valueFor(dice: Dice, shape: Shape, field: string): unknown {
  const known = fields[field];
  if (known !== undefined && dice.chance(0.9)) return dice.pick(known);
  if (dice.chance(0.04)) return dice.pick<unknown>([null, 1, -1, 1.5, "x", true, [], {}, [null], { a: 1 }, "\u0000"]);
  switch (shape.kind) {
    case "string":
      return dice.pick([...names, ...oddities]);
    case "bool":
      return dice.chance(0.5);
    case "int":
      return dice.pick([0, 1, -1, 100, 65_536, 2 ** 31, -(2 ** 40)]);
    case "any":
      return dice.pick<unknown>([null, {}, [], "x", 5]);
    case "words":
      return dice.pick<unknown>([[], ["a"], "a"]);
    case "list":
      return Array.from({ length: dice.below(3) }, () => valueFor(dice, shape.of, ""));
    case "map":
      return Object.fromEntries(Array.from({ length: dice.below(3) }, () => [dice.pick([...names, ...oddities]), valueFor(dice, shape.of, "")]));
    case "struct": {
      const wanted = 3 / Math.max(3, shape.fields.size);
      const chosen = [...shape.fields.values()].filter((one) => ["Image", "Cmd"].includes(one.name) || dice.chance(wanted));
      return Object.fromEntries(chosen.map((one) => [one.name, valueFor(dice, one.shape, one.name)]));
    }
  }
}
