/** Addresses of networks and of their endpoints: which pool a new network gets, which address a new endpoint. */
import { randomBytes } from "node:crypto";
import { EngineError } from "#base/errors.ts";
import { addressText, addressValue, contains, containsValue, type Family, lastOf, overlaps, type Prefix, prefixOf, prefixText, sizeOf } from "./address.ts";

export interface AddressPool {
  readonly base: string;
  readonly size: number;
}

/** dockerd's default pools, in its order. */
export const DEFAULT_POOLS: readonly AddressPool[] = [
  { base: "172.17.0.0/16", size: 16 },
  { base: "172.18.0.0/16", size: 16 },
  { base: "172.19.0.0/16", size: 16 },
  { base: "172.20.0.0/14", size: 16 },
  { base: "172.24.0.0/14", size: 16 },
  { base: "172.28.0.0/14", size: 16 },
  { base: "192.168.0.0/16", size: 20 },
];

/** The first prefix out of `pools` that overlaps none of `used` (our networks, the host's own routes). */
export function choosePool(family: Family, pools: readonly AddressPool[], used: readonly Prefix[]): Prefix {
  for (const pool of pools) {
    const base = prefixOf(pool.base);
    if (base.family !== family) continue;
    const step = sizeOf({ family, base: 0n, length: pool.size });
    for (let at = base.base; at <= lastOf(base); at += step) {
      const candidate: Prefix = { family, base: at, length: pool.size };
      const hit = used.find((other) => overlaps(candidate, other));
      if (hit === undefined) return candidate;
      // Skip at once what a larger prefix in use covers.
      if (hit.length < pool.size) at = lastOf(hit) + 1n - step;
    }
  }
  throw new EngineError("invalidArgument", "all predefined address pools have been fully subnetted");
}

/** A subnet nobody uses: of the pools, or, for IPv6 without a pool of it, of this engine's own. */
export function freeSubnet(family: Family, pools: readonly AddressPool[], used: readonly Prefix[]): Prefix {
  if (family === 6 && !pools.some((pool) => prefixOf(pool.base).family === 6)) return uniqueLocalPrefix(randomBytes(7));
  return choosePool(family, pools, used);
}

/** Names of auxiliary addresses that containers route through instead of the bridge. */
export const auxiliaryGateway = { 4: "DefaultGatewayIPv4", 6: "DefaultGatewayIPv6" } as const;

/** A unique local /64 of this engine for one network (RFC 4193): `seed` are at least seven random bytes. */
export function uniqueLocalPrefix(seed: Uint8Array): Prefix {
  let value = 0xfdn;
  for (const byte of seed.subarray(0, 7)) value = (value << 8n) | BigInt(byte);
  return { family: 6, base: value << 64n, length: 64 };
}

export interface SubnetConfig {
  readonly subnet: Prefix;
  /** Endpoints get their addresses from here; absent: from the whole subnet. */
  readonly range?: Prefix;
  /** The bridge's own address. */
  readonly gateway: string;
  /** What containers route through; absent: the bridge. */
  readonly via?: string;
  readonly auxiliary: readonly string[];
}

/** Which addresses of one subnet are taken. */
export class SubnetPool {
  readonly config: SubnetConfig;
  readonly #taken = new Set<bigint>();

  constructor(config: SubnetConfig) {
    this.config = config;
    const { subnet } = config;
    this.#taken.add(subnet.base);
    if (subnet.family === 4 && subnet.length < 31) this.#taken.add(lastOf(subnet));
    for (const address of [config.gateway, ...config.auxiliary]) if (address !== "") this.#taken.add(addressValue(address));
  }

  /** The lowest free address, or exactly the one asked for. */
  take(wanted?: string): string {
    const value = wanted === undefined ? this.#lowest() : addressValue(wanted);
    if (wanted !== undefined && (!containsValue(this.config.subnet, value) || this.#taken.has(value))) {
      throw new EngineError("forbidden", "Address already in use");
    }
    this.#taken.add(value);
    return addressText(this.config.subnet.family, value);
  }

  /** Whether it is one of those given out here, and nobody has it. */
  isFree(address: string): boolean {
    const { range, subnet } = this.config;
    return contains(range ?? subnet, address) && !this.#taken.has(addressValue(address));
  }

  /** Takes an address again that a record says is taken. */
  mark(address: string): void {
    this.#taken.add(addressValue(address));
  }

  release(address: string): void {
    if (address !== this.config.gateway) this.#taken.delete(addressValue(address));
  }

  #lowest(): bigint {
    const range = this.config.range ?? this.config.subnet;
    for (let value = range.base; value <= lastOf(range); value += 1n) if (!this.#taken.has(value)) return value;
    throw new EngineError("forbidden", `no available IPv${range.family} addresses on this network's address pools: ${prefixText(range)}`);
  }
}

/** The address the bridge itself takes when none is asked for: the first one. */
export const firstAddress = (subnet: Prefix): string => addressText(subnet.family, subnet.base + (subnet.length >= (subnet.family === 4 ? 31 : 127) ? 0n : 1n));
