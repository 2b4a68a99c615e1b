import type { Digest, Ingest } from "#core/content/content.ts";

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
  readonly #wake = new Set<() => void>();

  /** A new attempt: nothing of the former one counts. */
  restart(): void {
    this.attempt += 1;
    this.ingest = undefined;
    this.#readers = [];
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

/** A reader of a growing blob has read bytes that turned out to be wrong: the blob is fetched anew. */
export class GrowthLost extends Error {}

/** How many bytes can be read, each time that there are more, until all `size` are there. */
export async function* follow(growth: Growth, size: number): AsyncIterable<number> {
  const { attempt } = growth;
  for (let seen = -1; ; ) {
    if (growth.failure !== undefined) throw growth.failure;
    if (growth.attempt !== attempt) throw new GrowthLost();
    if (growth.readable !== seen) {
      seen = growth.readable;
      yield seen;
    } else if (seen === size) return;
    else await growth.next();
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
