import { type Prefix, prefixText } from "#core/networks/address.ts";
import type { BridgeNetwork } from "#core/networks/driver.ts";

export const TABLE = "slipway";

/** The machine around a VM, seen from inside it. */
export interface Surroundings {
  /** Addresses by which the VM's user network stands for that machine's own loopback: nothing in here may send to them. */
  readonly forbidden: readonly Prefix[];
  /** The resolver among them, asked on port 53 by what has the VM's own network. */
  readonly resolver?: string;
  /** Where every TCP port of one address is served. */
  readonly gateway?: { readonly address: string; readonly port: number };
}

/**
 * The one nft table of all networks, as a batch that replaces it in a single transaction. Its chains accept by default:
 * what does not touch our bridges is none of our business.
 */
export function rulesText(networks: readonly BridgeNetwork[], around: Surroundings = { forbidden: [] }): string {
  const clear = `add table inet ${TABLE}\ndelete table inet ${TABLE}\n`;
  const { forbidden } = around;
  if (networks.length === 0 && forbidden.length === 0) return clear;
  return `${clear}table inet ${TABLE} {
${[...outputChain(around), ...gatewayChain(around)].join("\n")}
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

/** For containers that have the VM's own network: theirs is not told apart from the engine's, which wants nothing there but names. */
function outputChain({ forbidden, resolver }: Surroundings): string[] {
  if (forbidden.length === 0) return [];
  return [
    "  chain output {",
    "    type filter hook output priority filter; policy accept;",
    '    oifname "lo" accept',
    ...(resolver === undefined ? [] : [`    ip daddr ${resolver} meta l4proto { tcp, udp } th dport 53 accept`]),
    ...forbidden.map((prefix) => `    ${familyName(prefix)} daddr ${prefixText(prefix)} reject`),
    "  }",
  ];
}

function gatewayChain({ gateway }: Surroundings): string[] {
  if (gateway === undefined) return [];
  return [
    "  chain gateway {",
    "    type filter hook prerouting priority mangle; policy accept;",
    `    ip daddr ${gateway.address} meta l4proto tcp tproxy ip to ${gateway.address}:${gateway.port} accept`,
    "  }",
  ];
}

const familyName = ({ family }: Prefix): "ip" | "ip6" => (family === 4 ? "ip" : "ip6");
const indented = (rule: string): string => `    ${rule}`;

/** Addresses of the machine around us that containers must not reach. */
const forbiddenRules = ({ bridge }: BridgeNetwork, forbidden: readonly Prefix[]): string[] =>
  forbidden.map((prefix) => `iifname "${bridge}" oifname != "${bridge}" ${familyName(prefix)} daddr ${prefixText(prefix)} reject`);

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
