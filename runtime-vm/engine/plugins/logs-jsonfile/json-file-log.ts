import { readSync } from "node:fs";
import { EngineError, messageOf } from "#base/errors.ts";
import type { ContainerLog, LogChunk, LogDress, LogQuery, LogStream, LogTap } from "#core/logs/logs.ts";
import type { OutputSpool } from "#core/tasks/spool.ts";
import type { TaskStdio } from "#core/tasks/tasks.ts";
import { AttachReader, pushToAll, withoutBeginnings, type AttachChunk } from "./attach-reader.ts";
import { detailsText } from "./details.ts";
import { EntryScanner } from "./filter.ts";
import { LogBlocks } from "./log-blocks.ts";
import type { LogFileOptions, LogMark } from "./log-file.ts";
import { OutputPump, pieceBytesMax, type Piece } from "./output-pump.ts";
import { readProgress } from "./progress.ts";
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

/** Pieces from this size on are worth a whole piece's memory, of which so many are kept. */
const largeBytes = 64 * 1024;
const sparesMax = 4;

/** Docker's json-file driver for one container. */
export class JsonFileLog implements ContainerLog {
  readonly path: string;
  readonly #tap: LogTap | undefined;
  /** Before each line for clients that ask for details. */
  readonly #details: Buffer;
  readonly #thread: WriterThread;
  readonly #log: number;
  readonly #pump: OutputPump;
  readonly #blocks: LogBlocks;
  readonly #readers = new Set<AttachReader>();
  /** Memory for pieces that are shown to a reader. */
  readonly #spare: Buffer[] = [];
  /** Attached clients that have not read everything yet, those of ended tasks included. */
  readonly #unfinished = new Set<AttachReader>();
  /** Of the process whose output is taken, stdout's and stderr's. */
  #spools: readonly (OutputSpool | undefined)[] = [];
  /** Once closed: where the log ended. */
  #end: LogMark | undefined;
  /** The writer died under us. */
  #lost = false;

  private constructor(thread: WriterThread, log: number, options: JsonFileLogOptions) {
    this.path = options.isPublic === false ? "" : options.path;
    this.#tap = options.tap;
    this.#details = Buffer.from(`${detailsText(options.attributes)} `);
    this.#thread = thread;
    this.#log = log;
    this.#blocks = new LogBlocks(thread, log, options.maxBytes);
    this.#pump = new OutputPump((piece) => this.#take(piece), options.dropPastBytes);
  }

  static async open(thread: WriterThread, options: JsonFileLogOptions): Promise<JsonFileLog> {
    let opened: JsonFileLog | undefined;
    const { path, maxBytes, maxFiles, compress, attributes } = options;
    const log = await thread.open(
      { path, maxBytes, maxFiles, compress, attributes },
      {
        written: (stream, bytes, taken) => {
          if (opened) opened.#written(stream, bytes, taken);
        },
        failed: (error) => {
          options.report(`${options.path}: ${messageOf(error)}: output is lost`);
        },
        lost: (error) => {
          options.report(`${options.path}: ${messageOf(error)}: nothing more is logged`);
          if (!opened) return;
          opened.#lost = true;
          opened.#pump.giveUp();
        },
      },
    );
    opened = new JsonFileLog(thread, log, options);
    return opened;
  }

  async consume(stdio: TaskStdio): Promise<void> {
    if (this.#blocks.growing) throw new EngineError("conflict", `log ${this.path} is written by another task`);
    this.#blocks.growing = true;
    using spools = stdio.spools();
    this.#spools = [spools.stdout, spools.stderr];
    try {
      const taken = readProgress(spools.progress)?.taken ?? [0, 0];
      if (!this.#lost) await this.#thread.begin(this.#log, spools.progress);
      const over = await this.#pump.run(spools, taken);
      if (!this.#lost) await this.#thread.end(this.#log, over);
    } finally {
      this.#spools = [];
      this.#blocks.growing = false;
      // Whoever attaches from here on waits for the next task.
      for (const reader of this.#readers) reader.finish();
      this.#readers.clear();
      this.#spare.length = 0;
      this.#blocks.wake();
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
    for await (const block of this.#blocks.read(query, scanner)) yield* scanner.chunks(block);
  }

  async *readFrames(query: LogQuery, { raw, timestamps, details }: LogDress): AsyncGenerator<Buffer> {
    const scanner = new EntryScanner(query);
    const dress = { raw, timestamps, ...(details ? { details: this.#details } : {}) };
    for await (const block of this.#blocks.read(query, scanner)) {
      const frames = scanner.frames(block, dress);
      if (frames.length > 0) yield frames;
    }
  }

  /** Does not wait for attached clients: what they have not read yet stays open for them. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const reader of this.#readers) reader.finish();
    if (this.#unfinished.size > 0 && !this.#lost) {
      await this.#blocks.keep();
      this.#end = await this.#mark();
      if (this.#unfinished.size === 0) this.#blocks.release();
    }
    await this.#thread.close(this.#log);
  }

  async #mark(): Promise<LogMark> {
    return this.#end ?? (await this.#thread.mark(this.#log));
  }

  #left(reader: AttachReader): void {
    this.#readers.delete(reader);
    if (this.#readers.size === 0) this.#spare.length = 0;
    if (this.#unfinished.delete(reader) && this.#unfinished.size === 0) this.#blocks.release();
  }

  #take({ stream, spool, from, to }: Piece): Promise<unknown> | undefined {
    const room = this.#readers.size > 0 || this.#tap ? this.#show(stream === 0 ? "stdout" : "stderr", spool.fd, from, to) : undefined;
    if (this.#lost) {
      spool.free(to);
      this.#pump.giveUp();
    } else this.#thread.take(this.#log, stream, spool.fd, from, to);
    return room;
  }

  /** Called before the same bytes go to the writer: a mark that a reader sets must reach it first. */
  #show(stream: LogStream, spool: number, from: number, to: number): Promise<unknown> | undefined {
    // Who has a piece alone gives its memory back: in a flood, new memory for each is a good part of what it costs.
    const alone = this.#readers.size === 1 && this.#tap === undefined && to - from >= largeBytes;
    const memory = alone ? (this.#spare.pop() ?? Buffer.allocUnsafeSlow(pieceBytesMax)) : Buffer.allocUnsafeSlow(to - from);
    const bytes = memory.subarray(0, readSync(spool, memory, 0, to - from, from));
    const tapped = this.#tap?.(stream, bytes);
    const pushed = pushToAll(this.#readers, { stream, bytes, ...(alone && { release: () => this.#keepSpare(memory) }) });
    return tapped && pushed ? Promise.all([tapped, pushed]) : (tapped ?? pushed);
  }

  #keepSpare(memory: Buffer): void {
    if (this.#readers.size > 0 && this.#spare.length < sparesMax) this.#spare.push(memory);
  }

  #written(stream: 0 | 1, bytes: number, taken: number): void {
    this.#spools[stream]?.free(taken);
    this.#pump.written(bytes);
    this.#blocks.wake();
  }

  async *#between(from: LogMark, to: LogMark): AsyncGenerator<AttachChunk> {
    const signal = new AbortController().signal;
    const query: LogQuery = { stdout: true, stderr: true, sinceNano: from.after + 1n, untilNano: to.after, follow: false, signal };
    yield* withoutBeginnings(from, to, this.#runs(query));
  }

  async *#runs(query: LogQuery): AsyncGenerator<AttachChunk> {
    const scanner = new EntryScanner(query);
    for await (const block of this.#blocks.read(query, scanner)) yield* scanner.runs(block);
  }
}
