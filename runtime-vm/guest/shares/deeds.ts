/** What a container does to a file: the host tells of it a moment later, too, and nobody is to hear of it twice. */
export type Deed = Told | "opened" | "closed";
/** What the host tells of that a container may have done. */
export type Told = "made" | "removed" | "written";
const deeds: readonly Deed[] = ["made", "removed", "written", "opened", "closed"];

/** Files that are remembered. */
const filesMax = 8_192;
/** Of each: its number in two halves, what was done, and when, in milliseconds since the log was opened. */
const words = 4;
/** The host notices what a container does at once, but its telling is under way for a while, more so in a busy guest. */
const underWayMs = 1_000;

/** When a container did it last, and how many have the file open for writing. */
interface Known {
  made?: number;
  removed?: number;
  written?: number;
  open: number;
}

/** Shared by the thread that serves a share, which writes it, and the one that is told of the host's doings. Older files give way. */
export class Deeds {
  /** How many were ever written, and then each. */
  readonly #log: Int32Array;
  readonly #known = new Map<string, Known>();
  #read = 0;

  constructor(log: Int32Array) {
    this.#log = log;
  }

  static log = (): Int32Array => new Int32Array(new SharedArrayBuffer((1 + filesMax * words) * Int32Array.BYTES_PER_ELEMENT));

  /** `key` begins with the eight bytes of a file's number. "opened" and "closed" are for writing. */
  write(key: string, deed: Deed): void {
    const count = Atomics.load(this.#log, 0);
    const at = 1 + (count % filesMax) * words;
    const number = Buffer.from(key.slice(0, 8), "latin1");
    if (number.length < 8) return;
    this.#log[at] = number.readInt32LE(0);
    this.#log[at + 1] = number.readInt32LE(4);
    this.#log[at + 2] = deeds.indexOf(deed);
    this.#log[at + 3] = now();
    Atomics.store(this.#log, 0, count + 1);
  }

  /**
   * Whether what happened `agoMs` ago to the file of this number was a container's making, removing or writing. Asked once of each making
   * and removing, or the next file that gets this number would pass for the container's.
   */
  take(number: string | undefined, deed: Told, agoMs: number): boolean {
    this.#follow();
    const known = number === undefined ? undefined : this.#known.get(number);
    if (number === undefined || known === undefined) return false;
    const at = known[deed];
    const isOwn = (deed === "written" && known.open > 0) || (at !== undefined && ((now() - at) | 0) < agoMs + underWayMs);
    if (deed === "written") return isOwn;
    delete known[deed];
    // What the host has made or renamed: what it does with that next is no container's doing.
    if (deed === "made" && !isOwn) for (const past of ["removed", "written"] as const) delete known[past];
    return isOwn;
  }

  #follow(): void {
    const count = Atomics.load(this.#log, 0);
    // Of files whose closing may have been missed nobody knows whether they are open.
    if (count - this.#read > filesMax) for (const known of this.#known.values()) known.open = 0;
    this.#read = Math.max(this.#read, count - filesMax);
    for (; this.#read < count; this.#read += 1) {
      const at = 1 + (this.#read % filesMax) * words;
      const [low = 0, high = 0, which = 0, when = 0] = this.#log.subarray(at, at + words);
      this.#note(String((BigInt(high >>> 0) << 32n) + BigInt(low >>> 0)), deeds[which] ?? "written", when);
    }
  }

  #note(number: string, deed: Deed, at: number): void {
    const before = this.#known.get(number) ?? { open: 0 };
    this.#known.delete(number);
    this.#known.set(number, before);
    if (deed === "opened") before.open += 1;
    if (deed === "closed") before.open = Math.max(0, before.open - 1);
    before[deed === "opened" || deed === "closed" ? "written" : deed] = at;
    if (this.#known.size <= filesMax) return;
    const oldest = this.#known.keys().next();
    if (oldest.done !== true) this.#known.delete(oldest.value);
  }
}

/** The same in all threads of a process, unlike performance.now(). Differences of it are right for three weeks. */
const now = (): number => Date.now() | 0;
