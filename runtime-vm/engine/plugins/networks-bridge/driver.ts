import { closeSync, openSync } from "node:fs";
import { EngineError } from "#base/errors.ts";
import type { Kernel, Netlink } from "#core/kernel/kernel.ts";
import { type Prefix, prefixOf } from "#core/networks/address.ts";
import type { BridgeNetwork, GatewayRoute, Link, LinkedPair, NetworkDriver, OpenPort, ParentNetwork } from "#core/networks/driver.ts";
import { type Link as KernelLink, NLM_F, RTM, setUp } from "#core/networks/rtnetlink.ts";
import { allAddresses, allRoutes, bridgePort, defaultRoute, directRoute, newAddress, newVeth, parseAddress, parseRoute, setName } from "./messages.ts";
import { aliasOf, Bridges } from "./bridges.ts";
import { linkIn, missing, removeIn } from "./interfaces.ts";
import { Parents, stagedName } from "./parents.ts";
import { type PacketPolicy, ruledFamilies } from "./policy.ts";
import { openElement, publishedElement } from "./port-sets.ts";
import { rulesText, type Surroundings } from "./rules.ts";
import { routeStrays } from "./strays.ts";
import { forwarding, writeAsked, writeSysctl } from "./sysctls.ts";

const noForeignBridge = (name: string): EngineError =>
  new EngineError("notFound", `error creating default "bridge" network: bridge device with non default name ${name} must be created manually`);

/**
 * Bridge networks by rtnetlink and nft in the namespace this process runs in. A bridge keeps its fixed address, so it
 * does not change with its ports; a container's veth is `ethN` inside and `veth…` in the bridge.
 */
export class BridgeDriver implements NetworkDriver, Disposable {
  readonly #kernel: Kernel;
  readonly #around: Surroundings;
  readonly #policy: PacketPolicy;
  readonly #bridges: Bridges;
  readonly #parents: Parents;
  readonly #ports = new Set<OpenPort>();
  #networks: readonly BridgeNetwork[] = [];
  #links: readonly LinkedPair[] = [];
  #link: Netlink | undefined;

