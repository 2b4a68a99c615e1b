/** Waits for `wake`, or for the signal to be aborted; a `wake` since the last `reset` counts. */
export class Wakeable implements Disposable {
  readonly #signal: AbortSignal;
  #woken = false;
  #resume: (() => void) | undefined;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener("abort", this.wake, { once: true });
  }

  readonly wake = (): void => {
    this.#woken = true;
    this.#resume?.();
    this.#resume = undefined;
  };

  reset(): void {
    this.#woken = this.#signal.aborted;
  }

  async wait(): Promise<void> {
    if (!this.#woken) await new Promise<void>((resolve) => (this.#resume = resolve));
  }

  [Symbol.dispose](): void {
    this.#signal.removeEventListener("abort", this.wake);
  }
}
