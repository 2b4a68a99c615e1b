/** What goes on for a sandbox while it is open: its resolver and its published ports. */
import type { PortMap } from "#api/networks.ts";
import { EngineError, isClass, messageOf } from "#base/errors.ts";
import type { Family } from "./address.ts";
import type { SandboxContents } from "./contents.ts";
import type { NetworkDriver } from "./driver.ts";
import type { Directory, NameService } from "./names.ts";
import type { PortPublisher, SandboxRequest } from "./networks.ts";
import type { Owner } from "./plan.ts";
import { isBound, PortAllocations, type PortChange, portMap, type Publication, publications, publicationsOf, removes } from "./ports.ts";
import { Published, type Publishing, type Target } from "./publish.ts";
import { type EndpointRecord, gatewayOf, type SandboxRecord, wayOut } from "./sandbox-record.ts";
import type { SharedNetworks } from "./shared.ts";
import type { Networks } from "./store.ts";

export interface ServiceOptions {
  readonly networks: Networks;
  readonly names: NameService;
  readonly publisher: PortPublisher;
  readonly driver: NetworkDriver;
  readonly contents: SandboxContents;
  readonly shared?: SharedNetworks;
}

/** An open sandbox: its record, and what `silence` takes back. */
export interface Live {
  owner: Owner;
  request: SandboxRequest;
  record: SandboxRecord;
  names: AsyncDisposable | undefined;
  published: Published | undefined;
}

export class SandboxServices {
  readonly #options: ServiceOptions;
  readonly #directory: Directory;
  readonly #allocations = new PortAllocations();

  constructor(options: ServiceOptions, directory: Directory) {
    this.#options = options;
    this.#directory = directory;
  }

  /** Answers names inside the sandbox when a network with names is connected, or the host's own resolvers cannot be reached from there. */
  async answerNames(live: Live): Promise<void> {
    const { netns } = live.record;
    if (netns === undefined || live.names !== undefined || !this.#options.contents.internal(live.record, live.request)) return;
    live.names = await this.#options.names.serve({
      netns,
      lookup: this.#directory.lookup(() => live.record.endpoints),
      upstreams: () => this.#options.contents.upstreams(live.record, live.request),
    });
  }

  /** The publications asked for; none without a way out, as on internal networks. */
  wanted({ record, request }: Live): Publication[] {
    const gateway = wayOut(record);
    if (gateway === undefined) return [];
    const { bridge } = this.#options.networks.get(gateway.network).record;
    // On an interface of the machine a container is reached by its own address.
    if (bridge === undefined) return [];
    const { hostBinding } = bridge;
    return publications(request.ports, request.exposed, request.publishAll, hostBinding);
  }

  /** Publishes to the address that traffic leaves by; the map that inspect shows. */
  async publish(live: Live, what: readonly Publication[]): Promise<PortMap> {
    const endpoint = wayOut(live.record);
    if (endpoint === undefined || this.#options.networks.get(endpoint.network).record.bridge === undefined) return {};
    if (what.length === 0) return portMap(live.request.exposed, []);
    const published = new Published();
    await this.#add(live, endpoint, published, what);
    live.published = published;
    return portMap(live.request.exposed, published.bound);
  }

  /** Changes what is published while it is; the map that inspect shows then. Connections through other ports go on. */
  async republish(live: Live, { add, remove }: PortChange): Promise<PortMap> {
    const endpoint = wayOut(live.record);
    const bridge = endpoint === undefined ? undefined : this.#options.networks.get(endpoint.network).record.bridge;
    if (endpoint === undefined || bridge === undefined) {
      throw new EngineError("invalidArgument", `${nameOf(live)} is on no bridge network with a way out, so none of its ports can be published`);
    }
    const wanted = publications(add, [], false, bridge.hostBinding);
    const published = live.published ?? new Published();
    for (const [key, bindings] of Object.entries(remove)) checkBound(live, published, key, bindings);
    const gone = published.bound.filter((bound) => removes(bound, remove));
    await published.remove((bound) => gone.includes(bound));
    // Asked for once more, as after an answer that never came, what is there is right.
    const missing = wanted.filter((want) => !isBound(want, published.bound));
    try {
      await this.#add(live, endpoint, published, missing);
    } catch (error) {
      await this.#add(live, endpoint, published, publicationsOf(portMap([], gone)));
      throw error;
    }
    live.published = published;
    return portMap(live.request.exposed, published.bound);
  }

  async #add(live: Live, endpoint: EndpointRecord, published: Published, what: readonly Publication[]): Promise<void> {
    const { publisher, driver, networks } = this.#options;
    const { netns } = live.record;
    const target: Target = { addresses: addressesOf(live.record), ...(netns === undefined ? {} : { netns }) };
    const { modes = {} } = networks.get(endpoint.network).record.bridge ?? {};
    const how: Publishing = { publisher, driver, modes, allocations: this.#allocations, holder: nameOf(live) };
    try {
      await published.add(how, what, target);
    } catch (error) {
      const where = `endpoint ${endpoint.containerName} (${endpoint.id})`;
      const cls = isClass(error, "invalidArgument") ? "invalidArgument" : "internal";
      throw new EngineError(cls, `driver failed programming external connectivity on ${where}: ${messageOf(error)}`, { cause: error });
    }
  }

  async unpublish(live: Live): Promise<void> {
    await live.published?.[Symbol.asyncDispose]();
    live.published = undefined;
  }

  /** Gives all sockets back: an open one would keep the namespace alive. */
  async silence(live: Live): Promise<void> {
    await this.unpublish(live);
    await live.names?.[Symbol.asyncDispose]();
    live.names = undefined;
  }
}

function checkBound(live: Live, published: Published, key: string, bindings: PortMap[string] | undefined): void {
  for (const binding of bindings ?? [undefined]) {
    const asked: PortMap = { [key]: binding === undefined ? null : [binding] };
    if (published.bound.some((bound) => removes(bound, asked))) continue;
    const at = [binding?.HostIp, binding?.HostPort].filter((text) => text !== undefined && text !== "").join(":");
    throw new EngineError("notFound", `${nameOf(live)} has no published port ${key}${at === "" ? "" : ` at ${at}`}`);
  }
}

/** Where each family's traffic leaves by, there it comes in. */
function addressesOf(record: SandboxRecord): Partial<Record<Family, string>> {
  const [ipv4, ipv6] = [gatewayOf(record, 4)?.ipv4?.address, gatewayOf(record, 6)?.ipv6?.address];
  return { ...(ipv4 === undefined ? {} : { 4: ipv4 }), ...(ipv6 === undefined ? {} : { 6: ipv6 }) };
}

const nameOf = ({ owner, request: { project } }: Live): string => `container ${owner.containerName}${project === undefined ? "" : ` of project ${project}`}`;