  constructor(kernel: Kernel, around: Surroundings = { forbidden: [] }, policy: PacketPolicy = {}) {
    this.#kernel = kernel;
    this.#around = around;
    this.#policy = policy;
    const remove = (index: number): void => this.#remove(index);
    const interfaces = { netlink: (): Netlink => this.#netlink(), find: (name: string): KernelLink | undefined => this.#find(name), remove };
    this.#bridges = new Bridges(interfaces);
    this.#parents = new Parents({ ...interfaces, aliasOf });
  }

  routes(): readonly Prefix[] {
    const { gateway } = this.#around;
    const found: Prefix[] = gateway === undefined ? [] : [prefixOf(`${gateway.address}/32`)];
    for (const family of [4, 6] as const) {
      for (const message of this.#netlink().request(RTM.GETROUTE, NLM_F.DUMP, allRoutes(family))) {
        const route = parseRoute(message);
        if (route === undefined || route.destination[0] === 0xfe) continue; // link-local is on every interface
        const value = [...route.destination].reduce((all, byte) => (all << 8n) | BigInt(byte), 0n);
        found.push({ family, base: value, length: route.length });
      }
    }
    return found;
  }

  ensureBridge(network: BridgeNetwork): void {
    if (network.foreign) {
      if (this.#find(network.bridge) === undefined) throw noForeignBridge(network.bridge);
    } else this.#bridges.ensure(network);
    if (this.#policy.ipForward !== false) forwarding(network.subnets.some(({ subnet }) => subnet.family === 6));
    // Kept apart at their ports, linked containers find each other by the bridge, which answers for them (RFC 3069).
    if (!network.icc) {
      writeSysctl(`ipv4/conf/${network.bridge}/proxy_arp_pvlan`, "1");
      writeSysctl(`ipv4/neigh/${network.bridge}/proxy_delay`, "0");
    }
    if (ruledFamilies(this.#policy).includes(4)) writeSysctl(`ipv4/conf/${network.bridge}/route_localnet`, "1");
  }

  sweep(known: ReadonlySet<string>): void {
    this.#bridges.sweep(known);
  }

  removeBridge(network: BridgeNetwork): void {
    this.#bridges.remove(network);
  }

  program(networks: readonly BridgeNetwork[]): void {
    const { gateway } = this.#around;
    if (gateway !== undefined) this.#netlink().request(RTM.NEWADDR, NLM_F.CREATE | NLM_F.REPLACE, newAddress(this.#get("lo").index, gateway.address, 32));
    this.#networks = networks;
    this.#program();
  }

  #program(): void {
    const { router, ...rest } = this.#around;
    const out = router === undefined ? undefined : this.#find(router.interface);
    if (router !== undefined && out !== undefined) routeStrays(this.#netlink(), { ...router, index: out.index });
    const around = router === undefined || out === undefined ? rest : { ...rest, router };
    this.#kernel.nft(rulesText({ networks: this.#networks, around, policy: this.#policy, ports: this.#ports, links: this.#links }));
  }

  open(port: OpenPort): Disposable {
    const families = ruledFamilies(this.#policy);
    this.#batch(openElement("add", port, families) + publishedElement("add", port, families));
    this.#ports.add(port);
    return {
      [Symbol.dispose]: () => {
        this.#ports.delete(port);
        // Published at several places it is open as long as one is left.
        const last = ![...this.#ports].some(({ proto, address, port: number }) => proto === port.proto && address === port.address && number === port.port);
        this.#batch((last ? openElement("delete", port, families) : "") + publishedElement("delete", port, families));
      },
    };
  }

  leads(port: OpenPort): boolean {
    return publishedElement("add", port, ruledFamilies(this.#policy)) !== "";
  }

  /** Without networks there is no table. */
  #batch(elements: string): void {
    if (this.#networks.length > 0 && elements !== "") this.#kernel.nft(elements);
  }

  link(pairs: readonly LinkedPair[]): void {
    if (JSON.stringify(pairs) === JSON.stringify(this.#links)) return;
    this.#links = pairs;
    this.#program();
  }

  addressesOf(name: string): readonly string[] {
    const there = this.#find(name);
    if (there === undefined) throw noForeignBridge(name);
    const all = this.#netlink().request(RTM.GETADDR, NLM_F.DUMP, allAddresses()).map(parseAddress);
    return all.filter(({ index, global }) => index === there.index && global).map(({ address, length }) => `${address}/${length}`);
  }

  createSandbox(netns: string): void {
    this.#kernel.createNetns(netns);
  }

  createSandboxOf(netns: string, userns: string): Promise<void> {
    return this.#kernel.createNetnsOf(netns, userns);
  }

  attach(netns: string, network: BridgeNetwork, link: Link): void {
    const bridge = this.#get(network.bridge).index;
    const fd = openSync(netns, "r");
    try {
      const peer = { name: link.containerInterface, mac: link.mac, netnsFd: fd };
      this.#netlink().request(RTM.NEWLINK, NLM_F.CREATE | NLM_F.EXCL, newVeth({ name: link.hostInterface, bridge, mtu: network.mtu, peer }));
    } finally {
      closeSync(fd);
    }
    // Packet rules may bring a container's own request back to it.
    const port = { isolated: !network.icc, hairpin: this.#policy.userlandProxy === false };
    if (port.isolated || port.hairpin) this.#netlink().request(RTM.SETLINK, 0, bridgePort(this.#get(link.hostInterface).index, port));
    this.#configure(netns, link);
  }

  ensureParent(network: ParentNetwork): void {
    this.#parents.ensure(network);
  }

  removeParent(network: ParentNetwork): void {
    this.#parents.remove(network);
  }

  attachToParent(netns: string, network: ParentNetwork, link: Link): void {
    const name = this.#parents.attach(netns, network, link);
    using inside = this.#kernel.rtnetlink(netns);
    inside.request(RTM.NEWLINK, 0, setName(linkIn(inside, name).index, link.containerInterface));
    this.#configure(netns, link);
  }

  /** The container's end: addresses, and up. */
  #configure(netns: string, link: Link): void {
    if (!link.addresses.some(({ address }) => address.includes(":"))) {
      this.#kernel.inNetns(netns, () => writeSysctl(`ipv6/conf/${link.containerInterface}/disable_ipv6`, "1"));
    }
    if (link.sysctls.length > 0) this.#kernel.inNetns(netns, () => link.sysctls.forEach(writeAsked));
    using inside = this.#kernel.rtnetlink(netns);
    const { index } = linkIn(inside, link.containerInterface);
    for (const { address, length } of link.addresses) inside.request(RTM.NEWADDR, NLM_F.CREATE | NLM_F.EXCL, newAddress(index, address, length));
    inside.request(RTM.NEWLINK, 0, setUp(index, true));
  }

  detach(netns: string, link: Link): void {
    if (link.hostInterface === "") {
      for (const name of [stagedName(netns, link), link.containerInterface]) removeIn(this.#kernel, netns, name);
      return;
    }
    const there = this.#find(link.hostInterface);
    if (there !== undefined) this.#remove(there.index);
  }

  setGateways(netns: string, gateways: readonly GatewayRoute[]): void {
    using inside = this.#kernel.rtnetlink(netns);
    for (const { family, address, containerInterface } of gateways) {
      const { index } = linkIn(inside, containerInterface);
      inside.request(RTM.NEWROUTE, NLM_F.CREATE | NLM_F.REPLACE, address === "" ? directRoute(family, index) : defaultRoute(address, index));
    }
  }

  removeSandbox(netns: string, links: readonly Link[]): void {
    for (const link of links) {
      const there = link.hostInterface === "" ? undefined : this.#find(link.hostInterface);
      if (there !== undefined) this.#netlink().request(RTM.NEWLINK, 0, setUp(there.index, false));
    }
    this.#kernel.removeNetns(netns);
  }

  sandboxLives(netns: string, links: readonly Link[]): boolean {
    return this.#kernel.isMountPoint(netns) && links.every((link) => link.hostInterface === "" || this.#find(link.hostInterface) !== undefined);
  }

  [Symbol.dispose](): void {
    this.#link?.[Symbol.dispose]();
    this.#link = undefined;
  }

  #netlink(): Netlink {
    return (this.#link ??= this.#kernel.rtnetlink());
  }

  #get(name: string): KernelLink {
    return linkIn(this.#netlink(), name);
  }

  #find(name: string): KernelLink | undefined {
    try {
      return this.#get(name);
    } catch (error) {
      if (missing(error)) return undefined;
      throw error;
    }
  }

  #remove(index: number): void {
    try {
      this.#netlink().request(RTM.DELLINK, 0, setUp(index, false));
    } catch (error) {
      if (!missing(error)) throw error;
    }
  }
}
