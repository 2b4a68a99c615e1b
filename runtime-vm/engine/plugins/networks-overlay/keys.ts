/** What engines tell each other through etcd, and where. Everything but the networks themselves is under the lease of the engine that said it. */
import type { NetworkRecord } from "#core/networks/record.ts";
import type { EndpointRecord } from "#core/networks/sandbox-record.ts";

const ROOT = "/slipway/overlay";

export const keys = {
  networks: `${ROOT}/networks/`,
  /** By name. */
  network: (name: string): string => `${ROOT}/networks/${encodeURIComponent(name)}`,
  /** Changed with every network made, so that two of them do not get the same number or subnet. */
  generation: `${ROOT}/generation`,
  members: (network: string): string => `${ROOT}/members/${network}/`,
  member: (network: string, engine: string): string => `${ROOT}/members/${network}/${engine}`,
  endpoints: `${ROOT}/endpoints/`,
  endpointsOf: (network: string): string => `${ROOT}/endpoints/${network}/`,
  endpoint: (network: string, address: string): string => `${ROOT}/endpoints/${network}/${address}`,
} as const;

/** Who has an address: an endpoint of the engine that other hosts reach at `host`. */
export interface Holder {
  readonly host: string;
  readonly endpoint: EndpointRecord;
}

export const addressesOf = ({ ipv4, ipv6 }: EndpointRecord): string[] => [ipv4, ipv6].flatMap((address) => (address === undefined ? [] : [address.address]));
export const parseHolder = (value: string): Holder => JSON.parse(value) as Holder;
export const parseNetwork = (value: string): NetworkRecord => JSON.parse(value) as NetworkRecord;
