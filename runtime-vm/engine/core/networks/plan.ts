/** What a container's endpoints will be, before anything is made. */
import { createHash, randomBytes } from "node:crypto";
import type { EndpointSettings } from "#api/networks.ts";
import { EngineError } from "#base/errors.ts";
import { addressBytes, contains, familyOf } from "./address.ts";
import { interfaceNameOf } from "./endpoint-options.ts";
import type { SandboxRequest } from "./networks.ts";
import { isRouted } from "./parent-options.ts";
import { hasInterfaces, isDefaultBridge, type NetworkRecord } from "./record.ts";
import type { EndpointRecord } from "./sandbox-record.ts";
import type { LiveNetwork } from "./register.ts";

export type Owner = Pick<SandboxRequest, "containerId" | "containerName" | "hostname" | "formerly">;

/** Docker writes names with a slash before them in places. */
export const bare = (name: string): string => name.replace(/^\//, "");
export const ownerOf = ({ containerId, containerName, hostname, formerly }: SandboxRequest): Owner => ({
  ...{ containerId, containerName: bare(containerName), hostname },
  ...(formerly === undefined ? {} : { formerly }),
});

/** Takes addresses out of the network's pools for one endpoint; on failure none is taken. `taken` are interface names the sandbox has already. */
export function planEndpoint(network: LiveNetwork, owner: Owner, settings: EndpointSettings, taken: readonly string[]): EndpointRecord {
  const { record } = network;
  const base = {
    id: randomBytes(32).toString("hex"),
    network: record.id,
    networkName: record.name,
    container: owner.containerId,
    containerName: owner.containerName,
    named: hasInterfaces(record) && !isDefaultBridge(record),
    dnsNames: dnsNames(owner, settings.Aliases ?? []),
    links: (settings.Links ?? []).map(splitLink),
    settings,
  };
  if (!hasInterfaces(record)) return { ...base, containerInterface: "", hostInterface: "", mac: "" };
  const addresses = takeAddresses(network, settings, owner.formerly?.[record.name] ?? []);
  const { bridge, parent } = record;
  return {
    ...base,
    ...addresses,
    containerInterface: interfaceName(settings, bridge?.interfacePrefix ?? "eth", taken),
    hostInterface: bridge === undefined ? "" : `veth${randomBytes(4).toString("hex").slice(0, 7)}`,
    mac: parent?.driver === "ipvlan" ? "" : macOf(settings, addresses.ipv4?.address ?? base.id),
    ...(parent !== undefined && isRouted(parent) && !record.internal ? { direct: true } : {}),
  };
}

/** The inverse of planEndpoint's taking. */
export function releaseEndpoint(network: LiveNetwork, endpoint: EndpointRecord): void {
  for (const address of [endpoint.ipv4, endpoint.ipv6]) {
    if (address !== undefined) network.subnets.find(({ config }) => contains(config.subnet, address.address))?.release(address.address);
  }
}

/** Takes the addresses of a recorded endpoint again. */
export function markEndpoint(network: LiveNetwork, endpoint: EndpointRecord): void {
  for (const address of [endpoint.ipv4, endpoint.ipv6]) {
    if (address !== undefined) network.subnets.find(({ config }) => contains(config.subnet, address.address))?.mark(address.address);
  }
}

/** The container's names on a network, first the one that its address has. */
export function dnsNames(owner: Owner, aliases: readonly string[]): string[] {
  return [...new Set([owner.containerName, ...aliases, owner.containerId.slice(0, 12), owner.hostname])].filter((name) => name !== "");
}

type Addresses = Pick<EndpointRecord, "ipv4" | "ipv6">;

function takeAddresses(network: LiveNetwork, settings: EndpointSettings, formerly: readonly string[]): Addresses {
  const free = (family: 4 | 6): string | undefined => formerly.find((address) => familyOf(address) === family && isFree(network, address));
  const ipv4 = takeAddress(network, 4, settings.IPAMConfig?.IPv4Address || free(4));
  try {
    const ipv6 = takeAddress(network, 6, settings.IPAMConfig?.IPv6Address || free(6));
    return { ...(ipv4 === undefined ? {} : { ipv4 }), ...(ipv6 === undefined ? {} : { ipv6 }) };
  } catch (error) {
    if (ipv4 !== undefined) network.subnets.find(({ config }) => contains(config.subnet, ipv4.address))?.release(ipv4.address);
    throw error;
  }
}

const isFree = (network: LiveNetwork, address: string): boolean => network.subnets.some((pool) => pool.isFree(address));

/** From the subnet that holds the wanted address, or the first of the family with one free. */
function takeAddress(network: LiveNetwork, family: 4 | 6, wanted: string | undefined): EndpointRecord["ipv4"] {
  const pools = network.subnets.filter(({ config }) => config.subnet.family === family);
  const own = wanted === undefined || wanted === "" ? undefined : wanted;
  let full: unknown;
  for (const pool of own === undefined ? pools : pools.filter(({ config }) => contains(config.subnet, own))) {
    try {
      const address = pool.take(own);
      return { address, length: pool.config.subnet.length, gateway: hasGateway(network.record) ? (pool.config.via ?? pool.config.gateway) : "" };
    } catch (error) {
      full = error;
    }
  }
  if (full !== undefined) throw full;
  if (own !== undefined && familyOf(own) === family) throw new EngineError("invalidArgument", `no configured subnet contains the IP address ${own}`);
  return undefined;
}

const hasGateway = ({ internal, parent }: NetworkRecord): boolean => !internal && !(parent !== undefined && isRouted(parent));

/** Locally administered; made of the address, so that neighbours' caches stay right when an address is given anew. */
function macOf(settings: EndpointSettings, seed: string): string {
  const own = settings.MacAddress ?? "";
  if (own !== "") return own.replaceAll("-", ":").toLowerCase();
  const bytes = familyOf(seed) === 4 ? addressBytes(seed) : createHash("sha256").update(seed).digest().subarray(0, 4);
  return ["02", "42", ...[...bytes].map((byte) => byte.toString(16).padStart(2, "0"))].join(":");
}

function splitLink(text: string): readonly [string, string] {
  const [target = "", alias] = text.replace(/^\//, "").split(":");
  return [target, alias ?? target];
}

function interfaceName(settings: EndpointSettings, prefix: string, taken: readonly string[]): string {
  const asked = interfaceNameOf(settings);
  if (asked === undefined) return firstFree(prefix, taken);
  if (asked === "lo" || taken.includes(asked)) throw new EngineError("conflict", `the container has an interface ${asked} already: give this one another name`);
  if (!/^[^\s/:]{1,15}$/.test(asked) || asked === "." || asked === "..") {
    throw new EngineError("invalidArgument", `invalid interface name ${JSON.stringify(asked)}: one to fifteen characters, no space, slash or colon`);
  }
  return asked;
}

function firstFree(prefix: string, taken: readonly string[]): string {
  for (let i = 0; ; i += 1) if (!taken.includes(`${prefix}${i}`)) return `${prefix}${i}`;
}
