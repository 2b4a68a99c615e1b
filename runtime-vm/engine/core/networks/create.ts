/** From a create request to a network record: everything dockerd checks, in its words. */
import { randomBytes } from "node:crypto";
import type { IpamConfig, NetworkCreateRequest } from "#api/networks.ts";
import { EngineError } from "#base/errors.ts";
import { formatNano, nowNano } from "../clock/clock.ts";
import { addressText, contains, containsValue, familyOf, lastOf, overlaps, parseCidr, type Prefix, prefixOf, prefixText } from "./address.ts";
import { type AddressPool, auxiliaryGateway, firstAddress, freeSubnet } from "./ipam.ts";
import { type BridgeSettings, isPredefined, type NetworkRecord, type SubnetRecord } from "./record.ts";

export interface CreateContext {
  /** Subnets of all networks there are. */
  readonly used: readonly Prefix[];
  /** Prefixes the host routes: a pool we choose must not overlap them, a subnet the client chose may. */
  readonly routed: readonly Prefix[];
  readonly pools: readonly AddressPool[];
  /** Bridge interface names in use by other networks, with their network. */
  readonly bridges: ReadonlyMap<string, string>;
}

const bad = (message: string): EngineError => new EngineError("invalidArgument", message);
const denied = (message: string): EngineError => new EngineError("forbidden", message);

export function buildRecord(request: NetworkCreateRequest, context: CreateContext): NetworkRecord {
  checkKind(request);
  const id = randomBytes(32).toString("hex");
  const enableIPv4 = request.EnableIPv4 ?? true;
  const enableIPv6 = request.EnableIPv6 ?? false;
  if (!enableIPv4 && !enableIPv6) throw bad("IPv4 or IPv6 must be enabled");
  const asked = request.IPAM?.Config ?? [];
  checkIpam(asked, enableIPv6);
  const options = { ...request.Options };
  const bridge = bridgeSettings(id, options, context);
  const own = askedSubnets(asked, { 4: enableIPv4, 6: enableIPv6 }, context);
  const missing = ([4, 6] as const).filter(
    (family) => (family === 4 ? enableIPv4 : enableIPv6) && !own.some(({ subnet }) => prefixOf(subnet).family === family),
  );
  const chosen = missing.map((family): SubnetRecord => {
    const subnet = freeSubnet(family, context.pools, [...context.used, ...context.routed]);
    return { subnet: prefixText(subnet), gateway: firstAddress(subnet), auxiliary: [] };
  });
  return {
    id,
    name: request.Name,
    created: formatNano(nowNano()),
    driver: "bridge",
    enableIPv4,
    enableIPv6,
    internal: request.Internal ?? false,
    attachable: request.Attachable ?? false,
    ipam: {
      Driver: "default",
      Options: request.IPAM?.Options ?? null,
      Config: [...asked.map(compact), ...chosen.map(({ subnet, gateway }) => ({ Subnet: subnet, Gateway: gateway }))],
    },
    subnets: [...own, ...chosen],
    ownSubnets: asked.length > 0,
    options,
    labels: { ...request.Labels },
    bridge,
  };
}

function checkKind(request: NetworkCreateRequest): void {
  const name = request.Name ?? "";
  if (name.trim() === "") throw bad("invalid name: name is empty");
  if (isPredefined(name)) throw denied(`operation is not permitted on predefined ${name} network `);
  if (request.Ingress === true) throw denied("Ingress network can only be global scope network");
  if (request.Scope === "swarm") throw denied("cannot create a swarm scoped network when swarm is not active");
  if (request.ConfigOnly === true || (request.ConfigFrom?.Network ?? "") !== "") {
    throw new EngineError("notImplemented", `network ${name}: config-only networks are not supported: give the network its own configuration`);
  }
  checkDriver(request.Driver ?? "");
  const ipam = request.IPAM?.Driver ?? "";
  if (!["", "default"].includes(ipam)) throw new EngineError("notFound", `plugin ${JSON.stringify(ipam)} not found`);
}

