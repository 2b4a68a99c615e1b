/** What a container does to a file: the host tells of it a moment later, too, and nobody is to hear of it twice. */
export type Deed = "made" | "removed" | "written";
const deeds: readonly Deed[] = ["made", "removed", "written"];

/** Files that are remembered. */
const filesMax = 8_192;
/** Of each: its number in two halves, what was done, and when, in milliseconds since the log was opened. */
const words = 4;
/** For so long what is told of a file that a container wrote to is taken for that. */
const writtenMs = 1_000;

/** Shared by the thread that serves a share, which writes it, and the one that is told of the host's doings. Older files give way. */
export class Deeds {
  /** How many were ever written, and then each. */
  readonly #log: Int32Array;
  readonly #known = new Map<string, { deed: Deed; at: number }>();
  #read = 0;

  constructor(log: Int32Array) {
    this.#log = log;
  }

  static log = (): Int32Array => new Int32Array(new SharedArrayBuffer((1 + filesMax * words) * Int32Array.BYTES_PER_ELEMENT));

  /** `key` begins with the eight bytes of a file's number. */
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

  /** Whether the file of this number was made, removed or written to by a container, which is asked once of each making and removing. */
  take(number: string | undefined, deed: Deed): boolean {
    this.#follow();
    if (number === undefined) return false;
    const key = `${deed} ${number}`;
    const found = this.#known.get(key);
    if (found === undefined) return false;
    if (deed === "written") return ((now() - found.at) | 0) < writtenMs;
    return this.#known.delete(key);
  }

  #follow(): void {
    const count = Atomics.load(this.#log, 0);
    this.#read = Math.max(this.#read, count - filesMax);
    for (; this.#read < count; this.#read += 1) {
      const at = 1 + (this.#read % filesMax) * words;
      const [low = 0, high = 0, which = 0, when = 0] = this.#log.subarray(at, at + words);
      const deed = deeds[which] ?? "written";
      const key = `${deed} ${(BigInt(high >>> 0) << 32n) + BigInt(low >>> 0)}`;
      this.#known.delete(key);
      this.#known.set(key, { deed, at: when });
      if (this.#known.size <= filesMax) continue;
      const oldest = this.#known.keys().next();
      if (oldest.done !== true) this.#known.delete(oldest.value);
    }
  }
}

/** The same in all threads of a process, unlike performance.now(). Differences of it are right for three weeks. */
const now = (): number => Date.now() | 0;
