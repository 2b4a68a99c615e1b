import { setMaxListeners } from "node:events";
import type { Readable } from "node:stream";
import { delay } from "#base/deadline.ts";
import { EngineError, isClass, messageOf } from "#base/errors.ts";
import type { ContentStore, Descriptor, Digest, Ingest } from "#core/content/content.ts";
import type { RegistryReader } from "#core/registry/registry.ts";

/** Attempts in a row that brought nothing. */
const fruitlessMax = 5;
const pauseMs = 200;

export interface FetchSource {
  readonly reader: RegistryReader;
  readonly repository: string;
}

interface Job {
  readonly done: Promise<void>;
  readonly stop: AbortController;
  readonly listeners: Set<(bytes: number) => void>;
  waiting: number;
}

/**
 * Brings blobs into the content store. Pulls that want the same blob share one download, which goes on until the last of
 * them gives up; a connection that breaks is taken up again where it stopped, also by a later pull.
 */
export class Fetcher {
  readonly #content: ContentStore;
  readonly #jobs = new Map<Digest, Job>();
  readonly #free: (() => void)[] = [];
  #running = 0;
  readonly #parallelMax: number;

  constructor(content: ContentStore, parallelMax: number) {
    this.#content = content;
    this.#parallelMax = parallelMax;
  }

  /** Resolves when the blob is committed. `onProgress` hears the bytes there are so far. */
  async fetch(blob: Descriptor, source: FetchSource, opts: { signal: AbortSignal; onProgress?: (bytes: number) => void }): Promise<void> {
    if (this.#content.stat(blob.digest) !== undefined) return;
    const job = this.#jobs.get(blob.digest) ?? this.#begin(blob, source);
    const { onProgress } = opts;
    if (onProgress !== undefined) job.listeners.add(onProgress);
    job.waiting += 1;
    try {
      await unlessAborted(job.done, opts.signal);
    } finally {
      if (onProgress !== undefined) job.listeners.delete(onProgress);
      job.waiting -= 1;
      if (job.waiting === 0) {
        job.stop.abort(new EngineError("cancelled", `download of ${blob.digest}: nobody wants it any more`));
        // Its partial file is closed only now; whoever asks next continues it.
        await job.done.catch(() => {});
      }
    }
  }

  #begin(blob: Descriptor, source: FetchSource): Job {
    const stop = new AbortController();
    setMaxListeners(0, stop.signal);
    const listeners = new Set<(bytes: number) => void>();
    const report = (bytes: number): void => listeners.forEach((listener) => listener(bytes));
    const done = this.#inTurn(stop.signal, () => this.#download(blob, source, { signal: stop.signal, report })).finally(() => this.#jobs.delete(blob.digest));
    done.catch(() => {});
    const job: Job = { done, stop, listeners, waiting: 0 };
    this.#jobs.set(blob.digest, job);
    return job;
  }

  async #inTurn(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    if (this.#running >= this.#parallelMax) await new Promise<void>((resolve) => this.#free.push(resolve));
    this.#running += 1;
    try {
      signal.throwIfAborted();
      await work();
    } finally {
      this.#running -= 1;
      this.#free.shift()?.();
    }
  }

  async #download(blob: Descriptor, source: FetchSource, to: { signal: AbortSignal; report: (bytes: number) => void }): Promise<void> {
    const resumed = await this.#attempt(blob, source, to);
    // What an earlier attempt left may have been torn by a power cut; then it is dropped, and the whole blob is read once more.
    if (resumed === "torn" && (await this.#attempt(blob, source, to)) === "torn") {
      throw new EngineError("invalidArgument", `filesystem layer verification failed for digest ${blob.digest}`);
    }
  }

  async #attempt(blob: Descriptor, source: FetchSource, to: { signal: AbortSignal; report: (bytes: number) => void }): Promise<"whole" | "torn"> {
    await using ingest = await this.#content.ingest(`blob ${blob.digest}`);
    const resumedAt = ingest.offset;
    for (let fruitless = 0; ingest.offset < blob.size; ) {
      const before = ingest.offset;
      try {
        await append(ingest, blob, source, to);
      } catch (error) {
        to.signal.throwIfAborted();
        if (isClass(error, "notFound") || isClass(error, "unauthorized") || isClass(error, "exhausted")) throw error;
        fruitless = ingest.offset > before ? 0 : fruitless + 1;
        if (fruitless >= fruitlessMax) throw new EngineError("unavailable", `download of ${blob.digest} failed: ${messageOf(error)}`, { cause: error });
        await delay(pauseMs * 2 ** fruitless, to.signal);
      }
    }
    try {
      await ingest.commit({ digest: blob.digest, size: blob.size });
      return "whole";
    } catch (error) {
      if (isClass(error, "invalidArgument") && resumedAt > 0) return "torn";
      if (isClass(error, "invalidArgument"))
        throw new EngineError("invalidArgument", `filesystem layer verification failed for digest ${blob.digest}`, { cause: error });
      throw error;
    }
  }
}

/** One connection's worth of bytes, from where the ingest stands. */
async function append(
  ingest: Ingest,
  blob: Descriptor,
  { reader, repository }: FetchSource,
  to: { signal: AbortSignal; report: (bytes: number) => void },
): Promise<void> {
  const { offset, body } = await reader.blob(repository, blob.digest, { offset: ingest.offset, signal: to.signal });
  if (offset > ingest.offset) throw new EngineError("unavailable", `the registry answered from byte ${offset}, asked for ${ingest.offset}`);
  let skip = ingest.offset - offset;
  for await (const chunk of body as Readable & AsyncIterable<Buffer>) {
    const fresh = chunk.subarray(Math.min(skip, chunk.length));
    skip -= chunk.length - fresh.length;
    if (ingest.offset + fresh.length > blob.size)
      throw new EngineError("invalidArgument", `the registry sent more than the ${blob.size} bytes of ${blob.digest}`);
    if (fresh.length > 0) await ingest.write(fresh);
    to.report(ingest.offset);
  }
  if (ingest.offset < blob.size) throw new EngineError("unavailable", `the connection ended at byte ${ingest.offset} of ${blob.size}`);
}

async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let leave!: () => void;
  const aborted = new Promise<never>((_, reject) => {
    leave = () => reject(signal.reason instanceof Error ? signal.reason : new EngineError("cancelled", "the pull was cancelled"));
    signal.addEventListener("abort", leave, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", leave);
  }
}
