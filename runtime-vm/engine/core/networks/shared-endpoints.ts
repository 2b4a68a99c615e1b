import type { EndpointSettings } from "#api/networks.ts";
import { EngineError, isClass } from "#base/errors.ts";
import type { Directory } from "./names.ts";
import { markEndpoint, type Owner, planEndpoint, releaseEndpoint } from "./plan.ts";
import type { EndpointRecord } from "./sandbox-record.ts";
import type { ServiceOptions } from "./services.ts";
import type { SharedNetworks } from "./shared.ts";
import type { LiveNetwork } from "./register.ts";

type Options = Pick<ServiceOptions, "networks"> & { readonly shared?: SharedNetworks };

/**
 * Endpoints on networks that several engines share: addresses are agreed on before they are a container's, and what other engines'
 * containers have is taken here, too, and answered for by name. On every other network an endpoint is this engine's own affair.
 */
export class SharedEndpoints {
  readonly #options: Options;
  readonly #directory: Directory;

  constructor(options: Options, directory: Directory) {
    this.#options = options;
    this.#directory = directory;
  }

  /** Listens to the other engines, once what an earlier engine left here is held. `lost` is told of an endpoint whose address was given to somebody else meanwhile. */
  follow(lost: (endpoint: EndpointRecord) => void): void {
    this.#options.shared?.follow({ appeared: (endpoint) => this.#see(endpoint), gone: (endpoint) => this.#forget(endpoint), lost });
  }

  /** An endpoint with addresses that are its alone. What another engine has given away meanwhile stays taken, and is told of in time. */
  async plan(network: LiveNetwork, owner: Owner, settings: EndpointSettings, taken: readonly string[]): Promise<EndpointRecord> {
    const { overlay, attachable, name } = network.record;
    if (overlay === undefined) return planEndpoint(network, owner, settings, taken);
    if (!attachable) throw new EngineError("forbidden", `Could not attach to network ${name}: network ${name} not manually attachable`);
    const asked = settings.IPAMConfig?.IPv4Address || settings.IPAMConfig?.IPv6Address;
    for (;;) {
      const endpoint = planEndpoint(network, owner, settings, taken);
      try {
        await this.#options.shared?.claim(endpoint);
        return endpoint;
      } catch (error) {
        const elsewhere = isClass(error, "conflict");
        if (!elsewhere || asked) releaseEndpoint(network, endpoint);
        if (!elsewhere) throw error;
        if (asked) throw new EngineError("forbidden", "Address already in use", { cause: error });
      }
    }
  }

  hold(endpoint: EndpointRecord): void {
    this.#sharedBy(endpoint)?.hold(endpoint);
  }

  release(endpoint: EndpointRecord): void {
    this.#sharedBy(endpoint)?.release(endpoint);
  }

  /** Settles when what was released is known to the others, or they cannot be told now. */
  async released(): Promise<void> {
    await this.#options.shared?.released();
  }

  #sharedBy(endpoint: EndpointRecord): SharedNetworks | undefined {
    return this.#network(endpoint)?.record.overlay === undefined ? undefined : this.#options.shared;
  }

  #see(endpoint: EndpointRecord): void {
    const network = this.#network(endpoint);
    if (network !== undefined) markEndpoint(network, endpoint);
    this.#directory.add(endpoint);
  }

  #forget(endpoint: EndpointRecord): void {
    const network = this.#network(endpoint);
    if (network !== undefined) releaseEndpoint(network, endpoint);
    this.#directory.remove(endpoint);
  }

  #network(endpoint: EndpointRecord): LiveNetwork | undefined {
    return this.#options.networks.find(endpoint.network);
  }
}
