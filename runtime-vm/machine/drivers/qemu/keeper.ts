import type { Duplex } from "node:stream";
import { delay } from "#base/deadline.ts";
import { EngineError, messageOf } from "#base/errors.ts";
import type { Handlers, HostCalls } from "#link/calls.ts";
import { connectLink, type HostLink, type HostLinkOptions } from "#link/host.ts";
import { linkLimits } from "#link/limits.ts";

/** How long an engine that is there may take for its first word on the port. */
const handshakeMs = 20_000;

export interface KeeperOptions {
  /** A fresh connection to the guest's port. */
  readonly connect: (signal: AbortSignal) => Promise<Duplex>;
  readonly serve: (link: Pick<HostLink, "open">) => Handlers<HostCalls>;
  /** Stretches the waits for a slow guest. */
  readonly factor: number;
  /** Whether the guest is paused: it cannot answer then, and the link waits for it. */
  readonly paused: () => boolean;
  /** Whether there is an engine that should answer. */
  readonly expected: () => boolean;
  /** The guest does not answer on its port: have it open the port afresh. */
  readonly onStuck: () => void;
  readonly onUp: () => void;
  readonly onDown: (cause: string) => void;
  readonly log: (line: string) => void;
}

/**
 * Keeps one link to the guest up: sets it up, sees it die (PINGs unanswered, the port closed, or `renew`) and sets it
 * up again. Between two connections it waits so long that the guest cannot miss that the first one has gone.
 */
export class LinkKeeper implements AsyncDisposable {
  readonly #options: KeeperOptions;
  readonly #stop = new AbortController();
  readonly #waiting = new Set<PromiseWithResolvers<HostLink>>();
  readonly #kept: Promise<void>;
  #link: HostLink | undefined;
  #downSince = performance.now();
  #attempt = new AbortController();

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#kept = this.#keep();
  }

  /** The link, waiting for it when it is down at the moment. Class `unavailable` when it does not come up in time. */
  async link(signal: AbortSignal): Promise<HostLink> {
    if (this.#link) return this.#link;
    if (this.#stop.signal.aborted) throw down("the machine is being stopped");
    const waiting = Promise.withResolvers<HostLink>();
    this.#waiting.add(waiting);
    const abort = (): void => waiting.reject(down("it did not come up in time"));
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
    try {
      return await waiting.promise;
    } finally {
      signal.removeEventListener("abort", abort);
      this.#waiting.delete(waiting);
    }
  }

  /** Milliseconds since the link was lost; 0 while it is up. */
  get downMs(): number {
    return this.#link ? 0 : performance.now() - this.#downSince;
  }

  /** Gives the present link (or the attempt at one) up for a new one: another engine is at the far end. */
  renew(): void {
    this.#attempt.abort(new EngineError("unavailable", "another engine is at the far end"));
  }

  async #keep(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      this.#attempt = new AbortController();
      const cause = await this.#once(AbortSignal.any([signal, this.#attempt.signal])).catch(messageOf);
      if (signal.aborted) break;
      this.#options.log(`link: ${cause}`);
      await delay(linkLimits.reconnectPauseMs, signal).catch(() => {});
    }
  }

  /** One connection, from its making to its end; resolves with why it ended. */
  async #once(signal: AbortSignal): Promise<string> {
    const { factor, serve, paused } = this.#options;
    const times = { intervalMs: linkLimits.pingIntervalMs, silenceMs: linkLimits.hostSilenceMs * factor, excused: paused };
    await using link = await this.#connect(factor, { serve, times, signal });
    this.#link = link;
    const abort = (): void => void link[Symbol.asyncDispose]();
    signal.addEventListener("abort", abort, { once: true });
    for (const waiting of this.#waiting) waiting.resolve(link);
    this.#options.onUp();
    try {
      const cause = await link.closed;
      return signal.aborted ? messageOf(signal.reason) : cause ? messageOf(cause) : "the guest closed it";
    } finally {
      this.#link = undefined;
      this.#downSince = performance.now();
      signal.removeEventListener("abort", abort);
      this.#options.onDown("the link to the engine was lost; it is being set up again");
    }
  }

  async #connect(factor: number, options: HostLinkOptions): Promise<HostLink> {
    const late = new AbortController();
    // Before there is an engine nobody can answer: the connection waits in QEMU until one opens the port.
    const timer = setInterval(() => this.#options.expected() && !this.#options.paused() && late.abort(), handshakeMs * factor);
    try {
      return await connectLink(await this.#options.connect(options.signal), { ...options, signal: AbortSignal.any([options.signal, late.signal]) });
    } catch (error) {
      if (!late.signal.aborted) throw error;
      this.#options.onStuck();
      throw new EngineError("unavailable", "the guest did not answer on its port", { cause: error });
    } finally {
      clearInterval(timer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new EngineError("cancelled", "the machine is being stopped"));
    for (const waiting of this.#waiting) waiting.reject(down("the machine is being stopped"));
    await this.#kept;
  }
}

const down = (why: string): EngineError => new EngineError("unavailable", `the engine cannot be reached: the link to the virtual machine is down (${why})`);
