import { randomBytes } from "node:crypto";
import type { Duplex } from "node:stream";
import { EngineError } from "#base/errors.ts";
import { KeyedLock } from "#base/lock.ts";
import type { GuestTarget, PortRequest } from "#link/calls.ts";
import { dialStream } from "#link/dial.ts";
import { type Forwards, type Listener, listenTcp, listenUdp } from "./listeners.ts";

interface Lease {
  lease: string;
  request: PortRequest;
  listener: Listener;
  /** The port of the guest's address that the machine itself forwards to; undefined: connections go through tunnels. */
  forwardedTo: number | undefined;
  claimed: boolean;
}

export interface PublishedPortsOptions {
  /** A tunnel to a target in the guest. */
  readonly dial: (proto: "tcp" | "udp", target: GuestTarget) => Promise<Duplex>;
  /** How long a port stays bound without its guest, so that an engine can come back and claim it. */
  readonly orphanMs: () => number;
  /** Of the guest that runs now. */
  readonly forwards?: () => Forwards | undefined;
}

/**
 * The host's ports that lead into the guest. A lost link leaves them bound: the guest claims them again under the same
 * address and port, and only those that it does not claim in time are given up.
 */
export class PublishedPorts implements AsyncDisposable {
  readonly #options: PublishedPortsOptions;
  readonly #leases = new Map<string, Lease>();
  readonly #lock = new KeyedLock();
  #orphanTimer: NodeJS.Timeout | undefined;

  constructor(options: PublishedPortsOptions) {
    this.#options = options;
  }

  /** Class `conflict` when another program, or another lease, has the port. */
  async publish(request: PortRequest): Promise<{ lease: string; hostPort: number }> {
    const { proto, hostIp, hostPort } = request;
    return await this.#lock.with(lockOf(proto, hostPort), async () => {
      const lease = randomBytes(8).toString("hex");
      const known = this.#leases.get(keyOf(proto, hostIp, hostPort));
      if (known?.claimed) throw new EngineError("conflict", "port is already allocated");
      if (known) {
        Object.assign(known, { lease, request, claimed: true });
        if (known.forwardedTo !== request.relayPort) await this.#rebind(known, this.#options.forwards?.());
        return { lease, hostPort };
      }
      const entry: Lease = { lease, request, claimed: true, ...(await this.#bind(request, this.#options.forwards?.())) };
      this.#leases.set(keyOf(proto, hostIp, entry.listener.port), entry);
      return { lease, hostPort: entry.listener.port };
    });
  }

  async #bind(request: PortRequest, forwards: Forwards | undefined): Promise<Pick<Lease, "listener" | "forwardedTo">> {
    const { proto, relayPort } = request;
    if (relayPort !== undefined) {
      const listener = await forwards?.add(request, relayPort);
      if (listener !== undefined) return { listener, forwardedTo: relayPort };
    }
    const key = (): Lease | undefined => this.#leases.get(keyOf(proto, request.hostIp, listener.port));
    const listener = await (proto === "tcp" ? listenTcp : listenUdp)(request, () => this.#open(key()?.request ?? request));
    return { listener, forwardedTo: undefined };
  }

  /** Where the same target is forwarded to from this computer's IPv4 loopback, that way is the cheaper one. */
  async #open({ proto, target }: PortRequest): Promise<Duplex> {
    const beside = [...this.#leases.values()].find(
      (other) => other.forwardedTo !== undefined && isReachable(other.request) && sameTarget(other.request.target, target),
    );
    if (proto === "tcp" && beside !== undefined) {
      const direct = await dialStream({ address: "127.0.0.1", port: beside.listener.port }).catch(() => undefined);
      if (direct !== undefined) return direct;
    }
    return await this.#options.dial(proto, target);
  }

  /** The same port, another way; while neither holds it somebody else may take it. */
  async #rebind(entry: Lease, forwards: Forwards | undefined): Promise<void> {
    const { port } = entry.listener;
    await entry.listener[Symbol.asyncDispose]();
    try {
      Object.assign(entry, await this.#bind({ ...entry.request, hostPort: port }, forwards));
    } catch (error) {
      this.#forget(entry);
      throw error;
    }
  }

  /** The machine that forwarded ports has ended: they stay bound until the next one has them. */
  async hold(): Promise<void> {
    for (const entry of this.#all()) {
      await this.#alone(entry, async () => {
        // Taken meanwhile: the guest will be told when it claims it.
        if (entry.forwardedTo !== undefined) await this.#rebind(entry, undefined).catch(() => {});
      });
    }
  }

  /** Unknown leases are fine: they were given up already. */
  async unpublish(lease: string): Promise<void> {
    for (const entry of this.#all()) await this.#alone(entry, async () => void (entry.lease === lease && (await this.#close(entry))));
  }

  /** The guest is not there: its ports wait for it. */
  orphan(): void {
    for (const entry of this.#leases.values()) entry.claimed = false;
    clearTimeout(this.#orphanTimer);
    this.#orphanTimer = setTimeout(() => void this.sweep(), this.#options.orphanMs()).unref();
  }

  /** Gives up the ports that no guest has claimed. */
  async sweep(): Promise<void> {
    clearTimeout(this.#orphanTimer);
    for (const entry of this.#all()) await this.#alone(entry, async () => void (entry.claimed || (await this.#close(entry))));
  }

  /** Whether a connection to this port of the host would come back to a guest. */
  holds(proto: "tcp" | "udp", port: number): boolean {
    return [...this.#leases.values()].some(({ request, listener }) => request.proto === proto && listener.port === port);
  }

  #all(): readonly Lease[] {
    return [...this.#leases.values()];
  }

  /** Unless it is gone by then. */
  async #alone(entry: Lease, act: () => Promise<void>): Promise<void> {
    await this.#lock.with(lockOf(entry.request.proto, entry.listener.port), async () => {
      if (this.#all().includes(entry)) await act();
    });
  }

  async #close(entry: Lease): Promise<void> {
    this.#forget(entry);
    await entry.listener[Symbol.asyncDispose]();
  }

  #forget({ request, listener }: Lease): void {
    this.#leases.delete(keyOf(request.proto, request.hostIp, listener.port));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#orphanTimer);
    await Promise.all(this.#all().map((entry) => this.#alone(entry, () => this.#close(entry))));
  }
}

const lockOf = (proto: string, port: number): string => proto + port;
const keyOf = (proto: string, hostIp: string, port: number): string => `${proto} ${hostIp || "0.0.0.0"} ${port}`;
const isReachable = ({ hostIp }: PortRequest): boolean => ["", "0.0.0.0", "127.0.0.1"].includes(hostIp);
const sameTarget = (a: GuestTarget, b: GuestTarget): boolean => a.address === b.address && a.port === b.port;
