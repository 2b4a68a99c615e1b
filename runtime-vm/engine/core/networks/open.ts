import type { Bin } from "../bin/bin.ts";
import type { EventLog } from "../events/events.ts";
import type { Journal } from "../journal/journal.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { State } from "../state/state.ts";
import { SandboxContents } from "./contents.ts";
import type { NetworkDriver } from "./driver.ts";
import { hostFileReader } from "./host.ts";
import { type AddressPool, DEFAULT_POOLS } from "./ipam.ts";
import type { NameService } from "./names.ts";
import type { PortPublisher } from "./networks.ts";
import { SandboxManager } from "./sandboxes.ts";
import type { SharedNetworks } from "./shared.ts";
import { Networks, type NetworkStoreOptions } from "./store.ts";

export interface NetworkingOptions {
  readonly state: State;
  readonly bin: Bin;
  readonly kernel: Kernel;
  readonly events: EventLog;
  readonly journal: Journal;
  readonly driver: NetworkDriver;
  readonly names: NameService;
  readonly publisher: PortPublisher;
  readonly paths: { readonly netns: string; readonly sandboxes: string };
  readonly config: NetworkStoreOptions["settings"] & {
    readonly defaultAddressPools: readonly AddressPool[];
    readonly dns: readonly string[];
    readonly dnsSearch: readonly string[];
    readonly dnsOptions?: readonly string[];
    /** What `host-gateway` stands for; none: see `hostGateway`. */
    readonly hostGateways?: readonly string[];
    readonly hostPrefix: string;
  };
  /** Networks between engines; absent: there are none. */
  readonly shared?: SharedNetworks;
  /** Names are answered by `names` on every network, the default bridge included. */
  readonly resolveInside?: boolean;
  /** `host-gateway` of `--add-host`; absent: the default bridge's own address. */
  readonly hostGateway?: string;
  readonly fixedNames?: ReadonlyMap<string, string>;
  /** Pinned file of the user namespace of containers whose users are mapped. */
  readonly userns?: string;
}

export interface Networking extends AsyncDisposable {
  readonly networks: Networks;
  readonly sandboxes: SandboxManager;
}

/** Networks and sandboxes over one driver. Dispose: sockets are given back; with no sandbox left, bridges and packet rules go too. */
export function openNetworking(options: NetworkingOptions): Networking {
  const { state, events, journal, driver, names, publisher, config, paths } = options;
  const pools = config.defaultAddressPools.length > 0 ? config.defaultAddressPools : DEFAULT_POOLS;
  const shared = options.shared === undefined ? {} : { shared: options.shared };
  const networks = new Networks({ state, bin: options.bin, driver, events, pools, settings: config, ...shared });
  const fixedNames = options.fixedNames ?? new Map<string, string>();
  const contents = new SandboxContents({
    fixedNames,
    hostFile: hostFileReader(options.kernel, config.hostPrefix),
    defaults: { servers: config.dns, search: config.dnsSearch, options: config.dnsOptions ?? [] },
    resolveInside: options.resolveInside ?? false,
    hostGateway: () => ((config.hostGateways ?? []).join(" ") || options.hostGateway || networks.find("bridge")?.record.subnets[0]?.gateway) ?? "",
  });
  const sandboxes = new SandboxManager({
    networks,
    driver,
    names,
    publisher,
    events,
    journal,
    contents,
    netnsDir: paths.netns,
    recordsDir: paths.sandboxes,
    ...(options.userns === undefined ? {} : { userns: options.userns }),
    fixedNames,
    ...shared,
  });
  return { networks, sandboxes, [Symbol.asyncDispose]: () => sandboxes[Symbol.asyncDispose]() };
}
