import type { EndpointRecord } from "#core/networks/sandbox-record.ts";
import type { SharedListener } from "#core/networks/shared.ts";
import { addressesOf, type Holder, keys } from "./keys.ts";
import type { Peer, Tunnels } from "./vxlan.ts";

interface Seen extends Holder {
  /** Its entry's key: one for each of its addresses. */
  readonly keys: Set<string>;
}

/**
 * Containers of other engines, as etcd knows them: told to the listener and to the kernel where their network is one of this engine's.
 * A container with two addresses has two entries, which come and go one after the other: it is there with the first, gone with the last.
 */
export class Roster {
  readonly #host: string;
  readonly #tunnels: Tunnels;
  readonly #seen = new Map<string, Seen>();
  readonly #attached = new Set<string>();
  /** Whether what is seen is all there is. */
  #complete = false;
  #listener: SharedListener | undefined;

  constructor(host: string, tunnels: Tunnels) {
    this.#host = host;
    this.#tunnels = tunnels;
  }

  get listener(): SharedListener | undefined {
    return this.#listener;
  }

  follow(listener: SharedListener): void {
    this.#listener = listener;
    for (const { endpoint } of this.#on(...this.#attached)) listener.appeared(endpoint);
  }

  attach(network: string): void {
    if (this.#attached.has(network)) return;
    this.#attached.add(network);
    for (const seen of this.#on(network)) this.#show(seen);
    if (this.#complete) this.#tunnels.keepOnly(network, this.#on(network).map(peerOf));
  }

  /** The network's tunnel is about to go, with all that it knows. */
  detach(network: string): void {
    for (const { endpoint } of this.#on(network)) if (this.#attached.has(network)) this.#listener?.gone(endpoint);
    this.#attached.delete(network);
  }

  /** Exactly these entries are there. */
  replace(entries: readonly { readonly key: string; readonly holder: Holder }[]): void {
    const there = new Set(entries.map(({ key }) => key));
    for (const { keys: own } of [...this.#seen.values()]) for (const key of own) if (!there.has(key)) this.remove(key);
    for (const { key, holder } of entries) this.put(key, holder);
    this.#complete = true;
    for (const network of this.#attached) this.#tunnels.keepOnly(network, this.#on(network).map(peerOf));
  }

  put(key: string, holder: Holder): void {
    if (holder.host === this.#host) return this.remove(key);
    const { id } = holder.endpoint;
    const before = this.#seen.get(id);
    if (before !== undefined && JSON.stringify([before.host, before.endpoint]) === JSON.stringify([holder.host, holder.endpoint])) {
      before.keys.add(key);
      return;
    }
    // An address that changed hands without having been free in between is the old one's no more.
    for (const other of [...this.#seen.values()]) if (other.endpoint.id !== id && other.keys.has(key)) this.remove(key);
    if (before !== undefined) this.#hide(before);
    const seen: Seen = { ...holder, keys: new Set([...(before?.keys ?? []), key]) };
    this.#seen.set(id, seen);
    this.#show(seen);
  }

  remove(key: string): void {
    for (const [id, seen] of this.#seen) {
      if (!seen.keys.delete(key) || seen.keys.size > 0) continue;
      this.#seen.delete(id);
      this.#hide(seen);
    }
  }

  #on(...networks: string[]): Seen[] {
    return [...this.#seen.values()].filter(({ endpoint }) => networks.includes(endpoint.network));
  }

  #show(seen: Seen): void {
    if (!this.#attached.has(seen.endpoint.network)) return;
    this.#tunnels.add(seen.endpoint.network, peerOf(seen));
    this.#listener?.appeared(seen.endpoint);
  }

  #hide(seen: Seen): void {
    if (!this.#attached.has(seen.endpoint.network)) return;
    this.#tunnels.drop(seen.endpoint.network, peerOf(seen));
    this.#listener?.gone(seen.endpoint);
  }
}

const peerOf = ({ host, endpoint }: Holder): Peer => ({ mac: endpoint.mac, addresses: addressesOf(endpoint), host });

/** The entries of one endpoint of this engine. */
export function entriesOf(host: string, endpoint: EndpointRecord): { key: string; value: string }[] {
  const { settings: _own, links: _links, ...shown } = endpoint;
  const holder: Holder = { host, endpoint: { ...shown, settings: {}, links: [] } };
  return addressesOf(endpoint).map((address) => ({ key: keys.endpoint(endpoint.network, address), value: JSON.stringify(holder) }));
}
