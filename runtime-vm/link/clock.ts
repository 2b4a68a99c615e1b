/** The guest's clock is set only when it is off by more than this, so that it never jitters. */
const toleranceMs = 500;
/** How often in a row the host's time must lie behind the guest's before that is believed. */
const confirmations = 3;

/**
 * Decides when the guest takes over the time the host sends. A message that was delayed makes the host look behind,
 * never ahead: a guest that is behind is set at once, one that seems ahead only when several messages say so, and
 * then by the smallest of their differences.
 */
export class ClockKeeper {
  #leads: number[] = [];

  /** The time to set, if any, when the host's `unixMs` arrives while the guest's clock shows `nowMs`. */
  take(unixMs: number, nowMs: number): number | undefined {
    const lead = nowMs - unixMs;
    if (lead <= toleranceMs) {
      this.#leads = [];
      return lead < -toleranceMs ? unixMs : undefined;
    }
    this.#leads.push(lead);
    if (this.#leads.length < confirmations) return undefined;
    const smallest = Math.min(...this.#leads);
    this.#leads = [];
    return nowMs - smallest;
  }
}
