import type { ContainerCreateRequest } from "#api/containers.ts";
import type { NetworkCreateRequest } from "#api/networks.ts";
import type { EngineRequest } from "#bridge/bridge.ts";
import { quoted } from "./copyrun.ts";

type Body = Readonly<Record<string, unknown>>;
type Write = (what: { readonly id: string; readonly query: URLSearchParams; readonly body: Body }) => readonly string[];

const on = (flag: string, query: URLSearchParams, name: string): readonly string[] => (["1", "true"].includes(query.get(name) ?? "") ? [flag] : []);
const each = (flag: string, values: object | null | undefined): readonly string[] =>
  Object.entries(values ?? {}).flatMap(([name, value]) => [flag, `${name}=${String(value)}`]);
const text = (value: unknown): string => (typeof value === "string" ? value : "");
const plain =
  (verb: string): Write =>
  ({ id }) => ["container", verb, id];

/** What `docker` is told to do the same, by method and path; `{id}` is an object's name or id. */
const rows: readonly (readonly [method: string, path: RegExp, write: Write])[] = [
  ...["start", "stop", "restart", "pause", "unpause"].map((verb) => ["POST", new RegExp(`^/containers/([^/]+)/${verb}$`), plain(verb)] as const),
  ["POST", /^\/containers\/([^/]+)\/kill$/, ({ id, query }) => ["container", "kill", "-s", query.get("signal") ?? "KILL", id]],
  ["POST", /^\/containers\/([^/]+)\/rename$/, ({ id, query }) => ["container", "rename", id, query.get("name") ?? ""]],
  ["POST", /^\/containers\/([^/]+)\/update$/, ({ id, body }) => ["container", "update", ...limits(body), id]],
  ["POST", /^\/containers\/([^/]+)\/exec$/, ({ id, body }) => ["container", "exec", "-it", id, ...((body["Cmd"] as readonly string[] | undefined) ?? [])]],
  ["PUT", /^\/containers\/([^/]+)\/archive$/, ({ id, query }) => ["container", "cp", "FILE", `${id}:${query.get("path") ?? "/"}`]],
  ["DELETE", /^\/containers\/([^/]+)$/, ({ id, query }) => ["container", "rm", ...on("-f", query, "force"), ...on("-v", query, "v"), id]],
  ["POST", /^\/containers\/create$/, ({ query, body }) => created(query.get("name") ?? "", body as unknown as ContainerCreateRequest)],
  ["POST", /^\/commit$/, ({ query }) => ["container", "commit", query.get("container") ?? "", [query.get("repo"), query.get("tag")].filter(Boolean).join(":")]],
  ["POST", /^\/images\/create$/, ({ query }) => ["image", "pull", referenceOf(query)]],
  ["POST", /^\/images\/load$/, () => ["image", "load", "-i", "FILE"]],
  ["POST", /^\/images\/(.+)\/tag$/, ({ id, query }) => ["image", "tag", id, `${query.get("repo") ?? ""}:${query.get("tag") ?? "latest"}`]],
  ["POST", /^\/images\/(.+)\/push$/, ({ id, query }) => ["image", "push", `${id}:${query.get("tag") ?? "latest"}`]],
  ["DELETE", /^\/images\/(.+)$/, ({ id, query }) => ["image", "rm", ...on("-f", query, "force"), id]],
  [
    "POST",
    /^\/volumes\/create$/,
    ({ body }) => ["volume", "create", ...each("--opt", body["DriverOpts"] as object), ...each("--label", body["Labels"] as object), text(body["Name"])],
  ],
  ["DELETE", /^\/volumes\/([^/]+)$/, ({ id, query }) => ["volume", "rm", ...on("-f", query, "force"), id]],
  ["POST", /^\/networks\/create$/, ({ body }) => network(body as unknown as NetworkCreateRequest)],
  ["POST", /^\/networks\/([^/]+)\/connect$/, ({ id, body }) => ["network", "connect", id, text(body["Container"])]],
  ["POST", /^\/networks\/([^/]+)\/disconnect$/, ({ id, body }) => ["network", "disconnect", id, text(body["Container"])]],
  ["DELETE", /^\/networks\/([^/]+)$/, ({ id }) => ["network", "rm", id]],
  ["POST", /^\/containers\/prune$/, () => ["container", "prune", "-f"]],
  ["POST", /^\/images\/prune$/, () => ["image", "prune", "-a", "-f"]],
  ["POST", /^\/volumes\/prune$/, () => ["volume", "prune", "-a", "-f"]],
  ["POST", /^\/build\/prune$/, () => ["builder", "prune", "-a", "-f"]],
  [
    "POST",
    /^\/slipway\/builds$/,
    ({ query }) => [
      "build",
      ...query.getAll("t").flatMap((tag) => ["-t", tag]),
      ...on("--no-cache", query, "nocache"),
      "-f",
      query.get("dockerfile") ?? "Dockerfile",
      query.get("folder") ?? ".",
    ],
  ],
  ["POST", /^\/slipway\/compose\/act$/, ({ body }) => compose(body)],
];

