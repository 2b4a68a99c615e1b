/** Entries that a reader may lag behind before it is ended. */
const lagEntriesMax = 1_000;

interface Follower {
  readonly queue: string[];
  ended: boolean;
  wake: () => void;
}

/** Who is told of new entries as they come. A slow one is ended; nobody waits for it. */
export class Followers {
  readonly #all = new Set<Follower>();

  add(signal: AbortSignal): AsyncGenerator<string> {
    const follower: Follower = { queue: [], ended: signal.aborted, wake: () => {} };
    const end = (): void => this.#end(follower);
    if (!follower.ended) this.#all.add(follower);
    signal.addEventListener("abort", end, { once: true });
    return this.#read(follower, () => {
      signal.removeEventListener("abort", end);
      end();
    });
  }

  tell(line: string): void {
    for (const follower of this.#all) {
      if (follower.queue.length < lagEntriesMax) follower.queue.push(line);
      else this.#end(follower);
      follower.wake();
    }
  }

  /** Nothing will come any more. */
  end(): void {
    for (const follower of this.#all) this.#end(follower);
  }

  #end(follower: Follower): void {
    this.#all.delete(follower);
    follower.ended = true;
    follower.wake();
  }

  async *#read(follower: Follower, done: () => void): AsyncGenerator<string> {
    try {
      for (;;) {
        const line = follower.queue.shift();
        if (line !== undefined) yield line;
        else if (follower.ended) return;
        else await new Promise<void>((resolve) => (follower.wake = resolve));
      }
    } finally {
      done();
    }
  }
}
