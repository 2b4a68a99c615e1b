import type { PullProgress } from "#api/images.ts";

/** Messages kept for a slow reader; past it, steps of a layer overwrite the step before them. */
const queuedMax = 1_000;

/**
 * Hands messages from work that runs by itself to one reader. The work never waits: where the reader is slow, only the
 * newest bar of each layer is kept.
 */
export class ProgressQueue {
  #messages: PullProgress[] = [];
  #wake: (() => void) | undefined;

  readonly push = (message: PullProgress): void => {
    const last = this.#messages.at(-1);
    const bar = message.progressDetail?.current !== undefined;
    const overwrites = bar && last?.id === message.id && last?.status === message.status;
    if (overwrites) this.#messages[this.#messages.length - 1] = message;
    else if (!bar || this.#messages.length < queuedMax) this.#messages.push(message);
    this.#wake?.();
  };

  /** Yields messages until `work` is over, then its rest; rejects with what `work` rejected with. */
  async *drain(work: Promise<unknown>): AsyncIterable<PullProgress> {
    let over = false;
    const settled = work.finally(() => {
      over = true;
      this.#wake?.();
    });
    // Awaited below; without a handler meanwhile Node would call it unhandled.
    settled.catch(() => {});
    for (;;) {
      const messages = this.#messages;
      this.#messages = [];
      yield* messages;
      if (this.#messages.length > 0) continue;
      if (over) break;
      await new Promise<void>((resolve) => (this.#wake = resolve));
      this.#wake = undefined;
    }
    await settled;
    yield* this.#messages;
  }
}
