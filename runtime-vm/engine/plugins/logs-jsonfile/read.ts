import { closeSync, fstatSync, read } from "node:fs";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { parseEntry, TimeReader, type Entry } from "./decode.ts";
import type { OpenedFile } from "./log-files.ts";

const readAt = promisify(read);

/** Read at a time. */
export const blockBytes = 512 * 1024;
const searchStopBytes = 256 * 1024;

/** One file of a log, or what was in a compressed one. */
export class LogSource implements Disposable {
  #fd: number | undefined;
  readonly #close: (fd: number) => void;
  readonly #memory: Buffer | undefined;
  /** Bytes there were when it was opened. */
  readonly size: number;

  private constructor(fd: number | undefined, memory: Buffer | undefined, size: number, close: (fd: number) => void = closeSync) {
    this.#fd = fd;
    this.#close = close;
    this.#memory = memory;
    this.size = size;
  }

  /** `close` lets go of a descriptor that others read, too. */
  static fromDescriptor(fd: number, close: () => void): LogSource {
    return new LogSource(fd, undefined, fstatSync(fd).size, close);
  }

  static async open(file: OpenedFile): Promise<LogSource> {
    if (!file.compressed) return new LogSource(file.fd, undefined, file.size);
    try {
      const packed = Buffer.alloc(file.size);
      await readAt(file.fd, packed, 0, packed.length, 0);
      const memory = await promisify(gunzip)(packed);
      return new LogSource(undefined, memory, memory.length);
    } finally {
      closeSync(file.fd);
    }
  }

  /** Up to `length` bytes at `position`, into `buffer` when it is large enough; fewer at the end of the file, which may have grown. */
  async read(position: number, length: number, into?: Buffer): Promise<Buffer> {
    if (this.#memory) return this.#memory.subarray(position, position + length);
    const buffer = into && into.length >= length ? into : Buffer.allocUnsafeSlow(length);
    const { bytesRead } = await readAt(this.#fd ?? -1, buffer, 0, length, position);
    return buffer.subarray(0, bytesRead);
  }

  /** A second time is harmless. */
  [Symbol.dispose](): void {
    if (this.#fd !== undefined) this.#close(this.#fd);
    this.#fd = undefined;
  }
}

/** Room for `wholeLines`; one a reader, as its lines are good until the next are asked for. */
export const readBuffer = (bytes: number = blockBytes): Buffer => Buffer.allocUnsafeSlow(bytes);

/** Whole lines from `position` on, many a buffer, up to `end` (absent: to the end of the file as it is then). Returns where it stopped. */
export async function* wholeLines(source: LogSource, position: number, buffer: Buffer, end?: number): AsyncGenerator<Buffer, number> {
  let at = position;
  let want = buffer.length;
  for (;;) {
    const length = end === undefined ? want : Math.min(want, end - at);
    if (length <= 0) return at;
    const block = await source.read(at, length, buffer);
    const newline = block.lastIndexOf(0x0a);
    if (newline < 0) {
      if (block.length < want) return at;
      want *= 2;
      continue;
    }
    yield block.subarray(0, newline + 1);
    at += newline + 1;
    // That was all there is.
    if (block.length < length) return at;
    want = buffer.length;
  }
}

/** A place in a log: which file, and where in it. */
export interface Place {
  readonly index: number;
  readonly position: number;
}

/** Where reading must begin for `tail` and `since`; entries before `since` may still follow, a few. */
export async function startOf(sources: readonly LogSource[], query: { readonly tail?: number; readonly sinceNano?: bigint }): Promise<Place> {
  const start: Place = { index: 0, position: 0 };
  const tail = query.tail === undefined ? start : await tailStart(sources, query.tail);
  const since = query.sinceNano === undefined ? start : await searchFiles(sources, query.sinceNano);
  return tail.index > since.index || (tail.index === since.index && tail.position > since.position) ? tail : since;
}

/** Where the last `lines` lines of all files begin: file and position, found from the end backwards. */
async function tailStart(sources: readonly LogSource[], lines: number): Promise<Place> {
  const last = sources.length - 1;
  if (lines === 0) return { index: last, position: sources[last]?.size ?? 0 };
  let left = lines;
  for (let index = last; index >= 0; index--) {
    const source = sources[index] as LogSource;
    for (let end = source.size; end > 0; ) {
      const start = Math.max(0, end - blockBytes);
      const block = await source.read(start, end - start);
      // The file's last byte is a newline: it ends the last line and begins none.
      let newline = end === source.size ? block.length - 1 : block.length;
      while ((newline = newline > 0 ? block.lastIndexOf(0x0a, newline - 1) : -1) >= 0) {
        if (--left === 0) return { index, position: start + newline + 1 };
      }
      end = start;
    }
    // The file's first line has no newline before it.
    if (source.size > 0 && --left === 0) return { index, position: 0 };
  }
  return { index: 0, position: 0 };
}

/** The newest file that begins before `since`, and a position in it. */
async function searchFiles(sources: readonly LogSource[], since: bigint): Promise<Place> {
  for (let index = sources.length - 1; index >= 0; index--) {
    const source = sources[index] as LogSource;
    const first = firstTime(Buffer.concat([Buffer.from("\n"), await source.read(0, searchStopBytes)]), new TimeReader());
    if (first && first.time < since) return { index, position: await searchSince(source, since) };
  }
  return { index: 0, position: 0 };
}

/** A position in `source` with no entry of `since` or later before it; near the first of them, as times only grow. */
async function searchSince(source: LogSource, since: bigint): Promise<number> {
  let low = 0;
  let high = source.size;
  const times = new TimeReader();
  while (high - low > searchStopBytes) {
    const middle = low + Math.floor((high - low) / 2);
    const found = firstTime(await source.read(middle, searchStopBytes / 2), times);
    if (!found || found.time >= since) high = middle;
    else low = middle + found.offset;
  }
  return low;
}

/** Of the first whole entry after the first line end: where a search by halves goes on. */
export function firstTime(block: Buffer, times: TimeReader): { time: bigint; offset: number } | undefined {
  const entry: Entry = { stream: 0, textStart: 0, textEnd: 0, timeStart: 0, timeEnd: 0 };
  for (let newline = block.indexOf(0x0a); newline >= 0; ) {
    const end = block.indexOf(0x0a, newline + 1);
    if (end < 0) return undefined;
    if (parseEntry(block, newline + 1, end, entry)) return { time: times.nanos(block, entry), offset: newline + 1 };
    newline = end;
  }
  return undefined;
}
