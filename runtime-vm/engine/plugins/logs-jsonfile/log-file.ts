import { codeOf } from "#base/errors.ts";
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { gzipSync } from "node:zlib";
import { attributesText, parseEntry, TimeReader, type Entry } from "./decode.ts";
import { EntryTail, type Clock, type LineEncoder } from "./encode.ts";
import { LineSplitter } from "./line-splitter.ts";

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

/** One file of a log, opened for reading. */
export interface OpenedFile {
  readonly fd: number;
  readonly size: number;
  readonly compressed: boolean;
}

/** Where in a log a chunk of output begins. */
export interface LogMark {
  /** Entries up to this time were complete before it. */
  readonly after: bigint;
  /** The beginnings of lines that had no newline yet, stdout and stderr. */
  readonly pending: readonly [Uint8Array, Uint8Array];
}

/** Enough for the longest entry. */
const tailBytes = 128 * 1024;

/**
 * One container's log on disk, its only writer. Files are `PATH`, then `PATH.1` (newest) to `PATH.N`, with `.gz` when compressed. A new
 * file is made by renaming, never by truncating: a reader that has the old one open reads it to its end.
 */
export class LogFile implements Disposable {
  readonly #options: LogFileOptions;
  readonly #encoder: LineEncoder;
  readonly #splitters: readonly [LineSplitter, LineSplitter];
  readonly #clock: Clock = { seconds: 0, nanos: 0 };
  readonly #rotated: (fd: number) => void;
  #fd: number;
  #size: number;

  /** `rotated` is told of each fresh file's descriptor (it stays ours); `encoder` is shared by the logs of a thread. */
  constructor(options: LogFileOptions, encoder: LineEncoder, rotated: (fd: number) => void) {
    this.#options = options;
    this.#encoder = encoder;
    this.#rotated = rotated;
    const attributes = attributesText(options.attributes);
    this.#splitters = [new LineSplitter(new EntryTail("stdout", attributes)), new LineSplitter(new EntryTail("stderr", attributes))];
    this.#fd = openSync(options.path, constants.O_RDWR | constants.O_CREAT | constants.O_APPEND, 0o640);
    this.#size = this.#takeUp();
  }

  get size(): number {
    return this.#size;
  }

  write(stream: 0 | 1, chunk: Buffer): void {
    this.#readClock();
    this.#splitters[stream].push(chunk, this.#encoder, this.#tick, this.#written);
    this.#flush();
  }

