import { EngineError, isClass, messageOf } from "#base/errors.ts";
import { Emitter } from "#base/event.ts";
import { withDeadline } from "#base/deadline.ts";
import type { HostEvents } from "./bridge.ts";
import { bridgeLimits } from "./limits.ts";
import { Session } from "./session.ts";
import type { Connect } from "./transport.ts";

/**
 * Keeps one session to the host core up: connects at once, and again with growing pauses when it breaks. Only a
 * refusal (`unauthorized`) ends the trying, since asking again cannot help.
 */
export class Line implements Disposable {
  readonly #connect: Connect;
  readonly #onEvent: (name: keyof HostEvents, value: HostEvents[keyof HostEvents]) => void;
  readonly #changed = new Emitter<boolean>();
  readonly #stop = new AbortController();
  #session: Session | undefined;
  #refused: EngineError | undefined;
  #next = Promise.withResolvers<Session>();

  constructor(connect: Connect, onEvent: (name: keyof HostEvents, value: HostEvents[keyof HostEvents]) => void) {
    this.#connect = connect;
    this.#onEvent = onEvent;
    this.#next.promise.catch(() => undefined);
    void this.#keepUp();
  }

  get connected(): boolean {
    return this.#session !== undefined;
  }

  onConnected(listener: (connected: boolean) => void): Disposable {
    return this.#changed.on(listener);
  }

  /** The session, waiting a while for it; class `unavailable` when it does not come. */
  async session(): Promise<Session> {
    if (this.#refused !== undefined) throw this.#refused;
    return this.#session ?? (await withDeadline(bridgeLimits.connectWaitMsMax, "connecting to Slipway's host core", () => this.#next.promise));
  }

  get now(): Session | undefined {
    return this.#session;
  }

  [Symbol.dispose](): void {
    this.#refuse(new EngineError("cancelled", "the bridge was closed"));
    this.#session?.close();
  }

  async #keepUp(): Promise<void> {
    let pauseMs: number = bridgeLimits.reconnectMsMin;
    while (!this.#stop.signal.aborted) {
      try {
        const { gone } = await this.#open();
        pauseMs = bridgeLimits.reconnectMsMin;
        await gone;
        this.#session = undefined;
        this.#next = Promise.withResolvers<Session>();
        this.#next.promise.catch(() => undefined);
        this.#changed.fire(false);
      } catch (error) {
        if (isClass(error, "unauthorized")) this.#refuse(error);
      }
      if (!this.#stop.signal.aborted) await pause(pauseMs, this.#stop.signal);
      pauseMs = Math.min(pauseMs * 2, bridgeLimits.reconnectMsMax);
    }
  }

  /** Connects; `gone` settles when that connection ends (boxed, since a promise of a promise would be waited for). */
  async #open(): Promise<{ readonly gone: Promise<void> }> {
    const gone = Promise.withResolvers<void>();
    const session = new Session(await this.#connect(this.#stop.signal), this.#onEvent, gone.resolve);
    if (this.#refused !== undefined) {
      session.close();
      throw this.#refused;
    }
    this.#session = session;
    this.#next.resolve(session);
    this.#changed.fire(true);
    return { gone: gone.promise };
  }

  #refuse(error: EngineError): void {
    this.#refused = error;
    this.#next.reject(new EngineError(error.class, messageOf(error), { cause: error }));
    this.#stop.abort(error);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
