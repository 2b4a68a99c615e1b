import { type Family, familyOf, type Prefix, prefixText } from "#core/networks/address.ts";
import type { BridgeNetwork, LinkedPair, OpenPort } from "#core/networks/driver.ts";
import { bulkRule, bulkTable } from "./bulk.ts";
import { familyName, type PacketPolicy, ruledFamilies, TABLE } from "./policy.ts";
import { openElement, portSets, publishedElement } from "./port-sets.ts";
import { strayChain, strayMark } from "./strays.ts";

/** The machine around a VM, seen from inside it. */
export interface Surroundings {
  /** Addresses by which the VM's user network stands for that machine's own loopback: nothing in here may send to them. */
  readonly forbidden: readonly Prefix[];
  /** The resolver among them, asked on port 53 by what has the VM's own network. */
  readonly resolver?: string;
  /** Where everything outside is reached from here. */
  readonly router?: { readonly address: string; readonly interface: string /** This kernel has flow tables. */; readonly flowTable?: true };
  /** Where every TCP port of one address is served. */
  readonly gateway?: { readonly address: string; readonly port: number };
}

export interface Ruled {
  readonly networks: readonly BridgeNetwork[];
  readonly around?: Surroundings;
  readonly policy?: PacketPolicy;
  readonly ports?: Iterable<OpenPort>;
  readonly links?: readonly LinkedPair[];
}

/**
 * The one nft table of all networks, as a batch that replaces it in a single transaction. Its chains accept by default:
 * what does not touch our bridges is none of our business.
 */
export function rulesText({ networks, around = { forbidden: [] }, policy = {}, ports = [], links = [] }: Ruled): string {
  const clear = `add table inet ${TABLE}\ndelete table inet ${TABLE}\n`;
  const { forbidden } = around;
  if (networks.length === 0 && forbidden.length === 0) return clear;
  const families = ruledFamilies(policy);
  const bridges = networks.map(({ bridge }) => `"${bridge}"`).join(", ");
  return `${clear}table inet ${TABLE} {
${[...portSets(networks, families, policy), ...outputChain(around, networks), ...gatewayChain(around)].join("\n")}
${around.router === undefined || bridges === "" ? "" : strayChain(around.router.interface, bridges)}${around.router?.flowTable && bridges !== "" ? bulkTable(around.router.interface, bridges) : ""}  chain forward {
    type filter hook forward priority filter; policy accept;
${networks
  .flatMap((network) => [...forbiddenRules(network, around), ...families.flatMap((family) => forwardRules(network, family, { policy, bridges, links }))])
  .map(indented)
  .join("\n")}
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
${networks
  .flatMap((network) => families.flatMap((family) => [...relayRules(network, family, around), ...masqueradeRules(network, family, policy)]))
  .map(indented)
  .join("\n")}
  }
}
${[...ports].map((port) => openElement("add", port, families) + publishedElement("add", port, families)).join("")}`;
}

