import { delay } from "#base/deadline.ts";

/**
 * Those who read or write a container's files from outside. Its root stays mounted for them, and its removal waits for them as long as
 * they get on: who takes nothing for a while, or left, holds nobody up.
 */
export class Viewers {
  #count = 0;
  #steps = 0;
  #left = Promise.withResolvers<void>();

  get any(): boolean {
    return this.#count > 0;
  }

  enter(): void {
    this.#count += 1;
    this.step();
  }

  leave(): void {
    this.#count -= 1;
    if (this.any) return this.step();
    this.#left.resolve();
    this.#left = Promise.withResolvers();
  }

  /** One of them got on. */
  step(): void {
    this.#steps += 1;
  }

  /** Resolves when nobody is left, or nobody has got on for `idleMsMax`. */
  async gone(idleMsMax: number): Promise<void> {
    while (this.any) {
      const before = this.#steps;
      const waiting = new AbortController();
      await Promise.race([this.#left.promise, delay(idleMsMax, waiting.signal).catch(() => undefined)]);
      waiting.abort();
      if (this.#steps === before) return;
    }
  }
}
