import type { Family } from "#core/networks/address.ts";

export const TABLE = "slipway";

/** What daemon.json says of packets; absent is as dockerd without the key. */
export interface PacketPolicy {
  readonly iptables?: boolean;
  readonly ip6tables?: boolean;
  readonly ipForward?: boolean;
  readonly allowDirectRouting?: boolean;
  readonly userlandProxy?: boolean;
}

/** Families whose packets rules are made for. */
export const ruledFamilies = ({ iptables = true, ip6tables = true }: PacketPolicy): Family[] => [
  ...(iptables ? ([4] as const) : []),
  ...(ip6tables ? ([6] as const) : []),
];

export const familyName = (family: Family): "ip" | "ip6" => (family === 4 ? "ip" : "ip6");
