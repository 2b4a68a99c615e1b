/**
 * Published ports as nft sets: which host ports lead to which container's, and which ports of containers are open to the outside.
 * Elements come and go one by one; the rules that look them up stay.
 */
import { type Family, familyOf } from "#core/networks/address.ts";
import type { BridgeNetwork, OpenPort } from "#core/networks/driver.ts";
import { familyName, type PacketPolicy, TABLE } from "./policy.ts";

const addressType = (family: Family): string => (family === 4 ? "ipv4_addr" : "ipv6_addr");

/**
 * TCP connections from outside go straight to the container, which sees who asks; those of this machine to its loopback, too, from the
 * bridge's address. Those of other containers are carried by the listener on the port: unless `userland-proxy` is off. Datagrams are
 * always carried: a flow that the kernel once sent to a container would go there as long as it lasts, whoever has the port by then.
 */
export function portSets(networks: readonly BridgeNetwork[], families: readonly Family[], policy: PacketPolicy): string[] {
  if (networks.length === 0) return [];
  const carried = policy.userlandProxy !== false;
  const bridges = networks.map(({ bridge }) => `"${bridge}"`).join(", ");
  return [
    ...families.flatMap((family) => {
      const address = addressType(family);
      return [
        `  set open${family} { type ${address} . inet_proto . inet_service; }`,
        `  map at${family} { type ${address} . inet_service : ${address} . inet_service; }`,
        // With the protocol, although it is always TCP: nft up to 1.0.6 crashes on a single key that maps to several values.
        `  map any${family} { type inet_proto . inet_service : ${address} . inet_service; }`,
      ];
    }),
    "  chain prerouting {",
    "    type nat hook prerouting priority dstnat; policy accept;",
    ...(carried ? [`    iifname { ${bridges} } return`] : []),
    ...families.flatMap((family) => dnatRules(family, family === 6 ? "" : "ip daddr != 127.0.0.0/8 ")),
    "  }",
    "  chain published {",
    "    type nat hook output priority -100; policy accept;",
    ...families.flatMap((family) => dnatRules(family, family === 6 ? "ip6 daddr != ::1 " : "")),
    "  }",
    ...(families.includes(4) ? loopbackGuard(bridges) : []),
  ];
}

/** Bridges route this machine's loopback, for answers only: a container that sends to it, or as it, is not heard. */
const loopbackGuard = (bridges: string): string[] => [
  "  chain loopback {",
  "    type filter hook prerouting priority raw; policy accept;",
  ...["saddr", "daddr"].map((end) => `    iifname { ${bridges} } ip ${end} 127.0.0.0/8 drop`),
  "  }",
];

function dnatRules(family: Family, unless: string): string[] {
  const ip = familyName(family);
  const local = `    ${unless}fib daddr type local meta nfproto ${family === 4 ? "ipv4" : "ipv6"}`;
  return [
    `${local} dnat ${ip} to ${ip} daddr . tcp dport map @at${family}`,
    `${local} meta l4proto tcp dnat ${ip} to meta l4proto . th dport map @any${family}`,
  ];
}

const UNSPECIFIED = ["0.0.0.0", "::"];

/** The element that lets packets to the container's port in; none where its family has no rules. */
export function openElement(verb: "add" | "delete", { proto, address, port }: OpenPort, families: readonly Family[]): string {
  const family = familyOf(address);
  return family === undefined || !families.includes(family) ? "" : element(verb, `open${family}`, `${address} . ${proto} . ${port}`);
}

/** The element that leads from the port of this machine to the container's. From one family to the other only the listener can carry. */
export function publishedElement(verb: "add" | "delete", { proto, address, port, at }: OpenPort, families: readonly Family[]): string {
  const family = familyOf(address);
  if (family === undefined || !families.includes(family) || at === undefined || proto !== "tcp" || familyOf(at.address) !== family) return "";
  const target = `${address} . ${port}`;
  if (UNSPECIFIED.includes(at.address)) return element(verb, `any${family}`, `${proto} . ${at.port} : ${target}`);
  return element(verb, `at${family}`, `${at.address} . ${at.port} : ${target}`);
}

const element = (verb: string, set: string, text: string): string => `${verb} element inet ${TABLE} ${set} { ${text} }\n`;
