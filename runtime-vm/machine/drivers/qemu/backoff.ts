const firstMs = 1_000;
const longestMs = 60_000;
const triesMax = 8;
/** A guest that lived so long crashed for a new reason. */
const healthyMs = 5 * 60_000;

/** Pauses between restarts after crashes: they double, and start afresh after a while of health. */
export class Backoff {
  readonly #now: () => number;
  #tries = 0;
  #startedAt: number | undefined;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  started(): void {
    this.#startedAt = this.#now();
  }

  /** Milliseconds until the next try; undefined when enough were made. */
  next(): number | undefined {
    if (this.#startedAt !== undefined && this.#now() - this.#startedAt >= healthyMs) this.#tries = 0;
    this.#startedAt = undefined;
    if (this.#tries >= triesMax) return undefined;
    return Math.min(longestMs, firstMs * 2 ** this.#tries++);
  }
}
