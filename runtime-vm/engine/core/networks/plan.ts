/** What a container's endpoints will be, before anything is made. */
import { createHash, randomBytes } from "node:crypto";
import type { EndpointSettings } from "#api/networks.ts";
import { EngineError } from "#base/errors.ts";
import { addressBytes, contains, familyOf } from "./address.ts";
import type { SandboxRequest } from "./networks.ts";
import { isDefaultBridge } from "./record.ts";
import type { EndpointRecord } from "./sandbox-record.ts";
import type { LiveNetwork } from "./store.ts";

export type Owner = Pick<SandboxRequest, "containerId" | "containerName" | "hostname">;

/** Takes addresses out of the network's pools for one endpoint; on failure none is taken. `taken` are interface names the sandbox has already. */
export function planEndpoint(network: LiveNetwork, owner: Owner, settings: EndpointSettings, taken: readonly string[]): EndpointRecord {
  const { record } = network;
  const base = {
    id: randomBytes(32).toString("hex"),
    network: record.id,
    networkName: record.name,
    container: owner.containerId,
    containerName: owner.containerName,
    named: record.bridge !== undefined && !isDefaultBridge(record),
    dnsNames: dnsNames(owner, settings.Aliases ?? []),
    links: (settings.Links ?? []).map(splitLink),
    settings,
  };
  if (record.bridge === undefined) return { ...base, containerInterface: "", hostInterface: "", mac: "" };
  const addresses = takeAddresses(network, settings);
  const prefix = record.bridge.interfacePrefix;
  return {
    ...base,
    ...addresses,
    containerInterface: firstFree(prefix, taken),
    hostInterface: `veth${randomBytes(4).toString("hex").slice(0, 7)}`,
    mac: macOf(settings, addresses.ipv4?.address ?? base.id),
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

function takeAddresses(network: LiveNetwork, settings: EndpointSettings): Addresses {
  const ipv4 = takeAddress(network, 4, settings.IPAMConfig?.IPv4Address);
  try {
    const ipv6 = takeAddress(network, 6, settings.IPAMConfig?.IPv6Address);
    return { ...(ipv4 === undefined ? {} : { ipv4 }), ...(ipv6 === undefined ? {} : { ipv6 }) };
  } catch (error) {
    if (ipv4 !== undefined) network.subnets.find(({ config }) => contains(config.subnet, ipv4.address))?.release(ipv4.address);
    throw error;
  }
}

/** From the subnet that holds the wanted address, or the first of the family with one free. */
function takeAddress(network: LiveNetwork, family: 4 | 6, wanted: string | undefined): EndpointRecord["ipv4"] {
  const pools = network.subnets.filter(({ config }) => config.subnet.family === family);
  const own = wanted === undefined || wanted === "" ? undefined : wanted;
  let full: unknown;
  for (const pool of own === undefined ? pools : pools.filter(({ config }) => contains(config.subnet, own))) {
    try {
      const address = pool.take(own);
      return { address, length: pool.config.subnet.length, gateway: network.record.internal ? "" : (pool.config.via ?? pool.config.gateway) };
    } catch (error) {
      full = error;
    }
  }
  if (full !== undefined) throw full;
  if (own !== undefined && familyOf(own) === family) throw new EngineError("invalidArgument", `no configured subnet contains the IP address ${own}`);
  return undefined;
}

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

function firstFree(prefix: string, taken: readonly string[]): string {
  for (let i = 0; ; i += 1) if (!taken.includes(`${prefix}${i}`)) return `${prefix}${i}`;
}
