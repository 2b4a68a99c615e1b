/** What goes on for a sandbox while it is open: its resolver and its published ports. */
import type { PortMap } from "#api/networks.ts";
import { EngineError, isClass, messageOf } from "#base/errors.ts";
import type { Family } from "./address.ts";
import type { SandboxContents } from "./contents.ts";
import type { NetworkDriver } from "./driver.ts";
import type { Directory, NameService } from "./names.ts";
import type { PortPublisher, SandboxRequest } from "./networks.ts";
import type { Owner } from "./plan.ts";
import { PortAllocations, portMap, type Publication, publications } from "./ports.ts";
import { publishAll, type Published } from "./publish.ts";
import { type EndpointRecord, gatewayOf, type SandboxRecord } from "./sandbox-record.ts";
import type { Networks } from "./store.ts";

export interface ServiceOptions {
  readonly networks: Networks;
  readonly names: NameService;
  readonly publisher: PortPublisher;
  readonly driver: NetworkDriver;
  readonly contents: SandboxContents;
}

/** An open sandbox: its record, and what `silence` takes back. */
export interface Live {
  owner: Owner;
  readonly request: SandboxRequest;
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
      upstreams: this.#options.contents.upstreams(live.request),
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
    try {
      const { netns } = live.record;
      const target = { addresses: addressesOf(live.record), ...(netns === undefined ? {} : { netns }) };
      const { publisher, driver } = this.#options;
      const { modes = {} } = this.#options.networks.get(endpoint.network).record.bridge ?? {};
      const how = { publisher, driver, modes, allocations: this.#allocations, holder: nameOf(live) };
      live.published = await publishAll(how, what, target);
      return portMap(live.request.exposed, live.published.bound);
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

/** Where each family's traffic leaves by, there it comes in. */
function addressesOf(record: SandboxRecord): Partial<Record<Family, string>> {
  const [ipv4, ipv6] = [gatewayOf(record, 4)?.ipv4?.address, gatewayOf(record, 6)?.ipv6?.address];
  return { ...(ipv4 === undefined ? {} : { 4: ipv4 }), ...(ipv6 === undefined ? {} : { 6: ipv6 }) };
}

const wayOut = (record: SandboxRecord): EndpointRecord | undefined => gatewayOf(record, 4) ?? gatewayOf(record, 6);

const nameOf = ({ owner, request: { project } }: Live): string => `container ${owner.containerName}${project === undefined ? "" : ` of project ${project}`}`;