/** The same act as a `docker` line; undefined for what `docker` has no command for. */
export function dockerCommand(
  { method, path, body }: Pick<EngineRequest, "method" | "path" | "body">,
  docker: readonly string[] = ["docker"],
): string | undefined {
  const [place = "", query = ""] = path.split("?");
  for (const [verb, form, write] of rows) {
    const found = verb === method ? form.exec(place) : null;
    if (found === null) continue;
    const words = write({ id: shortened(decodeURIComponent(found[1] ?? "")), query: new URLSearchParams(query), body: (body ?? {}) as Body });
    return [...docker, ...words]
      .filter((word) => word !== "")
      .map(quoted)
      .join(" ");
  }
  return undefined;
}

const shortened = (id: string): string => (/^[0-9a-f]{64}$/.test(id) ? id.slice(0, 12) : id);

function referenceOf(query: URLSearchParams): string {
  const [image, tag] = [query.get("fromImage") ?? "", query.get("tag") ?? ""];
  return tag === "" ? image : tag.includes(":") ? `${image}@${tag}` : `${image}:${tag}`;
}

function limits(body: Body): readonly string[] {
  const flags: readonly (readonly [string, string])[] = [
    ["Memory", "--memory"],
    ["MemorySwap", "--memory-swap"],
    ["PidsLimit", "--pids-limit"],
  ];
  const cpus = typeof body["NanoCpus"] === "number" ? ["--cpus", String(body["NanoCpus"] / 1e9)] : [];
  const restart = (body["RestartPolicy"] as { Name?: string } | undefined)?.Name;
  return [
    ...flags.flatMap(([name, flag]) => (body[name] === undefined ? [] : [flag, JSON.stringify(body[name])])),
    ...cpus,
    ...(restart === undefined ? [] : ["--restart", restart]),
  ];
}

/** What is most often said of a container; the whole of it is the call itself. */
function created(name: string, body: ContainerCreateRequest): readonly string[] {
  const host = body.HostConfig ?? {};
  const ports = Object.entries(host.PortBindings ?? {}).flatMap(([port, bindings]) =>
    (bindings ?? []).flatMap(({ HostIp, HostPort }) => ["-p", `${HostIp ? `${HostIp}:` : ""}${HostPort ?? ""}:${port.replace("/tcp", "")}`]),
  );
  const mode = host.NetworkMode ?? "";
  return [
    "container",
    "create",
    ...(name === "" ? [] : ["--name", name]),
    ...(body.Tty === true ? ["-t"] : []),
    ...ports,
    ...(host.Binds ?? []).flatMap((bind) => ["-v", bind]),
    ...(body.Env ?? []).flatMap((pair) => ["-e", pair]),
    ...(["", "default", "bridge"].includes(mode) ? [] : ["--network", mode]),
    ...(host.RestartPolicy?.Name && host.RestartPolicy.Name !== "no" ? ["--restart", host.RestartPolicy.Name] : []),
    body.Image ?? "",
    ...((body.Cmd as readonly string[] | null | undefined) ?? []),
  ];
}

function network({ Name, Driver, Internal, EnableIPv6, IPAM, Options, Labels }: NetworkCreateRequest): readonly string[] {
  const pools = (IPAM?.Config ?? []).flatMap(({ Subnet = "", Gateway = "", IPRange = "", AuxiliaryAddresses }) => [
    ...(Subnet === "" ? [] : ["--subnet", Subnet]),
    ...(Gateway === "" ? [] : ["--gateway", Gateway]),
    ...(IPRange === "" ? [] : ["--ip-range", IPRange]),
    ...each("--aux-address", AuxiliaryAddresses),
  ]);
  const switches = [...(Internal === true ? ["--internal"] : []), ...(EnableIPv6 === true ? ["--ipv6"] : [])];
  return [
    "network",
    "create",
    ...(Driver === undefined ? [] : ["-d", Driver]),
    ...pools,
    ...switches,
    ...each("--opt", Options),
    ...each("--label", Labels),
    Name,
  ];
}

function compose(body: Body): readonly string[] {
  const [verb, services, files, scale] = [text(body["Verb"]), body["Services"] ?? [], body["Files"] ?? [], body["Scale"] ?? {}];
  const flag = (name: string, word: string): readonly string[] => (body[name] === true ? [word] : []);
  const project = text(body["Project"]);
  return [
    "compose",
    ...(project === "" ? [] : ["-p", project]),
    ...(files as readonly string[]).flatMap((file) => ["-f", file]),
    ...(verb === "scale" ? ["up", "-d", "--no-recreate", "--no-deps"] : verb === "up" ? ["up", "-d"] : [verb]),
    ...flag("Build", "--build"),
    ...flag("RemoveOrphans", "--remove-orphans"),
    ...flag("Volumes", "--volumes"),
    ...each("--scale", scale),
    ...(services as readonly string[]),
    ...(verb === "scale" ? Object.keys(scale) : []),
  ];
}
