import { createHash } from "node:crypto";
import { closeSync, openSync } from "node:fs";
import { EngineError } from "#base/errors.ts";
import { KernelError, type Netlink } from "#core/kernel/kernel.ts";
import type { Link, ParentNetwork } from "#core/networks/driver.ts";
import { vlanOf } from "#core/networks/parent-options.ts";
import { type Link as KernelLink, NLM_F, RTM, setAlias } from "#core/networks/rtnetlink.ts";
import { ipvlanData, macvlanData, newDummy, newOnParent, newVlan } from "./messages.ts";

/** What the bridge driver lends: its conversation with the kernel, and how it finds and marks interfaces. */
export interface Links {
  netlink(): Netlink;
  find(name: string): KernelLink | undefined;
  aliasOf(network: { readonly id: string }): string;
  remove(index: number): void;
}

const lacking = (error: unknown): boolean => error instanceof KernelError && ["EOPNOTSUPP", "ENOTSUP"].includes(error.code);

/** What an interface on a parent is called until it has its name. */
export const stagedName = (netns: string, { containerInterface }: Link): string =>
  `slip${createHash("sha256").update(`${netns} ${containerInterface}`).digest("hex").slice(0, 10)}`;

/** Networks on interfaces of this machine. A VLAN's interface is made where it is missing, and goes with the network that made it. */
export class Parents {
  readonly #links: Links;

  constructor(links: Links) {
    this.#links = links;
  }

  ensure(network: ParentNetwork): void {
    const name = network.interface;
    if (this.#links.find(name) !== undefined) return;
    if (network.dummy) this.#make(network, newDummy(name), "dummy");
    else {
      const { base, id } = vlanOf(name);
      const under = this.#links.find(base);
      if (under === undefined) throw new EngineError("invalidArgument", `-o parent interface was not found on the host: ${base}`);
      this.#make(network, newVlan({ name, base: under.index, id }), "vlan");
    }
  }

  #make(network: ParentNetwork, message: Uint8Array, kind: string): void {
    const name = network.interface;
    try {
      this.#links.netlink().request(RTM.NEWLINK, NLM_F.CREATE | NLM_F.EXCL, message);
    } catch (cause) {
      if (!lacking(cause)) throw cause;
      throw new EngineError("invalidArgument", `failed to create ${name} ${kind} link: operation not supported by this kernel`, { cause });
    }
    const made = this.#links.find(name);
    if (made !== undefined) this.#links.netlink().request(RTM.NEWLINK, 0, setAlias(made.index, this.#links.aliasOf(network)));
  }

  remove(network: ParentNetwork): void {
    const there = this.#links.find(network.interface);
    if (there?.alias === this.#links.aliasOf(network)) this.#links.remove(there.index);
  }

  /**
   * Leaves the interface down, without addresses, under the name that is answered: kernels before 6.15 make it where its parent is,
   * and its own name may be taken there.
   */
  attach(netns: string, network: ParentNetwork, link: Link): string {
    const parent = this.#links.find(network.interface);
    if (parent === undefined) throw new EngineError("invalidArgument", `-o parent interface was not found on the host: ${network.interface}`);
    const { driver: kind, mode, flag } = network;
    const name = stagedName(netns, link);
    const fd = openSync(netns, "r");
    try {
      const data = kind === "macvlan" ? macvlanData(mode) : ipvlanData(mode, flag);
      const what = { kind, name, parent: parent.index, mac: link.mac, netnsFd: fd, data };
      this.#links.netlink().request(RTM.NEWLINK, NLM_F.CREATE | NLM_F.EXCL, newOnParent(what));
      return name;
    } catch (cause) {
      if (!lacking(cause)) throw cause;
      throw new EngineError("invalidArgument", `this kernel has no ${kind}: load its module, or give the network another driver`, { cause });
    } finally {
      closeSync(fd);
    }
  }
}
