import type { State } from "../state/state.ts";
import type { Prefix } from "./address.ts";
import type { BridgeNetwork } from "./driver.ts";
import { SubnetPool } from "./ipam.ts";
import { markEndpoint } from "./plan.ts";
import { bridgeOf, type NetworkRecord, NetworkTable, subnetsOf } from "./record.ts";
import type { EndpointRecord } from "./sandbox-record.ts";

/** A network that is there: its record, its free addresses, who is connected. */
export interface LiveNetwork {
  readonly record: NetworkRecord;
  readonly subnets: readonly SubnetPool[];
  readonly endpoints: Set<EndpointRecord>;
}

/** The networks that are recorded, with who is connected to them. The kernel is somebody else's affair. */
export class NetworkRegister {
  readonly live = new Map<string, LiveNetwork>();
  readonly #table: NetworkTable;

  constructor(state: State) {
    this.#table = new NetworkTable(state);
    for (const record of this.#table.all()) this.add(record);
  }

  get records(): readonly NetworkRecord[] {
    return [...this.live.values()].map(({ record }) => record);
  }

  /** What is not recorded yet, or recorded by somebody else. */
  add(record: NetworkRecord): void {
    this.live.set(record.id, { record, subnets: subnetsOf(record).map((config) => new SubnetPool(config)), endpoints: new Set() });
  }

  save(record: NetworkRecord): void {
    this.record(record);
    this.add(record);
  }

  record(record: NetworkRecord): void {
    this.#table.save(record);
  }

  /** Who is connected stays connected. */
  replace(record: NetworkRecord): void {
    const before = this.live.get(record.id);
    if (before !== undefined && JSON.stringify(before.record) === JSON.stringify(record)) return;
    this.save(record);
    const now = this.live.get(record.id);
    for (const endpoint of before?.endpoints ?? []) {
      now?.endpoints.add(endpoint);
      if (now !== undefined) markEndpoint(now, endpoint);
    }
  }

  /** The record alone. */
  unrecord({ id }: NetworkRecord): void {
    this.#table.remove(id);
  }

  /** Networks whose configuration is this one's. */
  dependants({ id, name }: NetworkRecord): readonly NetworkRecord[] {
    return this.records.filter(({ configFrom }) => configFrom !== undefined && (configFrom === name || configFrom === id));
  }

  subnets(): Prefix[] {
    return [...this.live.values()].flatMap(({ subnets }) => subnets.map(({ config }) => config.subnet));
  }

  bridges(): BridgeNetwork[] {
    return this.records.flatMap((record) => bridgeOf(record) ?? []);
  }
}
