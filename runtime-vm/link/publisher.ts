import { EngineError, messageOf } from "#base/errors.ts";
import { boot } from "./boot.ts";
import type { CallChannel, GuestCalls, HostCalls, PortRequest } from "./calls.ts";

export type HostChannel = CallChannel<HostCalls, GuestCalls>;

interface Publication {
  readonly request: PortRequest;
  lease: string | undefined;
}

/** A bound port of the host; disposing gives it back. */
export type PublishedPort = AsyncDisposable & { readonly hostPort: number };

/**
 * The guest's published ports. They are bound by the host and outlive a link: on each new one every port is claimed
 * again under the number it had.
 */
export class Publications {
  readonly relayAddress = boot.guestAddress;
  readonly #host: (signal?: AbortSignal) => Promise<HostChannel>;
  readonly #log: (line: string) => void;
  readonly #live = new Set<Publication>();

  constructor(host: (signal?: AbortSignal) => Promise<HostChannel>, log: (line: string) => void) {
    this.#host = host;
    this.#log = log;
  }

  /** Rejects with the host's own sentence when the port cannot be bound (it names the holder). */
  async publish(what: PortRequest): Promise<PublishedPort> {
    const request: PortRequest = {
      proto: what.proto,
      hostIp: what.hostIp,
      hostPort: what.hostPort,
      target: { address: what.target.address, port: what.target.port },
      ...(what.relayPort === undefined ? {} : { relayPort: what.relayPort }),
    };
    const { lease, hostPort } = await (await this.#host()).call("publish", request);
    const publication: Publication = { request: { ...request, hostPort }, lease };
    this.#live.add(publication);
    return { hostPort, [Symbol.asyncDispose]: () => this.#withdraw(publication) };
  }

  async #withdraw(publication: Publication): Promise<void> {
    if (!this.#live.delete(publication) || publication.lease === undefined) return;
    const { lease } = publication;
    try {
      await (await this.#host()).call("unpublish", { lease });
    } catch (error) {
      // Without a host there is nothing to withdraw: it drops leases that are not claimed again.
      if (!(error instanceof EngineError && error.class === "unavailable")) throw error;
    }
  }

  /** A new link: claims every port again. */
  async reclaim(host: HostChannel): Promise<void> {
    for (const publication of [...this.#live]) {
      try {
        publication.lease = (await host.call("publish", publication.request)).lease;
        // Withdrawn meanwhile, under its former lease.
        if (!this.#live.has(publication)) await host.call("unpublish", { lease: publication.lease });
      } catch (error) {
        this.#log(
          `port ${publication.request.hostIp}:${publication.request.hostPort}/${publication.request.proto} is not published any more: ${messageOf(error)}`,
        );
      }
    }
  }
}
