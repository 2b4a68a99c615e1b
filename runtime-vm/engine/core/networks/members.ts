import type { EventLog } from "../events/events.ts";
import type { Directory } from "./names.ts";
import { markEndpoint, releaseEndpoint } from "./plan.ts";
import type { EndpointRecord } from "./sandbox-record.ts";
import type { SharedEndpoints } from "./shared-endpoints.ts";
import type { LiveNetwork } from "./register.ts";
import type { Networks } from "./store.ts";

interface MemberOptions {
  readonly networks: Networks;
  readonly events: EventLog;
}

/** Who is connected to which network: an endpoint has its addresses, is known by its names, and keeps its network in use, for as long as it is a member. */
export class Members {
  readonly #options: MemberOptions;
  readonly #directory: Directory;
  readonly #shared: SharedEndpoints;

  constructor(options: MemberOptions, directory: Directory, shared: SharedEndpoints) {
    this.#options = options;
    this.#directory = directory;
    this.#shared = shared;
  }

  occupy(endpoint: EndpointRecord): void {
    const network = this.#network(endpoint);
    if (network !== undefined) markEndpoint(network, endpoint);
    this.#list(endpoint);
  }

  vacate(endpoint: EndpointRecord): void {
    const network = this.#network(endpoint);
    if (network !== undefined) releaseEndpoint(network, endpoint);
    this.#unlist(endpoint);
    this.#shared.release(endpoint);
  }

  /** The same endpoint by other names. */
  replace(before: EndpointRecord, now: EndpointRecord): void {
    this.#unlist(before);
    this.#list(now);
    this.#shared.hold(now);
  }

  tell(action: "connect" | "disconnect", endpoint: EndpointRecord): void {
    const type = this.#network(endpoint)?.record.driver ?? "bridge";
    this.#options.events.publish({
      type: "network",
      action,
      id: endpoint.network,
      attributes: { container: endpoint.container, name: endpoint.networkName, type },
    });
  }

  #list(endpoint: EndpointRecord): void {
    this.#network(endpoint)?.endpoints.add(endpoint);
    this.#directory.add(endpoint);
  }

  #unlist(endpoint: EndpointRecord): void {
    this.#network(endpoint)?.endpoints.delete(endpoint);
    this.#directory.remove(endpoint);
  }

  #network(endpoint: EndpointRecord): LiveNetwork | undefined {
    return this.#options.networks.find(endpoint.network);
  }
}
