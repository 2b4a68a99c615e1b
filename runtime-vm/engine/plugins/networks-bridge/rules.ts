import { type Prefix, prefixText } from "#core/networks/address.ts";
import type { BridgeNetwork } from "#core/networks/driver.ts";

export const TABLE = "slipway";

/**
 * The one nft table of all networks, as a batch that replaces it in a single transaction. Its chains accept by default:
 * what does not touch our bridges is none of our business. `forbidden`: where no container may send to.
 */
export function rulesText(networks: readonly BridgeNetwork[], forbidden: readonly Prefix[] = []): string {
  const clear = `add table inet ${TABLE}\ndelete table inet ${TABLE}\n`;
  if (networks.length === 0) return clear;
  return `${clear}table inet ${TABLE} {
  chain forward {
    type filter hook forward priority filter; policy accept;
${networks
  .flatMap((network) => [...forbiddenRules(network, forbidden), ...forwardRules(network)])
  .map(indented)
  .join("\n")}
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
${networks.flatMap(masqueradeRules).map(indented).join("\n")}
  }
}
`;
}

const indented = (rule: string): string => `    ${rule}`;

/** Addresses of the machine around us that containers must not reach. */
const forbiddenRules = ({ bridge }: BridgeNetwork, forbidden: readonly Prefix[]): string[] =>
  forbidden.map((prefix) => `iifname "${bridge}" oifname != "${bridge}" ${prefix.family === 4 ? "ip" : "ip6"} daddr ${prefixText(prefix)} drop`);

/** Bridge to itself is free; into a bridge come only answers to what its containers began, so networks are apart and the LAN cannot route in. */
function forwardRules({ bridge, internal }: BridgeNetwork): string[] {
  const inwards = `iifname != "${bridge}" oifname "${bridge}"`;
  if (internal) return [`${inwards} drop`, `iifname "${bridge}" oifname != "${bridge}" drop`];
  return [`${inwards} ct state established,related accept`, `${inwards} drop`];
}

function masqueradeRules({ bridge, internal, masquerade, subnets }: BridgeNetwork): string[] {
  if (internal || !masquerade) return [];
  return subnets.map(({ subnet }) => `${subnet.family === 4 ? "ip" : "ip6"} saddr ${prefixText(subnet)} oifname != "${bridge}" masquerade`);
}
