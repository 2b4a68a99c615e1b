/** Addresses that a create request asks for: checked, and completed by what it leaves out. */
import type { IpamConfig, NetworkCreateRequest } from "#api/networks.ts";
import { EngineError } from "#base/errors.ts";
import { addressText, contains, containsValue, type Family, familyOf, lastOf, overlaps, parseCidr, type Prefix, prefixOf, prefixText } from "./address.ts";
import { type AddressPool, auxiliaryGateway, firstAddress, freeSubnet } from "./ipam.ts";
import type { SubnetRecord } from "./record.ts";

const bad = (message: string): EngineError => new EngineError("invalidArgument", message);
const denied = (message: string): EngineError => new EngineError("forbidden", message);

export interface IpamContext {
  /** Subnets of all networks there are. */
  readonly used: readonly Prefix[];
  /** Prefixes the host routes: a pool we choose must not overlap them, a subnet the client chose may. */
  readonly routed: readonly Prefix[];
  readonly pools: readonly AddressPool[];
}

/** What of the network decides about its addresses. */
export interface IpamRules {
  readonly on: Readonly<Record<Family, boolean>>;
  /** Whether the gateway's address is kept free, and shown. */
  readonly gateway: (family: Family) => boolean;
  /** Several of a family may be asked for. */
  readonly many: boolean;
}

/** The subnets of the network, and the configuration that inspect shows. */
export function planSubnets(request: NetworkCreateRequest, rules: IpamRules, context: IpamContext): { subnets: SubnetRecord[]; config: IpamConfig[] } {
  const asked = request.IPAM?.Config ?? [];
  checkIpam(asked, rules.on[6]);
  const driver = request.IPAM?.Driver ?? "";
  if (driver === "null") throw bad("ipv4 pool is empty");
  if (driver !== "" && driver !== "default") throw new EngineError("notFound", `plugin ${JSON.stringify(driver)} not found`);
  const own = askedSubnets(asked, rules, context);
  const count = (family: Family): number => own.filter(({ subnet }) => prefixOf(subnet).family === family).length;
  if (!rules.many && (count(4) > 1 || count(6) > 1)) throw denied("bridge driver doesn't support multiple subnets");
  const chosen = ([4, 6] as const)
    .filter((family) => rules.on[family] && count(family) === 0)
    .map((family): SubnetRecord => {
      const subnet = freeSubnet(family, context.pools, [...context.used, ...context.routed]);
      return { subnet: prefixText(subnet), gateway: rules.gateway(family) ? firstAddress(subnet) : "", auxiliary: [] };
    });
  const shown = chosen.map(({ subnet, gateway }) => (gateway === "" ? { Subnet: subnet } : { Subnet: subnet, Gateway: gateway }));
  return { subnets: [...own, ...chosen], config: [...asked.map(compact), ...shown] };
}

export function checkIpam(configs: readonly IpamConfig[], enableIPv6: boolean): void {
  const problems = configs.flatMap((config) => configProblems(config, enableIPv6));
  if (problems.length === 0) return;
  throw bad(`invalid network config:\n${joined(problems)}`);
}

/** Go's errors.Join as dockerd prints it: alone on a line, or as a list, whose items' own lines are set in. */
export const joined = (problems: readonly string[]): string =>
  problems.length === 1 ? problems.join() : problems.map((problem) => `* ${problem.replaceAll("\n", "\n\t")}`).join("\n");

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
function askedSubnets(asked: readonly IpamConfig[], { on, gateway: hasGateway }: IpamRules, context: IpamContext): SubnetRecord[] {
  const taken = [...context.used];
  return asked.flatMap((config) => {
    const prefix = prefixOf(config.Subnet ?? "");
    const { family } = prefix;
    if (!on[family]) return [];
    if (prefix.length === 0) throw bad(`ipv${family} pool is empty`);
    if (taken.some((other) => overlaps(other, prefix))) throw denied("invalid pool request: Pool overlaps with other one on this address space");
    taken.push(prefix);
    const { IPRange: range = "", Gateway: own = "", AuxiliaryAddresses: auxiliary = {} } = config;
    const gateway = own === "" && hasGateway(family) ? gatewayIn(config, prefix) : own;
    checkTaken(prefix, own, gateway, auxiliary);
    const via = auxiliary[auxiliaryGateway[family]];
    const more = { ...(via === undefined ? {} : { via }), ...(range === "" ? {} : { range }) };
    return [{ subnet: prefixText(prefix), ...more, gateway, auxiliary: Object.values(auxiliary) }];
  });
}

/** Nobody can have the first or last address of an IPv4 subnet, and no address can be had twice. */
function checkTaken(subnet: Prefix, asked: string, gateway: string, auxiliary: Readonly<Record<string, string>>): void {
  const taken = new Set(subnet.family === 4 && subnet.length < 31 ? [subnet.base, lastOf(subnet)] : []);
  const take = (address: string, what: string): void => {
    const value = canonical(address);
    if (taken.has(value)) throw bad(`failed to allocate ${what}: Address already in use`);
    taken.add(value);
  };
  if (gateway !== "") take(gateway, `gateway (${asked})`);
  for (const [name, address] of Object.entries(auxiliary)) take(address, `secondary ip address (${name}:${address})`);
}

/** Without what was left empty. */
export const compact = ({ Subnet, IPRange, Gateway, AuxiliaryAddresses }: IpamConfig): IpamConfig => ({
  ...(Subnet ? { Subnet } : {}),
  ...(IPRange ? { IPRange } : {}),
  ...(Gateway ? { Gateway } : {}),
  ...(AuxiliaryAddresses && Object.keys(AuxiliaryAddresses).length > 0 ? { AuxiliaryAddresses } : {}),
});

/** The first address of the range. */
function gatewayIn(config: IpamConfig, subnet: Prefix): string {
  const range = config.IPRange === undefined || config.IPRange === "" ? subnet : prefixOf(config.IPRange);
  if (subnet.family === 6 && range.length === 128) throw bad("failed to allocate gateway (): no available addresses on this pool");
  return range.base === subnet.base ? firstAddress(subnet) : addressText(range.family, range.base);
}
