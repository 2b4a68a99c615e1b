/** One holder a key at a time, in the order of asking. `using`/`await using` the result to give it back. */
export class KeyedLock {
  readonly #tails = new Map<string, Promise<void>>();

  /** Who gives up waiting, as `signal` says, passes its turn on when that comes. */
  async acquire(key: string, signal?: AbortSignal): Promise<Disposable> {
    signal?.throwIfAborted();
    const before = this.#tails.get(key) ?? Promise.resolve();
    let release!: () => void;
    const tail = before.then(() => new Promise<void>((resolve) => (release = resolve)));
    this.#tails.set(key, tail);
    const held = {
      [Symbol.dispose]: () => {
        if (this.#tails.get(key) === tail) this.#tails.delete(key);
        release();
      },
    };
    try {
      await (signal === undefined ? before : unlessAborted(before, signal));
    } catch (error) {
      void before.then(() => held[Symbol.dispose]());
      throw error;
    }
    await Promise.resolve();
    return held;
  }

  async with<T>(key: string, work: () => Promise<T>): Promise<T> {
    using _held = await this.acquire(key);
    return await work();
  }
}

async function unlessAborted(turn: Promise<void>, signal: AbortSignal): Promise<void> {
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    await Promise.race([turn, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
