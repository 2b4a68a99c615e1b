import type { Prefix } from "./address.ts";
import type { NetworkRecord } from "./record.ts";
import type { EndpointRecord } from "./sandbox-record.ts";

/** What others' containers do, told to who gives out addresses and answers names. */
export interface SharedListener {
  /** A container of another engine is on one of this engine's networks. */
  appeared(endpoint: EndpointRecord): void;
  gone(endpoint: EndpointRecord): void;
  /** An address was given to somebody else while this engine was away: the endpoint must not use it any more. */
  lost(endpoint: EndpointRecord): void;
}

/** Networks that are the same on several engines: who is on them is agreed in one place, and packets go from host to host. */
export interface SharedNetworks {
  /** What fits into a packet between hosts. */
  readonly mtu: number;
  /**
   * The network that all engines know by this name; when there is none, `propose` says what it becomes: it is told the subnets and
   * the number that are free. This engine is a member from then on. Class unavailable when nobody can be asked.
   */
  join(name: string, propose: (free: { readonly used: readonly Prefix[]; readonly vni: number }) => NetworkRecord): Promise<NetworkRecord>;
  /** This engine is a member no longer, the last one takes the network along. What cannot be said now is forgotten by the others in time. */
  leave(record: NetworkRecord): Promise<void>;
  /** Leads packets between the network's bridge and the other hosts. Again is fine. */
  attach(record: NetworkRecord): void;
  /** Missing is fine. */
  detach(record: NetworkRecord): void;
  /** Takes the endpoint's addresses for it. Class conflict when somebody else has one, unavailable when nobody can be asked. */
  claim(endpoint: EndpointRecord): Promise<void>;
  /** Says again what was claimed, changed or by an earlier engine: in time, and for as long as it is not released. */
  hold(endpoint: EndpointRecord): void;
  release(endpoint: EndpointRecord): void;
  /** Settles when what was released is known to the others, or they cannot be told now. */
  released(): Promise<void>;
  /** Tells what there is and what comes. There is one listener. */
  follow(listener: SharedListener): void;
}
