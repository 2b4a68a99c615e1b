import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";
import { attributesText, parseEntry, TimeReader, type Entry } from "./decode.ts";
import type { LineEncoder } from "./encode.ts";
import { EntryTail } from "./entry-tail.ts";
import { LineSplitter, type EntrySink } from "./line-splitter.ts";
import { LogClock } from "./log-clock.ts";
import { compressNewest, openFiles, shiftFiles, sweepFiles, type OpenedFile } from "./log-files.ts";
import { ProgressWriter, readProgress } from "./progress.ts";

export interface LogFileOptions {
  readonly path: string;
  /** From this size on the next entry goes to a fresh file; 0: never. */
  readonly maxBytes: number;
  /** Files kept, the current one included. */
  readonly maxFiles: number;
  /** gzip those that are not current. */
  readonly compress: boolean;
  /** JSON of what every entry says of its container, or "". */
  readonly attributes: string;
}

/** Where in a log a chunk of output begins. */
export interface LogMark {
  /** Entries up to this time were complete before it. */
  readonly after: bigint;
  /** The beginnings of lines that had no newline yet, stdout and stderr. */
  readonly pending: readonly [Uint8Array, Uint8Array];
}

/** Entries in hand, at most about: less than the codec makes at a time, whose memory can then be written from. */
const flushBytes = 256 * 1024;
/** Enough for the longest entry. */
const tailBytes = 128 * 1024;

/**
 * One container's log on disk, its only writer.
 */
export class LogFile implements Disposable {
  readonly #options: LogFileOptions;
  readonly #encoder: LineEncoder;
  readonly #splitters: readonly [LineSplitter, LineSplitter];
  readonly #clock = new LogClock();
  readonly #sink: EntrySink = { clock: this.#clock, room: () => this.#room, written: () => this.#written() };
  readonly #rotated: (fd: number) => void;
  #fd: number;
  #inode: bigint;
  #size: number;
  #progress: ProgressWriter | undefined;

  /** `rotated` is told of each fresh file's descriptor (it stays ours); `encoder` is shared by the logs of a thread. */
  constructor(options: LogFileOptions, encoder: LineEncoder, rotated: (fd: number) => void) {
    this.#options = options;
    this.#encoder = encoder;
    this.#rotated = rotated;
    const attributes = attributesText(options.attributes);
    this.#splitters = [new LineSplitter(new EntryTail("stdout", attributes)), new LineSplitter(new EntryTail("stderr", attributes))];
    sweepFiles(options.path);
    this.#fd = openSync(options.path, constants.O_RDWR | constants.O_CREAT | constants.O_APPEND, 0o640);
    this.#inode = inodeOf(this.#fd);
    this.#size = this.#takeUp();
  }

  /** Up to where stdout and stderr of the process are in the log. */
  get taken(): [number, number] {
    return [this.#splitters[0].taken, this.#splitters[1].taken];
  }

  /** A process's output follows, from where the file `progress` says that the log has it: what was written past that is taken back. */
  begin(progress: number): void {
    const kept = readProgress(progress);
    if (kept && kept.file === this.#inode && kept.size < this.#size) {
      ftruncateSync(this.#fd, kept.size);
      this.#size = this.#takeUp();
    }
    for (const [stream, splitter] of this.#splitters.entries()) splitter.begin(kept?.taken[stream] ?? 0);
    this.#progress = new ProgressWriter(progress);
    this.#keep();
  }

  /** The output that comes next on `stream`, up to the offset `to`. */
  write(stream: 0 | 1, chunk: Buffer, to: number): void {
    try {
      this.#clock.read();
      this.#splitters[stream].push(chunk, this.#encoder, this.#sink);
      this.#flush();
    } catch (error) {
      this.#giveUp(stream, to);
      throw error;
    }
    this.#keep();
  }

  /** The output is over: what has no newline becomes an entry without. */
  end(): void {
    this.#clock.read();
    for (const splitter of this.#splitters) splitter.end(this.#encoder, this.#sink);
    this.#flush();
    this.#keep();
  }

  /** Nothing more comes of this process, or another engine will take what does. */
  letGo(): void {
    this.#progress = undefined;
    for (const splitter of this.#splitters) splitter.begin(0);
  }

  mark(): LogMark {
    return {
      after: this.#clock.nanos,
      pending: [Uint8Array.from(this.#splitters[0].pending), Uint8Array.from(this.#splitters[1].pending)],
    };
  }

  /** Every file, oldest first, as they are at this moment. The caller closes them. */
  open(): OpenedFile[] {
    return openFiles(this.#options.path, this.#options.maxFiles);
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  /** Until the next file. */
  get #room(): number {
    const { maxBytes } = this.#options;
    return maxBytes === 0 ? Number.POSITIVE_INFINITY : maxBytes - this.#size - this.#encoder.length;
  }

  #written(): void {
    if (this.#room <= 0) {
      this.#flush();
      this.#keep();
      this.#rotate();
      this.#keep();
    } else if (this.#encoder.length >= flushBytes) this.#flush();
  }

  #keep(): void {
    this.#progress?.write({ file: this.#inode, size: this.#size, taken: this.taken });
  }

  /** The disk is full, or broken: lines stay whole, and the log goes on after what could not be written. */
  #giveUp(stream: 0 | 1, to: number): void {
    this.#encoder.clear();
    this.#splitters[stream].begin(to);
    ftruncateSync(this.#fd, this.#size);
    this.#keep();
  }

  #flush(): void {
    const bytes = this.#encoder.bytes;
    this.#encoder.clear();
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
    this.#size += bytes.length;
  }

  #rotate(): void {
    const { path, maxFiles, compress } = this.#options;
    shiftFiles(path, maxFiles);
    const old = this.#fd;
    this.#fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_APPEND | constants.O_EXCL, 0o640);
    closeSync(old);
    this.#inode = inodeOf(this.#fd);
    this.#size = 0;
    this.#rotated(this.#fd);
    if (compress && maxFiles > 1) compressNewest(path);
  }

  /** Drops a line that was cut off by a crash, and goes on from the last entry's time. */
  #takeUp(): number {
    const size = fstatSync(this.#fd).size;
    const start = Math.max(0, size - tailBytes);
    const tail = Buffer.alloc(size - start);
    readSync(this.#fd, tail, 0, tail.length, start);
    const end = tail.lastIndexOf(0x0a) + 1;
    if (end < tail.length) ftruncateSync(this.#fd, start + end);
    const last = end === 0 ? undefined : lastEntry(tail, end);
    if (last) this.#clock.set(new TimeReader().parts(tail, last));
    return start + end;
  }
}

function lastEntry(buffer: Buffer, end: number): Entry | undefined {
  const entry: Entry = { stream: 0, textStart: 0, textEnd: 0, timeStart: 0, timeEnd: 0 };
  const start = end < 2 ? 0 : buffer.lastIndexOf(0x0a, end - 2) + 1;
  return parseEntry(buffer, start, end - 1, entry) ? entry : undefined;
}

const inodeOf = (fd: number): bigint => fstatSync(fd, { bigint: true }).ino;
