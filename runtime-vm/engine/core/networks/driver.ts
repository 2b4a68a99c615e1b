import type { Family, Prefix } from "./address.ts";
import type { GatewayMode, ParentSettings } from "./record.ts";

/** A network as the kernel part sees it. */
export interface BridgeNetwork {
  readonly id: string;
  readonly bridge: string;
  readonly mac: string;
  readonly mtu: number;
  readonly subnets: readonly { readonly subnet: Prefix; readonly gateway: string }[];
  /** No way out of the subnet, none in. */
  readonly internal: boolean;
  readonly masquerade: boolean;
  /** Containers of this network may talk to each other. */
  readonly icc: boolean;
  /** The interface was there before us: it is neither made, nor addressed, nor removed. */
  readonly foreign: boolean;
  readonly modes: Readonly<Record<Family, GatewayMode>>;
  /** Source addresses of packets that leave; absent: those of the interface they leave by. */
  readonly hostAddresses: Partial<Readonly<Record<Family, string>>>;
  /** Interfaces from which published ports may be reached at the containers' own addresses. */
  readonly trusted: readonly string[];
}

/** A container's port that is open to the outside. */
export interface OpenPort {
  readonly proto: "tcp" | "udp";
  /** The container's. */
  readonly address: string;
  readonly port: number;
  /** Where on this machine it is published; absent: only at the container's own address, on networks that are routed. */
  readonly at?: { readonly address: string; readonly port: number };
}

/** A container (`from`) that may talk to another's ports (`to`) although the network keeps its containers apart. */
export interface LinkedPair {
  readonly from: string;
  readonly to: string;
  readonly ports: readonly { readonly proto: string; readonly port: number }[];
}

/** A network on an interface of this machine: macvlan or ipvlan. */
export interface ParentNetwork extends ParentSettings {
  readonly id: string;
}

/** One interface of a sandbox. */
export interface Link {
  /** Its other end; "" for one on an interface of the machine. */
  readonly hostInterface: string;
  readonly containerInterface: string;
  readonly mac: string;
  readonly addresses: readonly { readonly address: string; readonly length: number }[];
  /** Below /proc/sys of the container, written before the interface is up. */
  readonly sysctls: readonly { readonly path: string; readonly value: string | undefined }[];
}

/** A default route. Without an address it leads to the interface itself. */
export interface GatewayRoute {
  readonly family: Family;
  readonly address: string;
  readonly containerInterface: string;
}

/** The kernel half of networks: bridges, veth pairs, packet rules. Synchronous and short; each call is whole or throws. */
export interface NetworkDriver {
  /** Prefixes that the host already routes somewhere, except over our own bridges. */
  routes(): readonly Prefix[];
  /** Makes the bridge exist as described (idempotent). Class conflict when an interface of that name is not ours. */
  ensureBridge(network: BridgeNetwork): void;
  /** Removes bridges of networks that are not known any more (a crash, another root) and have no port. */
  sweep(known: ReadonlySet<string>): void;
  /** Missing is fine. */
  removeBridge(network: BridgeNetwork): void;
  /** Replaces all packet rules by those of exactly these networks; none at all when there are none. */
  program(networks: readonly BridgeNetwork[]): void;
  /** Lets packets from outside to a container's port, until disposed. */
  open(port: OpenPort): Disposable;
  /** Whether packet rules lead there from where it is published. */
  leads(port: OpenPort): boolean;
  /** Replaces the pairs of linked containers. */
  link(pairs: readonly LinkedPair[]): void;
  /** Addresses with prefix lengths of an interface; class notFound when there is none. */
  addressesOf(name: string): readonly string[];
  /** A network namespace at `netns` with `lo` up. */
  createSandbox(netns: string): void;
  /** The same, owned by the user namespace pinned at `userns`. */
  createSandboxOf(netns: string, userns: string): Promise<void>;
  attach(netns: string, network: BridgeNetwork, link: Link): void;
  /** Makes the interface that such a network is on, where it is the network's own or a VLAN's that is missing. Class invalidArgument when there is none to be on. */
  ensureParent(network: ParentNetwork): void;
  /** Removes an interface that `ensureParent` made. Missing is fine. */
  removeParent(network: ParentNetwork): void;
  attachToParent(netns: string, network: ParentNetwork, link: Link): void;
  /** Missing is fine. */
  detach(netns: string, link: Link): void;
  /** Replaces the default routes of the sandbox. Empty: none. */
  setGateways(netns: string, gateways: readonly GatewayRoute[]): void;
  /** Takes the host's ends down first, so that their addresses can be given anew at once. Missing is fine. */
  removeSandbox(netns: string, links: readonly Link[]): void;
  /** Whether the namespace and all links of a recorded sandbox are still there. */
  sandboxLives(netns: string, links: readonly Link[]): boolean;
}
