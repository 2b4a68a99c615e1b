/** What `POST /containers/{id}/wait` may wait for. */
export type WaitCondition = "not-running" | "next-exit" | "removed";

export interface WaitResult {
  readonly exitCode: number;
  /** Why it did not start, when that is how it ended. */
  readonly error?: string;
}

type Listener = (result: WaitResult) => void;

/** Those who wait for one container. Registered before the answer's head is sent, so that nothing is missed in between. */
export class ExitWaiters {
  readonly #waiting: Record<WaitCondition, Set<Listener>> = { "not-running": new Set(), "next-exit": new Set(), removed: new Set() };

  /** Resolves when the condition comes true; rejects when the signal aborts first. */
  async next(condition: WaitCondition, signal: AbortSignal): Promise<WaitResult> {
    signal.throwIfAborted();
    const listeners = this.#waiting[condition];
    return await new Promise((resolve, reject) => {
      const done = (result: WaitResult): void => {
        signal.removeEventListener("abort", cancel);
        resolve(result);
      };
      const cancel = (): void => {
        listeners.delete(done);
        reject(signal.reason as Error);
      };
      listeners.add(done);
      signal.addEventListener("abort", cancel, { once: true });
    });
  }

  fire(condition: WaitCondition, result: WaitResult): void {
    const listeners = [...this.#waiting[condition]];
    this.#waiting[condition].clear();
    for (const listener of listeners) listener(result);
  }
}
