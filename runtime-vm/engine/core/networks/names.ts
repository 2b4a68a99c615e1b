import type { EndpointRecord } from "./sandbox-record.ts";

/** What one sandbox may ask by name. */
export interface Lookup {
  /** Addresses of a name (lower case, no final dot) on the sandbox's own networks; undefined when it is not ours to answer. */
  addresses(name: string): { readonly ipv4: readonly string[]; readonly ipv6: readonly string[] } | undefined;
  /** The name of an address on those networks. */
  pointer(address: string): string | undefined;
}

/** Serves 127.0.0.11:53 inside sandboxes. */
export interface NameService {
  /**
   * Serves until disposed. What `lookup` does not know goes to `upstreams`, asked for at each query (addresses; undefined: the
   * service's own default). Replaces what an earlier engine left there.
   */
  serve(what: { netns: string; lookup: Lookup; upstreams: () => readonly string[] | undefined }): Promise<AsyncDisposable>;
}

/** All names of all connected endpoints. Names are compared without case, as DNS does. */
export class Directory {
  readonly #networks = new Map<string, Map<string, Set<EndpointRecord>>>();
  readonly #fixed: ReadonlyMap<string, string>;

  /** `fixed`: names that every sandbox can ask, with their address (`host.docker.internal`). */
  constructor(fixed: ReadonlyMap<string, string> = new Map()) {
    this.#fixed = fixed;
  }

  add(endpoint: EndpointRecord): void {
    const names = this.#networks.get(endpoint.network) ?? new Map<string, Set<EndpointRecord>>();
    this.#networks.set(endpoint.network, names);
    for (const name of endpoint.dnsNames) {
      const key = name.toLowerCase();
      const holders = names.get(key) ?? new Set();
      names.set(key, holders.add(endpoint));
    }
  }

  remove(endpoint: EndpointRecord): void {
    const names = this.#networks.get(endpoint.network);
    for (const name of endpoint.dnsNames) {
      const key = name.toLowerCase();
      const holders = names?.get(key);
      holders?.delete(endpoint);
      if (holders?.size === 0) names?.delete(key);
    }
    if (names?.size === 0) this.#networks.delete(endpoint.network);
  }

  /** The view of a sandbox with these endpoints (read anew at each question: it may be connected to more later). */
  lookup(endpoints: () => readonly EndpointRecord[]): Lookup {
    return {
      addresses: (name) => {
        // The first network that knows the name answers for all.
        const all = endpoints()
          .filter((endpoint) => endpoint.named)
          .map((endpoint) => this.#find(endpoint, name))
          .find((found) => found.length > 0);
        if (all !== undefined) {
          return { ipv4: all.flatMap(({ ipv4 }) => ipv4?.address ?? []), ipv6: all.flatMap(({ ipv6 }) => ipv6?.address ?? []) };
        }
        const fixed = this.#fixed.get(name);
        return fixed === undefined ? undefined : { ipv4: fixed.includes(":") ? [] : [fixed], ipv6: fixed.includes(":") ? [fixed] : [] };
      },
      pointer: (address) => {
        for (const { network, named } of endpoints()) {
          if (!named) continue;
          for (const holders of this.#networks.get(network)?.values() ?? []) {
            for (const holder of holders) {
              if (holder.ipv4?.address === address || holder.ipv6?.address === address) return `${holder.dnsNames[0]}.${holder.networkName}`;
            }
          }
        }
        return undefined;
      },
    };
  }

  /** By its name, as `name.network`, or as a link's alias that only this endpoint knows. */
  #find(own: EndpointRecord, name: string): readonly EndpointRecord[] {
    const names = this.#networks.get(own.network);
    const suffix = `.${own.networkName.toLowerCase()}`;
    const link = own.links.find(([, alias]) => alias.toLowerCase() === name);
    const holders = names?.get(link?.[0].toLowerCase() ?? name) ?? (name.endsWith(suffix) ? names?.get(name.slice(0, -suffix.length)) : undefined);
    return [...(holders ?? [])];
  }
}
