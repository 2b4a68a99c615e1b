import type { TrashRestored } from "#api/trash.ts";
import { EngineError } from "#base/errors.ts";
import type { KeptItem, Keeper, Take } from "../bin/keeper.ts";
import { nameAgain } from "../bin/names.ts";
import { overlaps, type Prefix, prefixOf, prefixText } from "./address.ts";
import { firstAddress, freeSubnet } from "./ipam.ts";
import type { JoinContext } from "./join.ts";
import type { NetworkRecord, SubnetRecord } from "./record.ts";

export interface NetworkKeeperOptions {
  /** What there is now. */
  readonly context: () => JoinContext;
  /** Makes it one of the networks there are, and durable by `take`. */
  readonly add: (record: NetworkRecord, take: Take) => Promise<void>;
}

/** Removed networks: nothing but their records is left of them. */
export class NetworkKeeper implements Keeper<NetworkRecord> {
  readonly #options: NetworkKeeperOptions;

  constructor(options: NetworkKeeperOptions) {
    this.#options = options;
  }

  async restore(_item: KeptItem, kept: NetworkRecord, take: Take): Promise<Omit<TrashRestored, "Kind" | "Id">> {
    const { record, warnings } = recordAgain(kept, this.#options.context());
    await this.#options.add(record, take);
    return { Name: record.name, Warnings: warnings, Also: [] };
  }

  discard(): Promise<void> {
    return Promise.resolve();
  }

  measure(): Promise<number> {
    return Promise.resolve(0);
  }

  fault(): undefined {}
}

/** The record to come back with. Addresses that the pools chose change where others have them by now; class conflict where somebody chose them. */
export function recordAgain(record: NetworkRecord, context: JoinContext): { record: NetworkRecord; warnings: string[] } {
  const { name, warnings } = nameAgain(record.name, (one) => !context.names.has(one));
  const bridge = record.bridge?.interface;
  if (bridge !== undefined && context.bridges.has(bridge)) throw cannot(record, `its bridge ${bridge} is another network's by now`);
  const subnets: SubnetRecord[] = [];
  for (const before of record.subnets) {
    const now = subnetAgain(record, before, { ...context, used: [...context.used, ...subnets.map(({ subnet }) => prefixOf(subnet))] });
    if (now !== before) warnings.push(`the subnet ${before.subnet} is taken by now: it has ${now.subnet}`);
    subnets.push(now);
  }
  if (warnings.length === 0) return { record, warnings };
  const changed = subnets.some((subnet, i) => subnet !== record.subnets[i]);
  return { record: { ...record, name, subnets, ...(changed ? { ipam: { ...record.ipam, Config: subnets.map(shown) } } : {}) }, warnings };
}

function subnetAgain(record: NetworkRecord, before: SubnetRecord, { used, routed, pools }: JoinContext): SubnetRecord {
  const prefix = prefixOf(before.subnet);
  const isTaken = (by: readonly Prefix[]): boolean => by.some((other) => overlaps(other, prefix));
  if (record.ownSubnets) {
    if (isTaken(used)) throw cannot(record, `its subnet ${before.subnet} overlaps with another network's by now`);
    return before;
  }
  if (!isTaken([...used, ...routed])) return before;
  const subnet = freeSubnet(prefix.family, pools, [...used, ...routed]);
  return { ...before, subnet: prefixText(subnet), gateway: before.gateway === "" ? "" : firstAddress(subnet) };
}

const shown = ({ subnet, gateway }: SubnetRecord): { Subnet: string; Gateway?: string } => ({
  Subnet: subnet,
  ...(gateway === "" ? {} : { Gateway: gateway }),
});

const cannot = ({ name }: NetworkRecord, why: string): EngineError => new EngineError("conflict", `network ${name} cannot be brought back: ${why}`);