function checkDriver(driver: string): void {
  switch (driver) {
    case "":
    case "bridge":
      return;
    case "host":
    case "null":
      throw denied(`only one instance of ${JSON.stringify(driver)} network is allowed`);
    case "overlay":
      throw denied(`This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.`);
    default:
      throw new EngineError("notFound", `plugin ${JSON.stringify(driver)} not found`);
  }
}

function checkIpam(configs: readonly IpamConfig[], enableIPv6: boolean): void {
  const problems = configs.flatMap((config) => configProblems(config, enableIPv6));
  if (problems.length === 0) return;
  throw bad(`invalid network config:\n${joined(problems)}`);
}

/** Go's errors.Join as dockerd prints it: alone on a line, or as a list. */
export const joined = (problems: readonly string[]): string => (problems.length === 1 ? problems.join() : problems.map((p) => `* ${p}`).join("\n"));

function configProblems(config: IpamConfig, enableIPv6: boolean): string[] {
  const subnet = parseCidr(config.Subnet ?? "");
  if (subnet === undefined) return [`invalid subnet ${config.Subnet ?? ""}: invalid CIDR block notation`];
  const { prefix } = subnet;
  const text = prefixText(prefix);
  const problems: string[] = [];
  if (addressText(prefix.family, prefix.base) !== addressText(prefix.family, canonical(subnet.address))) {
    problems.push(`invalid subnet ${config.Subnet}: it should be ${text}`);
  }
  if (prefix.family === 6 && !enableIPv6) return problems;
  if (config.IPRange !== undefined && config.IPRange !== "") problems.push(...rangeProblems(config.IPRange, prefix));
  const inside = (what: string, address: string): void => {
    if (familyOf(address) === undefined) problems.push(`invalid ${what}: invalid address`);
    else if (!contains(prefix, address)) problems.push(`invalid ${what}: parent subnet ${text} doesn't contain this address`);
  };
  if (config.Gateway !== undefined && config.Gateway !== "") inside(`gateway ${config.Gateway}`, config.Gateway);
  for (const [name, address] of Object.entries(config.AuxiliaryAddresses ?? {})) inside(`auxiliary address ${name}`, address);
  return problems;
}

const canonical = (address: string): bigint => prefixOf(`${address}/${familyOf(address) === 4 ? 32 : 128}`).base;

function rangeProblems(text: string, subnet: Prefix): string[] {
  const range = parseCidr(text);
  if (range === undefined) return [`invalid ip-range ${text}: invalid CIDR block notation`];
  const problems: string[] = [];
  const { prefix } = range;
  if (prefix.family !== subnet.family) return [`invalid ip-range ${text}: parent subnet is an IPv${subnet.family} block`];
  if (prefix.base !== canonical(range.address)) problems.push(`invalid ip-range ${text}: it should be ${prefixText(prefix)}`);
  if (prefix.length < subnet.length) problems.push(`invalid ip-range ${text}: CIDR block is bigger than its parent subnet ${prefixText(subnet)}`);
  else if (!containsValue(subnet, prefix.base) || !containsValue(subnet, lastOf(prefix))) {
    problems.push(`invalid ip-range ${text}: parent subnet ${prefixText(subnet)} doesn't contain ip-range`);
  }
  return problems;
}

/** The subnets asked for, of families that are on. */
function askedSubnets(asked: readonly IpamConfig[], on: Readonly<Record<4 | 6, boolean>>, context: CreateContext): SubnetRecord[] {
  const taken = [...context.used];
  return asked.flatMap((config) => {
    const prefix = prefixOf(config.Subnet ?? "");
    if (!on[prefix.family]) return [];
    if (taken.some((other) => overlaps(other, prefix))) throw denied("invalid pool request: Pool overlaps with other one on this address space");
    taken.push(prefix);
    const { IPRange: range = "", Gateway: gateway = "" } = config;
    const auxiliary = Object.values(config.AuxiliaryAddresses ?? {});
    const via = config.AuxiliaryAddresses?.[auxiliaryGateway[prefix.family]];
    return [
      {
        subnet: prefixText(prefix),
        ...(via === undefined ? {} : { via }),
        ...(range === "" ? {} : { range }),
        gateway: gateway === "" ? gatewayIn(config, prefix) : gateway,
        auxiliary,
      },
    ];
  });
}

