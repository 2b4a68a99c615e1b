/** Bridges that this engine makes, each marked as its network's. */
import { EngineError } from "#base/errors.ts";
import type { Netlink } from "#core/kernel/kernel.ts";
import type { BridgeNetwork } from "#core/networks/driver.ts";
import { ifinfo, type Link as KernelLink, NLM_F, parseLink, RTM, setAlias } from "#core/networks/rtnetlink.ts";
import { linkIn } from "./interfaces.ts";
import { newAddress, newBridge } from "./messages.ts";

/** Marks a bridge as made for this network, in the interface's alias. */
const ALIAS = "slipway:";
export const aliasOf = (network: { readonly id: string }): string => `${ALIAS}${network.id}`;

/** An engine killed between the two steps of making a bridge leaves it without its alias: its address tells whose it is. */
const isUnfinished = ({ kind, alias, mac }: KernelLink, network: BridgeNetwork): boolean =>
  kind === "bridge" && alias === "" && mac === network.mac.toLowerCase();

interface Around {
  readonly netlink: () => Netlink;
  readonly find: (name: string) => KernelLink | undefined;
  readonly remove: (index: number) => void;
}

export class Bridges {
  readonly #around: Around;

  constructor(around: Around) {
    this.#around = around;
  }

  /** Makes it, or takes up what an earlier engine made. */
  ensure(network: BridgeNetwork): void {
    const there = this.#around.find(network.bridge);
    if (there !== undefined && isUnfinished(there, network)) this.#around.netlink().request(RTM.NEWLINK, 0, setAlias(there.index, aliasOf(network)));
    else if (there !== undefined && (there.kind !== "bridge" || there.alias !== aliasOf(network))) {
      throw new EngineError("conflict", `interface ${network.bridge} exists and is not ours: remove it, or give the network another bridge name`);
    }
    const index = there?.index ?? this.#create(network);
    for (const { subnet, gateway } of network.subnets) {
      if (gateway !== "") this.#around.netlink().request(RTM.NEWADDR, NLM_F.CREATE | NLM_F.REPLACE, newAddress(index, gateway, subnet.length));
    }
  }

  #create(network: BridgeNetwork): number {
    this.#around.netlink().request(RTM.NEWLINK, NLM_F.CREATE | NLM_F.EXCL, newBridge({ name: network.bridge, mac: network.mac, mtu: network.mtu }));
    const { index } = linkIn(this.#around.netlink(), network.bridge);
    this.#around.netlink().request(RTM.NEWLINK, 0, setAlias(index, aliasOf(network)));
    return index;
  }

  /** Removes what belongs to no network known and has nobody in it. */
  sweep(known: ReadonlySet<string>): void {
    const links = this.#around.netlink().request(RTM.GETLINK, NLM_F.DUMP, ifinfo({})).map(parseLink);
    for (const { index, alias } of links) {
      if (!alias.startsWith(ALIAS) || known.has(alias.slice(ALIAS.length))) continue;
      if (!links.some(({ master }) => master === index)) this.#around.remove(index);
    }
  }

  remove(network: BridgeNetwork): void {
    const there = this.#around.find(network.bridge);
    if (!network.foreign && there?.alias === aliasOf(network)) this.#around.remove(there.index);
  }
}
