import type { PullProgress } from "#api/images.ts";
import { EngineError } from "#base/errors.ts";

/** Messages kept for a slow reader; past it, steps of a layer overwrite the step before them. */
const queuedMax = 1_000;

/**
 * Hands messages from work that runs by itself to one reader. The work never waits: where the reader is slow, only the
 * newest bar of each layer is kept.
 */
class ProgressQueue {
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

/** What a piece of work that tells its progress gets. */
export interface WorkSession {
  readonly signal: AbortSignal;
  readonly say: (message: PullProgress) => void;
}

/** Runs `work` and yields what it says. A reader that goes before the end ends the work, and nothing goes on behind its back. */
export async function* runSession(what: string, given: AbortSignal, work: (session: WorkSession) => Promise<void>): AsyncIterable<PullProgress> {
  const queue = new ProgressQueue();
  const stop = new AbortController();
  const running = work({ signal: AbortSignal.any([given, stop.signal]), say: queue.push });
  try {
    yield* queue.drain(running);
  } finally {
    stop.abort(new EngineError("cancelled", `the ${what} was given up`));
    await running.catch(() => {});
  }
}
