import { uptime } from "node:os";
import type { KeptItem } from "./keeper.ts";

/**
 * What a clock may be set by without anybody having had a wrong date: clocks of a virtual machine stand still while its computer sleeps.
 * A date that is wrong by less makes nothing go at once, as things are kept for so long.
 */
const sleepMsMax = 7 * 24 * 60 * 60 * 1_000;

/**
 * When this process removed things, by a clock that nobody sets (CLOCK_BOOTTIME, which counts sleep too). A machine that began with a date
 * of long ago removed nothing long ago.
 */
export class RemovalTimes {
  readonly #elapsedMs: () => number;
  readonly #at = new Map<string, number>();

  constructor(elapsedMs: () => number = () => uptime() * 1_000) {
    this.#elapsedMs = elapsedMs;
  }

  note(id: string): void {
    this.#at.set(id, this.#elapsedMs());
  }

  forget(id: string): void {
    this.#at.delete(id);
  }

  /** Those of `items` whose time of removal is wrong by the clock as it is now, put right. */
  corrected(items: ReadonlyMap<string, KeptItem>): KeptItem[] {
    const elapsed = this.#elapsedMs();
    return [...this.#at].flatMap(([id, at]) => {
      const item = items.get(id);
      const removedMs = Date.now() - (elapsed - at);
      return item === undefined || Math.abs(removedMs - item.removedMs) <= sleepMsMax ? [] : [{ ...item, removedMs }];
    });
  }
}
