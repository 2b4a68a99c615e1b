import type { Digest, Ingest, Piece } from "#core/content/content.ts";
import { type Grown, GrowthLost } from "#core/layers/layers.ts";

/** Enough for a reader to tell how a blob is compressed. */
const headBytes = 4;

/** What a download has made so far. */
export class Growth {
  ingest: Ingest | undefined;
  readable = 0;
  /** Which it is of the times it began anew. */
  attempt = 0;
  failure: unknown;
  #readers: Promise<Digest | undefined>[] = [];
  /** Of those that follow this attempt: what each has yet to take. */
  #followers = new Set<Piece[]>();
  readonly #wake = new Set<() => void>();

  /** A new attempt: nothing of the former one counts. */
  restart(): void {
    this.attempt += 1;
    this.ingest = undefined;
    this.#readers = [];
    this.#followers = new Set();
  }

  /** Until disposed, what is offered goes to `pieces`. */
  join(pieces: Piece[]): Disposable {
    const followers = this.#followers.add(pieces);
    return {
      [Symbol.dispose]: () => {
        followers.delete(pieces);
        for (const piece of pieces.splice(0)) piece.release();
      },
    };
  }

  /** To one of them: others read the file. */
  offer(piece: Piece): boolean {
    const [follower] = this.#followers;
    follower?.push(piece);
    this.changed();
    return follower !== undefined;
  }

  /** For a reader of this attempt to say what it has read. */
  reader(): (digest: Digest | undefined) => void {
    const { promise, resolve } = Promise.withResolvers<Digest | undefined>();
    this.#readers.push(promise);
    return resolve;
  }

  /** The whole blob's digest, if one of its readers has come to its end. */
  async digest(signal: AbortSignal): Promise<Digest | undefined> {
    for (const reader of this.#readers) {
      const digest = await reader;
      signal.throwIfAborted();
      if (digest !== undefined) return digest;
    }
    return undefined;
  }

  changed(): void {
    for (const wake of this.#wake) wake();
    this.#wake.clear();
  }

  next(): Promise<void> {
    return new Promise((resolve) => this.#wake.add(resolve));
  }
}

/** What can be read, each time that there is more, until all `size` bytes are in the file. */
export async function* follow(growth: Growth, size: number): AsyncIterable<Grown> {
  const { attempt } = growth;
  const pieces: Piece[] = [];
  using _joined = growth.join(pieces);
  for (let seen = -1; ; ) {
    if (growth.failure !== undefined) throw growth.failure;
    if (growth.attempt !== attempt) throw new GrowthLost();
    const piece = pieces.shift();
    const { readable } = growth;
    if (piece !== undefined) yield { readable, piece };
    else if (readable !== seen) yield { readable };
    else if (seen === size) return;
    else await growth.next();
    seen = readable;
  }
}

/** Tells the readers of what the ingest has by now. */
export function grow(ingest: Ingest, growth: Growth): void {
  if (ingest.readable < headBytes) return;
  if (growth.ingest !== undefined && growth.readable === ingest.readable) return;
  growth.ingest = ingest;
  growth.readable = ingest.readable;
  growth.changed();
}
