const partedMsMax = 5 * 60 * 1_000;
const settledMs = 60 * 60 * 1_000;

/**
 * Whether the wall clock may be trusted to say that something has grown old: not for an hour after it was set, after a sleep, and after
 * this process began. A date that was wrong is put right by then, and until then costs nothing.
 */
export class SteadyClock {
  readonly #wall: () => number;
  readonly #monotonic: () => number;
  #parted: number;
  #since: number;

  /** Both in milliseconds. */
  constructor(wall: () => number = Date.now, monotonic: () => number = () => performance.now()) {
    this.#wall = wall;
    this.#monotonic = monotonic;
    this.#since = monotonic();
    this.#parted = wall() - this.#since;
  }

  isSettled(): boolean {
    const now = this.#monotonic();
    const parted = this.#wall() - now;
    if (Math.abs(parted - this.#parted) > partedMsMax) this.#since = now;
    this.#parted = parted;
    return now - this.#since >= settledMs;
  }
}