  /** The task's output is over: what has no newline becomes an entry without. */
  end(): void {
    this.#readClock();
    for (const splitter of this.#splitters) splitter.end(this.#encoder, this.#tick, this.#written);
    this.#flush();
  }

  mark(): LogMark {
    return {
      after: BigInt(this.#clock.seconds) * 1_000_000_000n + BigInt(this.#clock.nanos),
      pending: [Uint8Array.from(this.#splitters[0].pending), Uint8Array.from(this.#splitters[1].pending)],
    };
  }

  /** Every file, oldest first, as they are at this moment. The caller closes them. */
  open(): OpenedFile[] {
    const opened: OpenedFile[] = [];
    try {
      for (let index = this.#options.maxFiles - 1; index >= 0; index--) {
        for (const compressed of [true, false]) {
          if (index === 0 && compressed) continue;
          const file = openIfThere(this.#name(index, compressed));
          if (file) opened.push({ ...file, compressed });
        }
      }
    } catch (error) {
      for (const { fd } of opened) closeSync(fd);
      throw error;
    }
    return opened;
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  #name(index: number, compressed: boolean): string {
    return `${this.#options.path}${index === 0 ? "" : `.${index}`}${compressed ? ".gz" : ""}`;
  }

  /** One clock read a chunk; an entry is a nanosecond after the one before it when the clock says no later. */
  #readClock(): void {
    const now = wallClock();
    const clock = this.#clock;
    if (now.seconds < clock.seconds || (now.seconds === clock.seconds && now.nanos <= clock.nanos)) return;
    clock.seconds = now.seconds;
    // The first tick adds one.
    clock.nanos = now.nanos - 1;
    if (clock.nanos < 0) clock.nanos = 0;
  }

  readonly #tick = (): Clock => {
    if (++this.#clock.nanos === 1_000_000_000) {
      this.#clock.nanos = 0;
      this.#clock.seconds++;
    }
    return this.#clock;
  };

  readonly #written = (): void => {
    const { maxBytes } = this.#options;
    if (maxBytes > 0 && this.#size + this.#encoder.length >= maxBytes) {
      this.#flush();
      this.#rotate();
    }
  };

  #flush(): void {
    const bytes = this.#encoder.bytes;
    this.#encoder.clear();
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
    this.#size += bytes.length;
  }

  #rotate(): void {
    const { maxFiles, compress } = this.#options;
    for (const compressed of [true, false]) rmSync(this.#name(Math.max(maxFiles - 1, 0), compressed), { force: true });
    for (let index = maxFiles - 2; index >= 0; index--) {
      for (const compressed of index === 0 ? [false] : [true, false]) {
        if (existsSync(this.#name(index, compressed))) renameSync(this.#name(index, compressed), this.#name(index + 1, compressed));
      }
    }
    closeSync(this.#fd);
    this.#fd = openSync(this.#options.path, constants.O_RDWR | constants.O_CREAT | constants.O_APPEND | constants.O_EXCL, 0o640);
    this.#size = 0;
    this.#rotated(this.#fd);
    if (compress && maxFiles > 1) this.#compress();
  }

  #compress(): void {
    const plain = this.#name(1, false);
    const temporary = `${plain}.gz.tmp`;
    writeFileSync(temporary, gzipSync(readFileSync(plain)), { mode: 0o640 });
    renameSync(temporary, this.#name(1, true));
    rmSync(plain);
  }

  /** After a restart: drops a line that was cut off by a crash, and goes on from the last entry's time. */
  #takeUp(): number {
    const size = fstatSync(this.#fd).size;
    const start = Math.max(0, size - tailBytes);
    const tail = Buffer.alloc(size - start);
    readSync(this.#fd, tail, 0, tail.length, start);
    const end = tail.lastIndexOf(0x0a) + 1;
    if (end < tail.length) ftruncateSync(this.#fd, start + end);
    const last = end === 0 ? undefined : lastEntry(tail, end);
    if (last) {
      const { seconds, nanos } = new TimeReader().parts(tail, last);
      this.#clock.seconds = seconds;
      this.#clock.nanos = nanos;
    }
    return start + end;
  }
}

function lastEntry(buffer: Buffer, end: number): Entry | undefined {
  const entry: Entry = { stream: 0, textStart: 0, textEnd: 0, timeStart: 0, timeEnd: 0 };
  const start = end < 2 ? 0 : buffer.lastIndexOf(0x0a, end - 2) + 1;
  return parseEntry(buffer, start, end - 1, entry) ? entry : undefined;
}

function openIfThere(path: string): { fd: number; size: number } | undefined {
  try {
    const fd = openSync(path, constants.O_RDONLY);
    return { fd, size: fstatSync(fd).size };
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

let anchorWall = 0;
let anchorMonotonic = 0n;

/** The wall clock with the monotonic clock's nanoseconds; taken anew when the two drift apart (somebody set the time). */
function wallClock(): { seconds: number; nanos: number } {
  const millis = Date.now();
  const monotonic = process.hrtime.bigint();
  let elapsed = Number(monotonic - anchorMonotonic);
  if (Math.abs(anchorWall + elapsed / 1e6 - millis) > 2) {
    anchorWall = millis;
    anchorMonotonic = monotonic;
    elapsed = 0;
  }
  const seconds = Math.floor(anchorWall / 1000) + Math.floor(((anchorWall % 1000) * 1e6 + elapsed) / 1e9);
  return { seconds, nanos: ((anchorWall % 1000) * 1e6 + elapsed) % 1e9 };
}
