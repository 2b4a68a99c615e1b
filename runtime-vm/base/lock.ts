/** One holder a key at a time, in the order of asking. `using`/`await using` the result to give it back. */
export class KeyedLock {
  readonly #tails = new Map<string, Promise<void>>();

  async acquire(key: string): Promise<Disposable> {
    const before = this.#tails.get(key) ?? Promise.resolve();
    let release!: () => void;
    const tail = before.then(() => new Promise<void>((resolve) => (release = resolve)));
    this.#tails.set(key, tail);
    await before;
    await Promise.resolve();
    return {
      [Symbol.dispose]: () => {
        if (this.#tails.get(key) === tail) this.#tails.delete(key);
        release();
      },
    };
  }

  async with<T>(key: string, work: () => Promise<T>): Promise<T> {
    using _held = await this.acquire(key);
    return await work();
  }
}
