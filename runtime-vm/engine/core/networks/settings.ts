/** What dockerd refuses of a container's network settings, in its words. */
import type { EndpointSettings } from "#api/networks.ts";
import { EngineError } from "#base/errors.ts";
import { contains, type Family, familyOf } from "./address.ts";
import { sysctlProblems } from "./endpoint-options.ts";
import { joined } from "./create-ipam.ts";
import { splitExtraHost } from "./files.ts";
import type { SandboxRequest } from "./networks.ts";
import { publications } from "./ports.ts";
import { hasInterfaces, isDefaultBridge, type NetworkRecord, subnetsOf } from "./record.ts";

const bad = (message: string): EngineError => new EngineError("invalidArgument", message);

/** How a container is on the network. */
export type Mode =
  | { readonly kind: "host" }
  | { readonly kind: "none" }
  | { readonly kind: "container"; readonly id: string }
  | { readonly kind: "network"; readonly name: string };

export function parseMode(mode: string): Mode {
  if (mode === "host") return { kind: "host" };
  if (mode === "none") return { kind: "none" };
  if (mode.startsWith("container:")) return { kind: "container", id: mode.slice("container:".length) };
  return { kind: "network", name: mode === "" || mode === "default" ? "bridge" : mode };
}

/** Names or ids of the networks to connect to; the one the mode names is first, the others by name. Endpoint settings, when there are any, say which. */
export function networksOf(request: Pick<SandboxRequest, "mode" | "endpoints">): string[] {
  const mode = parseMode(request.mode);
  if (mode.kind === "container") return [];
  const named = mode.kind === "network" ? mode.name : mode.kind;
  const asked = Object.keys(request.endpoints).map((name) => (name === "default" ? "bridge" : name));
  if (asked.length === 0) return [named];
  return asked.toSorted((a, b) => (a === named ? -1 : b === named ? 1 : a < b ? -1 : 1));
}

export function settingsOf(request: Pick<SandboxRequest, "endpoints">, name: string): EndpointSettings {
  return request.endpoints[name] ?? (name === "bridge" ? request.endpoints["default"] : undefined) ?? {};
}

/** Refuses what no network of these names could give: of those that are not there yet, what needs no look at them. */
export function checkEndpoints(asked: Readonly<Record<string, EndpointSettings | null>>, find: (name: string) => NetworkRecord | undefined): void {
  const problems = Object.entries(asked)
    .map(([key, settings]) => ({ name: key === "default" ? "bridge" : key, settings }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(({ name, settings }) => {
      const problem = settings === null ? "EndpointsConfig is nil" : endpointProblem(find(name), settings);
      return problem === undefined ? [] : [`invalid config for network ${name}: ${problem}`];
    });
  if (problems.length > 0) throw bad(joined(problems));
}

/** The same of one network that is there. */
export function checkEndpoint(record: NetworkRecord, settings: EndpointSettings): void {
  const problem = endpointProblem(record, settings);
  if (problem !== undefined) throw bad(problem);
}

function endpointProblem(record: NetworkRecord | undefined, settings: EndpointSettings): string | undefined {
  const mac = settings.MacAddress ?? "";
  if (mac !== "" && !/^([0-9a-f]{2}[:-]){5}[0-9a-f]{2}$/i.test(mac)) return `invalid MAC address ${mac}`;
  const problems = endpointProblems(record, settings);
  return problems.length === 0 ? undefined : `invalid endpoint settings:\n${joined(problems)}`;
}

function endpointProblems(record: NetworkRecord | undefined, settings: EndpointSettings): string[] {
  const problems: string[] = [];
  const asked = { 4: settings.IPAMConfig?.IPv4Address ?? "", 6: settings.IPAMConfig?.IPv6Address ?? "" } as const;
  const predefined = record !== undefined && (isDefaultBridge(record) || !hasInterfaces(record));
  if (predefined && (asked[4] !== "" || asked[6] !== "")) problems.push("user specified IP address is supported on user defined networks only");
  if ((settings.Aliases ?? []).length > 0 && predefined) {
    problems.push("network-scoped alias is supported only for containers in user defined networks");
  }
  for (const family of [4, 6] as const) {
    if (asked[family] !== "" && familyOf(asked[family]) !== family) problems.push(`invalid IPv${family} address: ${asked[family]}`);
  }
  for (const family of [4, 6] as const) if (record !== undefined && asked[family] !== "") problems.push(...addressProblems(record, family, asked[family]));
  for (const address of settings.IPAMConfig?.LinkLocalIPs ?? [])
    if (familyOf(address) === undefined) problems.push(`invalid link-local IP address: ${address}`);
  return [...problems, ...sysctlProblems(settings)];
}

function addressProblems(record: NetworkRecord, family: Family, address: string): string[] {
  const subnets = subnetsOf(record).filter(({ subnet }) => subnet.family === family);
  if (!record.ownSubnets || subnets.length === 0) {
    return ["user specified IP address is supported only when connecting to networks with user configured subnets"];
  }
  if (familyOf(address) === family && subnets.some(({ subnet }) => contains(subnet, address))) return [];
  return [`no configured subnet or ip-range contain the IP address ${address}`];
}

/** Whether a container can be connected to it besides others. */
export function checkJoinable({ driver, configOnly }: NetworkRecord): void {
  if (configOnly === true) throw new EngineError("forbidden", "cannot create endpoint on configuration-only network");
  if (driver === "host") throw bad("cannot connect container to host network - container must be created in host network mode");
  if (driver === "null") throw bad("container cannot be connected to multiple networks with one of the networks in private (none) mode");
}

/** Everything that needs no look at what networks there are. */
export function checkRequest(request: SandboxRequest): void {
  const mode = parseMode(request.mode);
  const published = publications(request.ports, request.exposed, request.publishAll, "");
  if (mode.kind === "container") {
    if (mode.id === "") throw bad("invalid network mode: invalid container format container:<name|id>");
    if (published.length > 0) throw bad("conflicting options: port publishing and the container type network mode");
    if (request.dns.servers.length > 0) throw bad("conflicting options: dns and the network mode");
    if (request.extraHosts.length > 0) throw bad("conflicting options: custom host-to-IP mapping and the network mode");
  }
  if (mode.kind === "host") {
    const other = Object.keys(request.endpoints).find((name) => name !== "host");
    if (other !== undefined) throw new EngineError("invalidArgument", `conflicting options: host network mode and a connection to network ${other}`);
  }
  for (const server of request.dns.servers) if (familyOf(server) === undefined) throw bad(`bad nameserver address ${server}: it is not an IP address`);
  for (const host of request.extraHosts) checkExtraHost(host);
}

function checkExtraHost(text: string): void {
  const [name, address] = splitExtraHost(text);
  if (name === "" || address === "") throw bad(`bad format for add-host: ${JSON.stringify(text)}`);
  if (address !== "host-gateway" && familyOf(address) === undefined) throw bad(`invalid IP address in add-host: ${JSON.stringify(address)}`);
}
