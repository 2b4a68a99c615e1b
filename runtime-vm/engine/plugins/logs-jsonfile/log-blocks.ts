import { closeSync } from "node:fs";
import type { LogQuery } from "#core/logs/logs.ts";
import { Pace } from "#core/tasks/paced.ts";
import type { EntryScanner } from "./filter.ts";
import { blockBytes, LogSource, readBuffer, startOf, wholeLines } from "./read.ts";
import { Wakeable } from "./wakeable.ts";
import type { FileListener, WriterThread } from "./writer-thread.ts";

/** How much of what is deleted already is kept for a follower that does not keep up, in bytes; and in how many files. */
const behindBytesMax = 64 * 2 ** 20;
const filesBehindMax = 1_024;

/** As many readers at once take large blocks; those beyond take small ones, since a client that never reads keeps its block for ever. */
const largeReadersMax = 32;
const smallBlockBytes = 64 * 1024;
let readers = 0;

/** What a reader keeps while it follows. */
interface Following {
  readonly query: LogQuery;
  readonly scanner: EntryScanner;
  readonly buffer: Buffer;
  /** Files that were begun since. */
  readonly later: LogSource[];
  readonly woken: Wakeable;
}

/** One log's files as its readers see them: blocks of whole lines, to the end or beyond it as more is written. */
export class LogBlocks {
  readonly #thread: WriterThread;
  readonly #log: number;
  readonly #followers = new Set<() => void>();
  readonly #behindMax: number;
  /** What is read instead once the log is closed: the files may be deleted. */
  #kept: readonly LogSource[] | undefined;
  /** More is to come: readers may follow. */
  growing = false;

  /** `maxBytes`: the largest a file gets before the next is begun; 0 is without bounds. */
  constructor(thread: WriterThread, log: number, maxBytes: number) {
    this.#thread = thread;
    this.#log = log;
    this.#behindMax = Math.max(2, Math.min(filesBehindMax, Math.floor(behindBytesMax / maxBytes)));
  }

  /** More was written, or no more will be. */
  wake(): void {
    for (const wake of this.#followers) wake();
  }

  /** From now on reads the files as they are, until `release`. */
  async keep(): Promise<void> {
    this.#kept = (await this.#open()).sources;
  }

  release(): void {
    for (const source of this.#kept ?? []) source[Symbol.dispose]();
  }

  /** Everything the query may want, in order; with `follow` until the output ends. `scanner` tells when that was enough. */
  async *read(query: LogQuery, scanner: EntryScanner): AsyncGenerator<Buffer> {
    const later: LogSource[] = [];
    const buffer = readBuffer(readers < largeReadersMax ? blockBytes : smallBlockBytes);
    const follow = query.follow && this.growing;
    using woken = new Wakeable(query.signal);
    if (follow) this.#followers.add(woken.wake);
    const kept = this.#kept;
    const { sources, unfollow } = kept
      ? { sources: kept, unfollow: () => undefined }
      : await this.#open(follow ? (fd, close) => this.#keepFor(later, LogSource.fromDescriptor(fd, close)) : undefined);
    readers += 1;
    try {
      const start = await startOf(sources, query);
      for (let index = start.index; index < sources.length; index++) {
        const source = sources[index] as LogSource;
        let position = index === start.index ? start.position : 0;
        const last = follow && index === sources.length - 1;
        position = yield* until(query, scanner, wholeLines(source, position, buffer, last ? undefined : source.size));
        if (scanner.over || query.signal.aborted) return;
        if (last) yield* this.#follow({ query, scanner, buffer, later, woken }, source, position);
      }
    } finally {
      readers -= 1;
      this.#followers.delete(woken.wake);
      unfollow();
      for (const source of kept ? later : [...sources, ...later]) source[Symbol.dispose]();
    }
  }

  /** From `position` in the newest file on: to the end of the output, through every file that is begun meanwhile. */
  async *#follow({ query, scanner, buffer, later, woken }: Following, newest: LogSource, start: number): AsyncGenerator<Buffer> {
    const pace = new Pace(blockBytes);
    let source = newest;
    let position = start;
    try {
      for (;;) {
        // Asked before reading: a file with a successor, or of an output that is over, is complete by then.
        const complete = later.length > 0;
        const ended = !this.growing;
        woken.reset();
        const before = position;
        position = yield* until(query, scanner, wholeLines(source, position, buffer));
        if (scanner.over || query.signal.aborted) return;
        if (complete) {
          source[Symbol.dispose]();
          source = later.shift() as LogSource;
          position = 0;
        } else if (ended) return;
        else if (position === before) await woken.wait();
        else await pace.after(position - before);
      }
    } finally {
      source[Symbol.dispose]();
    }
  }

  /** One that is too far behind goes on with what is newer: a client that never reads must not keep every file that ever was. */
  #keepFor(later: LogSource[], source: LogSource): void {
    later.push(source);
    if (later.length > this.#behindMax) later.shift()?.[Symbol.dispose]();
  }

  /** The log's files; the caller lets go of them. */
  async #open(onFile?: FileListener): Promise<{ sources: LogSource[]; unfollow: () => void }> {
    const { files, unfollow } = await this.#thread.files(this.#log, onFile);
    const sources: LogSource[] = [];
    try {
      for (const file of files) sources.push(await LogSource.open(file));
      return { sources, unfollow };
    } catch (error) {
      unfollow();
      for (const source of sources) source[Symbol.dispose]();
      for (const file of files.slice(sources.length + 1)) closeSync(file.fd);
      throw error;
    }
  }
}

/** Passes blocks on until the query has enough or is given up. */
async function* until(query: LogQuery, scanner: EntryScanner, blocks: AsyncGenerator<Buffer, number>): AsyncGenerator<Buffer, number> {
  for (;;) {
    const next = await blocks.next();
    if (next.done) return next.value;
    yield next.value;
    if (scanner.over || query.signal.aborted) return 0;
  }
}
