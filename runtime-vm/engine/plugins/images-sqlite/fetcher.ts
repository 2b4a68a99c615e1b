import { setMaxListeners } from "node:events";
import { delay } from "#base/deadline.ts";
import { EngineError, isClass, isDiskFull, messageOf } from "#base/errors.ts";
import type { ContentStore, Descriptor, Digest, Ingest } from "#core/content/content.ts";
import type { BlobFile } from "#core/layers/layers.ts";
import type { RegistryReader } from "#core/registry/registry.ts";
import { eachChunk } from "./each-chunk.ts";
import { follow, grow, Growth } from "./growth.ts";

const pauseMs = 200;

/** Read anew at each use: they may change while the engine runs. */
export interface FetchLimits {
  readonly maxConcurrentDownloads: number;
  /** Attempts in a row that brought nothing. */
  readonly maxDownloadAttempts: number;
}

export interface FetchSource {
  readonly reader: RegistryReader;
  readonly repository: string;
}

interface Job {
  readonly size: number;
  readonly done: Promise<void>;
  readonly stop: AbortController;
  readonly listeners: Set<(bytes: number) => void>;
  readonly growth: Growth;
  waiting: number;
}

/**
 * Brings blobs into the content store. Pulls that want the same blob share one download, which goes on until the last of
 * them gives up; a connection that breaks is taken up again where it stopped, also by a later pull.
 */
export class Fetcher {
  readonly #content: ContentStore;
  readonly #jobs = new Map<Digest, Job>();
  /** Each is given the place of one that is done. */
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  readonly #limits: FetchLimits;

  constructor(content: ContentStore, limits: FetchLimits) {
    this.#content = content;
    this.#limits = limits;
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

  /** A blob that is being fetched, for readers that do not wait for the whole; undefined when it is not, or its head is not there yet. */
  growing(digest: Digest): BlobFile | undefined {
    const job = this.#jobs.get(digest);
    const ingest = job?.growth.ingest;
    return ingest === undefined ? undefined : { path: ingest.path, growth: follow(job!.growth, job!.size), hashed: job!.growth.reader() };
  }

  #begin(blob: Descriptor, source: FetchSource): Job {
    const stop = new AbortController();
    setMaxListeners(0, stop.signal);
    const listeners = new Set<(bytes: number) => void>();
    const report = (bytes: number): void => listeners.forEach((listener) => listener(bytes));
    const growth = new Growth();
    const done = this.#download(blob, source, { signal: stop.signal, report, growth }).finally(() => this.#jobs.delete(blob.digest));
    done.catch((error: unknown) => {
      growth.failure = error;
      growth.changed();
    });
    const job: Job = { size: blob.size, done, stop, listeners, growth, waiting: 0 };
    this.#jobs.set(blob.digest, job);
    return job;
  }

  /** Waits until there is a place among the downloads; disposing gives it to the next. */
  async #turn(signal: AbortSignal): Promise<Disposable> {
    if (this.#running < this.#limits.maxConcurrentDownloads) this.#running += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    using turn = new DisposableStack();
    turn.defer(() => {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    });
    signal.throwIfAborted();
    return turn.move();
  }

  async #download(blob: Descriptor, source: FetchSource, to: Download): Promise<void> {
    const resumed = await this.#attempt(blob, source, to);
    // What an earlier attempt left may have been torn by a power cut; then it is dropped, and the whole blob is read once more.
    if (resumed === "torn" && (await this.#attempt(blob, source, to)) === "torn") {
      throw new EngineError("invalidArgument", `filesystem layer verification failed for digest ${blob.digest}`);
    }
  }

  async #attempt(blob: Descriptor, source: FetchSource, to: Download): Promise<"whole" | "torn"> {
    using turn = await this.#turn(to.signal);
    await using ingest = await this.#content.ingest(`blob ${blob.digest}`, (piece) => to.growth.offer(piece));
    const resumedAt = ingest.offset;
    to.growth.restart();
    for (let fruitless = 0; ingest.offset < blob.size; ) {
      const before = ingest.offset;
      try {
        await append(ingest, blob, source, to);
      } catch (error) {
        to.signal.throwIfAborted();
        if (isClass(error, "notFound") || isClass(error, "unauthorized") || isClass(error, "exhausted") || isDiskFull(error)) throw error;
        fruitless = ingest.offset > before ? 0 : fruitless + 1;
        if (fruitless >= this.#limits.maxDownloadAttempts)
          throw new EngineError("unavailable", `download of ${blob.digest} failed: ${messageOf(error)}`, { cause: error });
        await delay(pauseMs * 2 ** fruitless, to.signal);
      }
    }
    await ingest.flush();
    grow(ingest, to.growth);
    // What is left to do needs no network.
    turn[Symbol.dispose]();
    const hashed = to.growth.digest(to.signal);
    // Awaited by the commit, which has other things to do first.
    hashed.catch(() => {});
    try {
      await ingest.commit({ digest: blob.digest, size: blob.size }, hashed);
      return "whole";
    } catch (error) {
      if (isClass(error, "invalidArgument") && resumedAt > 0) return "torn";
      if (isClass(error, "invalidArgument"))
        throw new EngineError("invalidArgument", `filesystem layer verification failed for digest ${blob.digest}`, { cause: error });
      throw error;
    }
  }
}

interface Download {
  readonly signal: AbortSignal;
  readonly report: (bytes: number) => void;
  readonly growth: Growth;
}

/** One connection's worth of bytes, from where the ingest stands. */
async function append(ingest: Ingest, blob: Descriptor, { reader, repository }: FetchSource, to: Download): Promise<void> {
  const { offset, body } = await reader.blob(repository, blob.digest, { offset: ingest.offset, urls: blob.urls, signal: to.signal });
  if (offset > ingest.offset) throw new EngineError("unavailable", `the registry answered from byte ${offset}, asked for ${ingest.offset}`);
  let skip = ingest.offset - offset;
  const tell = (): void => {
    grow(ingest, to.growth);
    to.report(ingest.offset);
  };
  await eachChunk(body, (chunk) => {
    const fresh = chunk.subarray(Math.min(skip, chunk.length));
    skip -= chunk.length - fresh.length;
    if (ingest.offset + fresh.length > blob.size)
      throw new EngineError("invalidArgument", `the registry sent more than the ${blob.size} bytes of ${blob.digest}`);
    const writing = fresh.length === 0 ? undefined : ingest.write(fresh);
    // The first bytes are what a reader begins with.
    if (to.growth.ingest === undefined) return flushed(ingest, writing).then(tell);
    if (writing !== undefined) return writing.then(tell);
    tell();
    return undefined;
  });
  if (ingest.offset < blob.size) throw new EngineError("unavailable", `the connection ended at byte ${ingest.offset} of ${blob.size}`);
}

async function flushed(ingest: Ingest, writing: Promise<void> | undefined): Promise<void> {
  await writing;
  await ingest.flush();
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