/** Without what was left empty. */
const compact = ({ Subnet, IPRange, Gateway, AuxiliaryAddresses }: IpamConfig): IpamConfig => ({
  ...(Subnet ? { Subnet } : {}),
  ...(IPRange ? { IPRange } : {}),
  ...(Gateway ? { Gateway } : {}),
  ...(AuxiliaryAddresses && Object.keys(AuxiliaryAddresses).length > 0 ? { AuxiliaryAddresses } : {}),
});

/** dockerd takes the first address of the range that is nobody's. */
function gatewayIn(config: IpamConfig, subnet: Prefix): string {
  const range = config.IPRange === undefined || config.IPRange === "" ? subnet : prefixOf(config.IPRange);
  const auxiliary = Object.values(config.AuxiliaryAddresses ?? {});
  const start = range.base === subnet.base ? firstAddress(subnet) : addressText(range.family, range.base);
  for (let value = canonical(start); value <= lastOf(range); value += 1n) {
    const address = addressText(range.family, value);
    if (!auxiliary.includes(address)) return address;
  }
  throw denied(`no available gateway address in ${prefixText(range)}`);
}

const OPTION = {
  name: "com.docker.network.bridge.name",
  icc: "com.docker.network.bridge.enable_icc",
  masquerade: "com.docker.network.bridge.enable_ip_masquerade",
  hostBinding: "com.docker.network.bridge.host_binding_ipv4",
  mtu: "com.docker.network.driver.mtu",
  interfacePrefix: "com.docker.network.container_iface_prefix",
} as const;

function bridgeSettings(id: string, options: Readonly<Record<string, string>>, context: CreateContext): BridgeSettings {
  const name = options[OPTION.name] ?? "";
  const holder = context.bridges.get(name);
  if (holder !== undefined) throw denied(`cannot create network ${id} (${name}): conflicts with network ${holder} (${name}): networks have same bridge name`);
  if (name !== "" && !/^[^\s/:]{1,15}$/.test(name))
    throw bad(`invalid bridge name ${JSON.stringify(name)}: one to fifteen characters, no space, slash or colon`);
  const hostBinding = options[OPTION.hostBinding] ?? "";
  if (hostBinding !== "" && familyOf(hostBinding) === undefined) throw bad(`failed to parse ${OPTION.hostBinding} value: ${hostBinding} (nil ip)`);
  return {
    interface: name === "" ? `br-${id.slice(0, 12)}` : name,
    mtu: numberOption(options, OPTION.mtu, 1_500),
    icc: booleanOption(options, OPTION.icc, true),
    masquerade: booleanOption(options, OPTION.masquerade, true),
    hostBinding,
    interfacePrefix: options[OPTION.interfacePrefix] ?? "eth",
  };
}

function booleanOption(options: Readonly<Record<string, string>>, key: string, absent: boolean): boolean {
  const text = options[key];
  if (text === undefined) return absent;
  if (["1", "t", "T", "TRUE", "true", "True"].includes(text)) return true;
  if (["0", "f", "F", "FALSE", "false", "False"].includes(text)) return false;
  throw bad(`failed to parse ${key} value: ${text} (strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax)`);
}

function numberOption(options: Readonly<Record<string, string>>, key: string, absent: number): number {
  const text = options[key];
  if (text === undefined || text === "") return absent;
  if (!/^[+-]?\d+$/.test(text)) throw bad(`failed to parse ${key} value: ${text} (strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax)`);
  const value = Number(text);
  if (value < 68 || value > 65535) throw bad(`invalid ${key} ${text}: an MTU is between 68 and 65535`);
  return value;
}
