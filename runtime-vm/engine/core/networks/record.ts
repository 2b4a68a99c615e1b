import { createHash } from "node:crypto";
import type { NetworkInspect, NetworkIpam } from "#api/networks.ts";
import type { State } from "../state/state.ts";
import { type Family, prefixOf } from "./address.ts";
import type { BridgeNetwork, ParentNetwork } from "./driver.ts";
import type { SubnetConfig } from "./ipam.ts";

/** A network as it is kept. `host` and `null` networks have no bridge. */
export interface NetworkRecord {
  readonly id: string;
  readonly name: string;
  readonly created: string;
  readonly driver: "bridge" | "macvlan" | "ipvlan" | "overlay" | "host" | "null";
  readonly enableIPv4: boolean;
  readonly enableIPv6: boolean;
  readonly internal: boolean;
  readonly attachable: boolean;
  /** As inspect shows it: what was asked for, completed by the pools we chose. */
  readonly ipam: NetworkIpam;
  /** What is in force. */
  readonly subnets: readonly SubnetRecord[];
  /** Whether the client chose the subnets: only then may endpoints ask for addresses. */
  readonly ownSubnets: boolean;
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly bridge?: BridgeSettings;
  readonly parent?: ParentSettings;
  /** Of networks between engines, whose containers here are on a bridge as well. */
  readonly overlay?: OverlaySettings;
  /** It only holds a configuration for others. */
  readonly configOnly?: true;
  /** The network that its configuration is from, as it was named. */
  readonly configFrom?: string;
}

export interface OverlaySettings {
  /** Its number in packets between hosts (RFC 7348). */
  readonly vni: number;
}

/** Of networks on an interface of the machine (macvlan, ipvlan). */
export interface ParentSettings {
  readonly driver: "macvlan" | "ipvlan";
  readonly interface: string;
  /** The interface is the network's own, and leads nowhere. */
  readonly dummy: boolean;
  readonly mode: string;
  /** ipvlan's. */
  readonly flag: string;
}

export interface SubnetRecord {
  readonly subnet: string;
  readonly range?: string;
  /** The bridge's own address. */
  readonly gateway: string;
  /** What containers route through; absent: the bridge. */
  readonly via?: string;
  readonly auxiliary: readonly string[];
}

/** How a network's containers are reached from outside: see `com.docker.network.bridge.gateway_mode_ipv4`. */
export const gatewayModes = ["nat", "nat-unprotected", "routed", "isolated"] as const;
export type GatewayMode = (typeof gatewayModes)[number];

export interface BridgeSettings {
  readonly interface: string;
  readonly mtu: number;
  readonly icc: boolean;
  readonly masquerade: boolean;
  /** What an empty HostIp means on this network; "" is every address. */
  readonly hostBinding: string;
  /** `eth` of `eth0`. */
  readonly interfacePrefix: string;
  /** The interface is somebody else's: it is used as it is. */
  readonly foreign?: boolean;
  /** Absent: nat. */
  readonly modes?: Partial<Readonly<Record<Family, GatewayMode>>>;
  /** What containers' packets come from outside, instead of the address of the interface they leave by. */
  readonly hostAddresses?: Partial<Readonly<Record<Family, string>>>;
  /** Interfaces whose packets may reach published ports at the containers' own addresses. */
  readonly trusted?: readonly string[];
  /** The bridge has no IPv4 address. */
  readonly inhibitIPv4?: boolean;
}

export const PREDEFINED = ["bridge", "host", "none"] as const;
export const isPredefined = (name: string): boolean => (PREDEFINED as readonly string[]).includes(name);
/** Whether its containers get an interface. */
export const hasInterfaces = ({ bridge, parent }: NetworkRecord): boolean => bridge !== undefined || parent !== undefined;
/** On the default bridge there are no names, and answers to `Aliases` and addresses differ. */
export const isDefaultBridge = (record: NetworkRecord): boolean => record.name === "bridge";

export function subnetsOf(record: NetworkRecord): SubnetConfig[] {
  return record.subnets.map(({ subnet, range, gateway, via, auxiliary }) => ({
    subnet: prefixOf(subnet),
    gateway,
    auxiliary,
    ...(via === undefined ? {} : { via }),
    ...(range === undefined ? {} : { range: prefixOf(range) }),
  }));
}

/** Whether a network is this engine's alone. */
export const scopeOf = ({ overlay }: NetworkRecord): "local" | "global" => (overlay === undefined ? "local" : "global");

/** The kernel's view; undefined for `host` and `none`. */
export function bridgeOf(record: NetworkRecord): BridgeNetwork | undefined {
  if (record.bridge === undefined) return undefined;
  const { interface: bridge, mtu, icc, masquerade, foreign = false, modes = {}, hostAddresses = {}, trusted = [], inhibitIPv4 = false } = record.bridge;
  const bare = (family: Family): boolean => modes[family] === "isolated" || (family === 4 && inhibitIPv4);
  return {
    id: record.id,
    bridge,
    mac: `02:42:${(createHash("sha256").update(record.id).digest("hex").slice(0, 8).match(/../g) ?? []).join(":")}`,
    mtu,
    icc,
    masquerade,
    internal: record.internal,
    foreign,
    modes: { 4: modes[4] ?? "nat", 6: modes[6] ?? "nat" },
    hostAddresses,
    trusted,
    subnets: subnetsOf(record).map(({ subnet, gateway }) => ({ subnet, gateway: bare(subnet.family) ? "" : gateway })),
  };
}

/** The kernel's view of a network on an interface of the machine. */
export const parentOf = ({ id, parent }: NetworkRecord): ParentNetwork | undefined => (parent === undefined ? undefined : { id, ...parent });

/** Go prints maps by key. */
const sorted = (map: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(map).toSorted(([a], [b]) => (a < b ? -1 : 1)));

type Containers = NetworkInspect["Containers"];

export const inspectRecord = (record: NetworkRecord, containers: Containers): NetworkInspect => ({
  Name: record.name,
  Id: record.id,
  Created: record.created,
  Scope: scopeOf(record),
  Driver: record.driver,
  EnableIPv4: record.enableIPv4,
  EnableIPv6: record.enableIPv6,
  IPAM: record.ipam,
  Internal: record.internal,
  Attachable: record.attachable,
  Ingress: false,
  ConfigFrom: { Network: record.configFrom ?? "" },
  ConfigOnly: record.configOnly ?? false,
  Containers: containers,
  Options: sorted(record.options),
  Labels: sorted(record.labels),
});

/** Networks in the engine's database. */
export class NetworkTable {
  readonly #insert;
  readonly #delete;
  readonly #all;

  constructor(state: State) {
    state.define("CREATE TABLE IF NOT EXISTS networks (id TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT");
    this.#insert = state.prepare("INSERT OR REPLACE INTO networks (id, record) VALUES (?, ?)");
    this.#delete = state.prepare("DELETE FROM networks WHERE id = ?");
    this.#all = state.prepare<{ record: string }>("SELECT record FROM networks ORDER BY rowid");
  }

  all(): NetworkRecord[] {
    return this.#all.all().map(({ record }) => JSON.parse(record) as NetworkRecord);
  }

  save(record: NetworkRecord): void {
    this.#insert.run(record.id, JSON.stringify(record));
  }

  remove(id: string): void {
    this.#delete.run(id);
  }
}
