/** Messages on their way to one reader. A writer that is told to wait holds its own source back, so that nothing piles up. */
export class Outlet<T> implements AsyncIterable<T> {
  readonly #waitingMax: number;
  #queue: T[] = [];
  #ended: { error?: unknown } | undefined;
  #wake = Promise.withResolvers<void>();
  #room = Promise.withResolvers<void>();

  constructor(waitingMax = 256) {
    this.#waitingMax = waitingMax;
  }

  /** Taken at once; the promise is there while the reader lags. */
  push(message: T): void | Promise<void> {
    if (this.#ended !== undefined) return undefined;
    this.#queue.push(message);
    this.#wake.resolve();
    return this.#queue.length > this.#waitingMax ? this.#room.promise : undefined;
  }

  /** What was pushed is still read. */
  end(error?: unknown): void {
    this.#ended ??= error === undefined ? {} : { error };
    this.#wake.resolve();
    this.#room.resolve();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    try {
      for (;;) {
        const taken = this.#queue;
        this.#queue = [];
        this.#room.resolve();
        this.#room = Promise.withResolvers();
        yield* taken;
        if (this.#queue.length > 0) continue;
        if (this.#ended !== undefined) {
          if ("error" in this.#ended) throw this.#ended.error;
          return;
        }
        await this.#wake.promise;
        this.#wake = Promise.withResolvers();
      }
    } finally {
      this.end();
    }
  }
}
