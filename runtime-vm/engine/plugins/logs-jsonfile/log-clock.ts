/** Seconds and nanoseconds since the epoch. */
export interface Clock {
  seconds: number;
  nanos: number;
}

/** The times of one log's entries: strictly increasing, so that since and until cut exactly between two of them. */
export class LogClock {
  readonly #now: Clock = { seconds: 0, nanos: 0 };

  /** Of the last entry, since the epoch. */
  get nanos(): bigint {
    return BigInt(this.#now.seconds) * 1_000_000_000n + BigInt(this.#now.nanos);
  }

  get now(): Readonly<Clock> {
    return this.#now;
  }

  /** Goes on from the time of an entry that was found. */
  set({ seconds, nanos }: Clock): void {
    this.#now.seconds = seconds;
    this.#now.nanos = nanos;
  }

  /** Once a piece of output; an entry is a nanosecond after the one before it when the clock says no later. */
  read(): void {
    const wall = wallClock();
    const now = this.#now;
    if (wall.seconds < now.seconds || (wall.seconds === now.seconds && wall.nanos <= now.nanos)) return;
    // The first tick adds one.
    this.set({ seconds: wall.seconds, nanos: Math.max(0, wall.nanos - 1) });
  }

  /** The time of the next entry. */
  tick(): Readonly<Clock> {
    return this.advance(1);
  }

  /** So many entries were given the nanoseconds that come next. */
  advance(entries: number): Readonly<Clock> {
    this.#now.nanos += entries;
    if (this.#now.nanos >= 1_000_000_000) {
      this.#now.nanos -= 1_000_000_000;
      this.#now.seconds++;
    }
    return this.#now;
  }
}

let anchorWall = 0;
let anchorMonotonic = 0n;

/** The wall clock with the monotonic clock's nanoseconds; taken anew when the two drift apart (somebody set the time). */
function wallClock(): Clock {
  const millis = Date.now();
  const monotonic = process.hrtime.bigint();
  let elapsed = Number(monotonic - anchorMonotonic);
  if (Math.abs(anchorWall + elapsed / 1e6 - millis) > 2) {
    anchorWall = millis;
    anchorMonotonic = monotonic;
    elapsed = 0;
  }
  const seconds = Math.floor(anchorWall / 1000) + Math.floor(((anchorWall % 1000) * 1e6 + elapsed) / 1e9);
  return { seconds, nanos: ((anchorWall % 1000) * 1e6 + elapsed) % 1e9 };
}
