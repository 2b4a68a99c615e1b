import { closeSync } from "node:fs";
import { EngineError, messageOf } from "#base/errors.ts";
import type { ContainerLog, LogChunk, LogDress, LogQuery, LogStream, LogTap } from "#core/logs/logs.ts";
import type { TaskStdio } from "#core/tasks/tasks.ts";
import { AttachReader, pushToAll, withoutBeginnings, type AttachChunk } from "./attach-reader.ts";
import { EntryScanner } from "./filter.ts";
import type { LogFileOptions, LogMark } from "./log-file.ts";
import { OutputPump } from "./output-pump.ts";
import { LogSource, readBuffer, startOf, wholeLines } from "./read.ts";
import { Wakeable } from "./wakeable.ts";
import type { WriterThread } from "./writer-thread.ts";

export interface JsonFileLogOptions extends LogFileOptions {
  /** Output waiting for the disk past this is dropped (`mode=non-blocking`); absent: the container waits for the disk. */
  readonly dropPastBytes?: number;
  readonly report: (line: string) => void;
  /** Its place is the user's business (inspect's LogPath). */
  readonly isPublic?: boolean;
  /** Sees the output before it is written. */
  readonly tap?: LogTap;
}

/** As `docker logs --details` shows attributes, those of a JSON object: `name=value,name=value`, escaped as in a URL's query. */
function detailsText(attributes: string): string {
  const found = attributes === "" ? {} : (JSON.parse(attributes) as Record<string, string>);
  return Object.entries(found)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${queryEscape(name)}=${queryEscape(value)}`)
    .join(",");
}

const queryEscape = (text: string): string =>
  encodeURIComponent(text)
    .replaceAll("%20", "+")
    .replace(/[!'()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`);

/** What a reader keeps while it follows. */
interface Following {
  readonly query: LogQuery;
  readonly scanner: EntryScanner;
  readonly buffer: Buffer;
  /** Files that were begun since. */
  readonly later: LogSource[];
  readonly woken: Wakeable;
}

/** Docker's json-file driver for one container. */
export class JsonFileLog implements ContainerLog {
  readonly path: string;
  readonly #tap: LogTap | undefined;
  /** Before each line for clients that ask for details. */
  readonly #details: Buffer;
  readonly #thread: WriterThread;
  readonly #log: number;
  readonly #pump: OutputPump;
  readonly #readers = new Set<AttachReader>();
  /** Attached clients that have not read everything yet, those of ended tasks included. */
  readonly #unfinished = new Set<AttachReader>();
  readonly #followers = new Set<() => void>();
  #consuming = false;
  /** Once closed: what unfinished clients still need, kept open although the files may be deleted. */
  #kept: { readonly sources: readonly LogSource[]; readonly end: LogMark } | undefined;
  /** The writer died under us. */
  #lost = false;

  private constructor(thread: WriterThread, log: number, pump: OutputPump, options: JsonFileLogOptions) {
    this.path = options.isPublic === false ? "" : options.path;
    this.#tap = options.tap;
    this.#details = Buffer.from(`${detailsText(options.attributes)} `);
    this.#thread = thread;
    this.#log = log;
    this.#pump = pump;
  }

  static async open(thread: WriterThread, options: JsonFileLogOptions): Promise<JsonFileLog> {
    const pump = new OutputPump(options.dropPastBytes);
    let opened: JsonFileLog | undefined;
    const { path, maxBytes, maxFiles, compress, attributes } = options;
    const log = await thread.open(
      { path, maxBytes, maxFiles, compress, attributes },
      {
        written: (bytes) => {
          pump.written(bytes);
          if (opened) opened.#wake();
        },
        failed: (error) => {
          options.report(`${options.path}: ${messageOf(error)}: output is lost`);
        },
        lost: (error) => {
          options.report(`${options.path}: ${messageOf(error)}: nothing more is logged`);
          if (opened) opened.#lost = true;
          pump.giveUp();
        },
      },
    );
    opened = new JsonFileLog(thread, log, pump, options);
    return opened;
  }

