import { randomBytes } from "node:crypto";
import type { Duplex } from "node:stream";
import { EngineError } from "#base/errors.ts";
import { KeyedLock } from "#base/lock.ts";
import type { GuestTarget, PortRequest } from "#link/calls.ts";
import { type Listener, listenTcp, listenUdp } from "./listeners.ts";

interface Lease {
  lease: string;
  readonly listener: Listener;
  /** Where new connections go; a guest that comes back may have other addresses. */
  target: GuestTarget;
  claimed: boolean;
}

/**
 * The host's ports that lead into the guest. A lost link leaves them bound: the guest claims them again under the same
 * address and port, and only those that it does not claim in time are given up.
 */
export class PublishedPorts implements AsyncDisposable {
  readonly #dial: (proto: "tcp" | "udp", target: GuestTarget) => Promise<Duplex>;
  readonly #orphanMs: () => number;
  readonly #leases = new Map<string, Lease>();
  readonly #lock = new KeyedLock();
  #orphanTimer: NodeJS.Timeout | undefined;

  /** `orphanMs`: how long a port stays bound without its guest, so that an engine can come back and claim it. */
  constructor(dial: (proto: "tcp" | "udp", target: GuestTarget) => Promise<Duplex>, orphanMs: () => number) {
    this.#dial = dial;
    this.#orphanMs = orphanMs;
  }

  /** Class `conflict` when another program, or another lease, has the port. */
  async publish(request: PortRequest): Promise<{ lease: string; hostPort: number }> {
    const { proto, hostIp, hostPort, target } = request;
    return await this.#lock.with(proto + hostPort, async () => {
      const lease = randomBytes(8).toString("hex");
      const known = this.#leases.get(keyOf(proto, hostIp, hostPort));
      if (known?.claimed) throw new EngineError("conflict", "port is already allocated");
      if (known) {
        Object.assign(known, { lease, target, claimed: true });
        return { lease, hostPort };
      }
      const entry = await this.#bind(request, lease);
      this.#leases.set(keyOf(proto, hostIp, entry.listener.port), entry);
      return { lease, hostPort: entry.listener.port };
    });
  }

  async #bind({ proto, hostIp, hostPort, target }: PortRequest, lease: string): Promise<Lease> {
    const open = (): Promise<Duplex> => this.#dial(proto, entry.target);
    const listener = await (proto === "tcp" ? listenTcp : listenUdp)({ proto, hostIp, hostPort }, open);
    const entry: Lease = { lease, listener, target, claimed: true };
    return entry;
  }

  /** Unknown leases are fine: they were given up already. */
  async unpublish(lease: string): Promise<void> {
    for (const [key, entry] of this.#leases) if (entry.lease === lease) await this.#close(key, entry);
  }

  /** The guest is not there: its ports wait for it. */
  orphan(): void {
    for (const entry of this.#leases.values()) entry.claimed = false;
    clearTimeout(this.#orphanTimer);
    this.#orphanTimer = setTimeout(() => void this.sweep(), this.#orphanMs()).unref();
  }

  /** Gives up the ports that no guest has claimed. */
  async sweep(): Promise<void> {
    clearTimeout(this.#orphanTimer);
    for (const [key, entry] of [...this.#leases]) if (!entry.claimed) await this.#close(key, entry);
  }

  /** Whether a connection to this port of the host would come back to a guest. */
  holds(proto: "tcp" | "udp", port: number): boolean {
    return [...this.#leases.keys()].some((key) => key.startsWith(`${proto} `) && key.endsWith(` ${port}`));
  }

  async #close(key: string, entry: Lease): Promise<void> {
    this.#leases.delete(key);
    await entry.listener[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#orphanTimer);
    await Promise.all([...this.#leases].map(([key, entry]) => this.#close(key, entry)));
  }
}

const keyOf = (proto: string, hostIp: string, port: number): string => `${proto} ${hostIp || "0.0.0.0"} ${port}`;
