/** Of connections to published ports, those whose client has an address that is in here, too: their answers must go out all the same. */
import { codeOf } from "#base/errors.ts";
import type { Netlink } from "#core/kernel/kernel.ts";
import { NLM_F, RTM } from "#core/networks/rtnetlink.ts";
import { defaultRouteOf, markRule } from "./messages.ts";

/** Of such connections; the number of their routing table, too. */
export const strayMark = 0x51a1;

/** What bears the mark goes out by `index`, whatever its address. */
export function routeStrays(netlink: Netlink, gateway: string, index: number): void {
  netlink.request(RTM.NEWROUTE, NLM_F.CREATE | NLM_F.REPLACE, defaultRouteOf(strayMark, gateway, index));
  try {
    netlink.request(RTM.NEWRULE, NLM_F.CREATE | NLM_F.EXCL, markRule(strayMark, strayMark));
  } catch (error) {
    // There since an earlier start.
    if (codeOf(error) !== "EEXIST") throw error;
  }
}

/** Marks them, both ways: a client that answers would be sent to by another interface than it came by. `bridges`: as an nft set's elements. */
export const strayChain = (bridges: string): string => `  chain strays {
    type filter hook prerouting priority mangle; policy accept;
    iifname != { "lo", ${bridges} } ct state new fib saddr . iif oif missing ct mark set ${strayMark}
    iifname { ${bridges} } ct direction reply ct mark ${strayMark} meta mark set ct mark
  }
`;
