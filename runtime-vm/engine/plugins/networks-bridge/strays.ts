/**
 * Of connections to published ports, those whose client has an address that leads elsewhere in here, or is one of our own: their answers
 * must go out all the same.
 */
import { codeOf } from "#base/errors.ts";
import type { Netlink } from "#core/kernel/kernel.ts";
import { NLM_F, RTM } from "#core/networks/rtnetlink.ts";
import { defaultRouteOf, routingRule } from "./messages.ts";
import { writeSysctl } from "./sysctls.ts";

/** Of such connections; the number of their routing table, too. */
export const strayMark = 0x51a1;
/** The kernel's table of own addresses, which it asks first (rule 0) until we have put ours before it. */
const localTable = 255;
const priorities = { stray: 1, local: 2 } as const;

export interface Router {
  readonly address: string;
  readonly interface: string;
  readonly index: number;
}

/** What bears the mark goes out to the router, whatever its address. */
export function routeStrays(netlink: Netlink, router: Router): void {
  netlink.request(RTM.NEWROUTE, NLM_F.CREATE | NLM_F.REPLACE, defaultRouteOf(strayMark, router.address, router.index));
  const local = { table: localTable };
  unless("EEXIST", () => netlink.request(RTM.NEWRULE, NLM_F.CREATE | NLM_F.EXCL, routingRule({ ...local, priority: priorities.local })));
  unless("EEXIST", () =>
    netlink.request(RTM.NEWRULE, NLM_F.CREATE | NLM_F.EXCL, routingRule({ priority: priorities.stray, mark: strayMark, table: strayMark })),
  );
  unless("ENOENT", () => netlink.request(RTM.DELRULE, 0, routingRule({ ...local, priority: 0 })));
  // Else the kernel would not take a packet that says it comes from one of our own addresses.
  writeSysctl(`ipv4/conf/${router.interface}/accept_local`, "1");
}

/** Done already by an earlier start. */
function unless(code: string, work: () => unknown): void {
  try {
    work();
  } catch (error) {
    if (codeOf(error) !== code) throw error;
  }
}

/** Marks them, both ways: a client that answers would be sent to by another interface than it came by. `bridges`: as an nft set's elements. */
export const strayChain = (router: string, bridges: string): string => `  chain strays {
    type filter hook prerouting priority mangle; policy accept;
    iifname != { "lo", ${bridges} } ct state new fib saddr . iif oif missing ct mark set ${strayMark}
    iifname "${router}" ct state new fib saddr type local ct mark set ${strayMark}
    iifname { ${bridges} } ct direction reply ct mark ${strayMark} meta mark set ct mark
  }
`;