/** For containers that have the VM's own network: theirs is not told apart from the engine's, which wants nothing there but names. */
function outputChain({ forbidden, resolver }: Surroundings, networks: readonly BridgeNetwork[]): string[] {
  // Linked containers talk by way of the bridge; they must not be told of the short way, which is closed.
  const redirects = networks.filter(({ icc }) => !icc).map(({ bridge }) => `    oifname "${bridge}" icmp type redirect drop`);
  if (forbidden.length === 0 && redirects.length === 0) return [];
  return [
    "  chain output {",
    "    type filter hook output priority filter; policy accept;",
    ...redirects,
    ...(forbidden.length === 0 ? [] : ['    oifname "lo" accept']),
    // A refusal is an answer, too.
    ...(forbidden.length === 0 ? [] : ["    ct direction reply accept"]),
    ...(resolver === undefined ? [] : [`    ip daddr ${resolver} meta l4proto { tcp, udp } th dport 53 accept`]),
    ...forbidden.map((prefix) => `    ${familyName(prefix.family)} daddr ${prefixText(prefix)} reject`),
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

const indented = (rule: string): string => `    ${rule}`;

/** Addresses of the machine around us that containers must not reach. */
const forbiddenRules = ({ bridge }: BridgeNetwork, { forbidden, router }: Surroundings): string[] => {
  const out = `iifname "${bridge}" oifname != "${bridge}"`;
  if (forbidden.length === 0) return [];
  return [
    // QEMU's user network (libslirp's sbreserve) drops what its client has sent when a first answer comes again, as it does from a server
    // whose queue was full, unless that answer says no segment size.
    `${out} ct direction reply ct status dnat tcp flags & (syn | ack) == (syn | ack) reset tcp option maxseg`,
    ...(router?.flowTable ? [bulkRule(out)] : []),
    // Answers to who came from there to a published port.
    `${out} ct direction reply ct status dnat accept`,
    ...forbidden.map((prefix) => `${out} ${familyName(prefix.family)} daddr ${prefixText(prefix)} reject`),
  ];
};

interface ForwardContext {
  readonly policy: PacketPolicy;
  readonly bridges: string;
  readonly links: readonly LinkedPair[];
}

/** Bridge to itself is free where containers may talk; into a bridge come only answers to what its containers began and what is published, so networks are apart. */
function forwardRules(network: BridgeNetwork, family: Family, { policy, bridges, links }: ForwardContext): string[] {
  const { bridge, internal, icc } = network;
  const of = `meta nfproto ${family === 4 ? "ipv4" : "ipv6"}`;
  const inwards = `${of} iifname != "${bridge}" oifname "${bridge}"`;
  const across = `${of} iifname "${bridge}" oifname "${bridge}"`;
  return [
    ...(icc ? [] : [...links.flatMap((pair) => linkRules(across, pair, family)), `${across} drop`]),
    ...(internal
      ? [`${inwards} drop`, `${of} iifname "${bridge}" oifname != "${bridge}" drop`]
      : [
          `${inwards} ct state established,related accept`,
          `${inwards} ct status dnat accept`,
          `${inwards} iifname { ${bridges} } drop`,
          ...directRules(network, inwards, family, policy),
          `${inwards} drop`,
        ]),
  ];
}

/** What may come to a container's own address from outside. */
function directRules({ modes, trusted }: BridgeNetwork, inwards: string, family: Family, { allowDirectRouting = false }: PacketPolicy): string[] {
  const open = `${familyName(family)} daddr . meta l4proto . th dport @open${family} accept`;
  switch (modes[family]) {
    case "nat-unprotected":
      return [`${inwards} accept`];
    case "routed":
      return [`${inwards} ${open}`, `${inwards} meta l4proto ${family === 4 ? "icmp" : "icmpv6"} accept`];
    case "nat":
    case "isolated":
      if (allowDirectRouting) return [`${inwards} ${open}`];
      return trusted.map((name) => `${inwards} iifname "${name}" ${open}`);
  }
}

/** Without connection tracking, as dockerd's: answers come from the port that was asked. */
function linkRules(across: string, { from, to, ports }: LinkedPair, family: Family): string[] {
  if (familyOf(from) !== family) return [];
  const ip = familyName(family);
  return ports.flatMap(({ proto, port }) => [
    `${across} ${ip} saddr ${from} ${ip} daddr ${to} ${proto} dport ${port} accept`,
    `${across} ${ip} saddr ${to} ${ip} daddr ${from} ${proto} sport ${port} accept`,
  ]);
}

/** Who comes from the loopback of the machine around is for containers the gateway, as one of this machine's own would be; so is who has an address of ours. */
const relayRules = ({ bridge }: BridgeNetwork, family: Family, { forbidden }: Surroundings): string[] =>
  forbidden.length === 0
    ? []
    : [
        ...forbidden
          .filter((prefix) => prefix.family === family)
          .map((prefix) => `oifname "${bridge}" ${familyName(family)} saddr ${prefixText(prefix)} masquerade`),
        ...(family === 4 ? [`oifname "${bridge}" ct mark ${strayMark} masquerade`] : []),
      ];

function masqueradeRules({ bridge, internal, masquerade, modes, subnets, hostAddresses }: BridgeNetwork, family: Family, policy: PacketPolicy): string[] {
  if (internal || modes[family] === "routed" || modes[family] === "isolated") return [];
  const source = hostAddresses[family];
  const target = source === undefined ? "masquerade" : `snat ${familyName(family)} to ${source}`;
  const out = subnets
    .filter(({ subnet }) => masquerade && subnet.family === family)
    .map(({ subnet }) => `${familyName(family)} saddr ${prefixText(subnet)} oifname != "${bridge}" ${target}`);
  if (family === 6) return out;
  // Answers to the machine's own loopback, and to containers of the same network, must come back this way.
  const loopback = `oifname "${bridge}" ip saddr 127.0.0.0/8 masquerade`;
  if (policy.userlandProxy !== false) return [...out, loopback];
  const inside = subnets
    .filter(({ subnet }) => subnet.family === family)
    .map(({ subnet }) => `oifname "${bridge}" ip saddr ${prefixText(subnet)} ct status dnat masquerade`);
  return [...out, loopback, ...inside];
}