  async consume(stdio: TaskStdio): Promise<void> {
    if (this.#consuming) throw new EngineError("conflict", `log ${this.path} is written by another task`);
    this.#consuming = true;
    try {
      await this.#pump.run(stdio, (stream, bytes) => this.#take(stream, bytes));
      if (!this.#lost) await this.#thread.end(this.#log);
    } finally {
      this.#consuming = false;
      // Whoever attaches from here on waits for the next task.
      for (const reader of this.#readers) reader.finish();
      this.#readers.clear();
      this.#wake();
    }
  }

  attach(opts: { stdout: boolean; stderr: boolean; replay?: boolean; signal: AbortSignal }): AsyncIterable<AttachChunk> {
    const backlog = { mark: () => this.#mark(), between: (from: LogMark, to: LogMark) => this.#between(from, to) };
    const reader: AttachReader = new AttachReader(opts, backlog, () => this.#left(reader));
    if (opts.signal.aborted) return reader;
    this.#readers.add(reader);
    this.#unfinished.add(reader);
    return reader;
  }

  async *read(query: LogQuery): AsyncGenerator<LogChunk> {
    const scanner = new EntryScanner(query);
    for await (const block of this.#blocks(query, scanner)) yield* scanner.chunks(block);
  }

  async *readFrames(query: LogQuery, { raw, timestamps, details }: LogDress): AsyncGenerator<Buffer> {
    const scanner = new EntryScanner(query);
    const dress = { raw, timestamps, ...(details ? { details: this.#details } : {}) };
    for await (const block of this.#blocks(query, scanner)) {
      const frames = scanner.frames(block, dress);
      if (frames.length > 0) yield frames;
    }
  }

  /** Does not wait for attached clients: what they have not read yet stays open for them. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const reader of this.#readers) reader.finish();
    if (this.#unfinished.size > 0 && !this.#lost) {
      const { sources } = await this.#open();
      this.#kept = { sources, end: await this.#mark() };
      if (this.#unfinished.size === 0) this.#release();
    }
    await this.#thread.close(this.#log);
  }

  async #mark(): Promise<LogMark> {
    return this.#kept?.end ?? (await this.#thread.mark(this.#log));
  }

  #left(reader: AttachReader): void {
    this.#readers.delete(reader);
    if (this.#unfinished.delete(reader) && this.#unfinished.size === 0) this.#release();
  }

  #release(): void {
    for (const source of this.#kept?.sources ?? []) source[Symbol.dispose]();
  }

  /** The log's files; the caller lets go of them. */
  async #open(onFile?: (fd: number) => void): Promise<{ sources: LogSource[]; unfollow: () => void }> {
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

  #take(stream: 0 | 1, bytes: Buffer): Promise<unknown> | undefined {
    const name: LogStream = stream === 0 ? "stdout" : "stderr";
    // Readers first: a mark they set must reach the writer before this chunk.
    const tapped = this.#tap?.(name, bytes);
    const pushed = pushToAll(this.#readers, { stream: name, bytes });
    if (this.#lost) this.#pump.giveUp();
    else this.#thread.write(this.#log, stream, bytes, this.#readers.size === 0 && this.#tap === undefined);
    return tapped && pushed ? Promise.all([tapped, pushed]) : (tapped ?? pushed);
  }

  #wake(): void {
    for (const wake of this.#followers) wake();
  }

  async *#between(from: LogMark, to: LogMark): AsyncGenerator<AttachChunk> {
    const signal = new AbortController().signal;
    const query: LogQuery = { stdout: true, stderr: true, sinceNano: from.after + 1n, untilNano: to.after, follow: false, signal };
    yield* withoutBeginnings(from, to, this.#runs(query));
  }

  async *#runs(query: LogQuery): AsyncGenerator<AttachChunk> {
    const scanner = new EntryScanner(query);
    for await (const block of this.#blocks(query, scanner)) yield* scanner.runs(block);
  }

  /** Blocks of whole lines that hold everything the query may want, in order; with `follow` until the task's output ends. */
  async *#blocks(query: LogQuery, scanner: EntryScanner): AsyncGenerator<Buffer> {
    const later: LogSource[] = [];
    const buffer = readBuffer();
    const follow = query.follow && this.#consuming;
    using woken = new Wakeable(query.signal);
    if (follow) this.#followers.add(woken.wake);
    const kept = this.#kept?.sources;
    const { sources, unfollow } = kept
      ? { sources: kept, unfollow: () => undefined }
      : await this.#open(follow ? (fd) => void later.push(LogSource.fromDescriptor(fd)) : undefined);
    try {
      const start = await startOf(sources, query);
      for (let index = start.index; index < sources.length; index++) {
        const source = sources[index] as LogSource;
        let position = index === start.index ? start.position : 0;
        const last = follow && index === sources.length - 1;
        position = yield* this.#until(query, scanner, wholeLines(source, position, buffer, last ? undefined : source.size));
        if (scanner.over || query.signal.aborted) return;
        if (last) yield* this.#follow({ query, scanner, buffer, later, woken }, source, position);
      }
    } finally {
      this.#followers.delete(woken.wake);
      unfollow();
      for (const source of kept ? later : [...sources, ...later]) source[Symbol.dispose]();
    }
  }

  /** From `position` in the newest file on: to the end of the output, through every file that is begun meanwhile. */
  async *#follow({ query, scanner, buffer, later, woken }: Following, newest: LogSource, start: number): AsyncGenerator<Buffer> {
    let source = newest;
    let position = start;
    try {
      for (;;) {
        // Asked before reading: a file with a successor, or of an output that is over, is complete by then.
        const next = later[0];
        const ended = !this.#consuming;
        woken.reset();
        const before = position;
        position = yield* this.#until(query, scanner, wholeLines(source, position, buffer));
        if (scanner.over || query.signal.aborted) return;
        if (next) {
          source[Symbol.dispose]();
          source = next;
          later.shift();
          position = 0;
        } else if (ended) return;
        else if (position === before) await woken.wait();
      }
    } finally {
      source[Symbol.dispose]();
    }
  }

  /** Passes blocks on until the query has enough or is given up. */
  async *#until(query: LogQuery, scanner: EntryScanner, blocks: AsyncGenerator<Buffer, number>): AsyncGenerator<Buffer, number> {
    for (;;) {
      const next = await blocks.next();
      if (next.done) return next.value;
      yield next.value;
      if (scanner.over || query.signal.aborted) return 0;
    }
  }
}
