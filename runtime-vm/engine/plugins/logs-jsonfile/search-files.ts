import { closeSync, constants, fstatSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { codeOf } from "#base/errors.ts";
import { TimeReader } from "./decode.ts";
import { firstTime } from "./read.ts";

/** Read at a time: strings made of less than 128 KiB cost a hundredth of what larger ones do. */
const blockBytes = 96 * 1024;
/** A file that was compressed is looked through in memory. */
const unpackedBytesMax = 256 * 1024 * 1024;
const searchStopBytes = 256 * 1024;

/** One file of a log, read by the thread that searches. */
export class SearchFile implements Disposable {
  readonly name: string;
  /** The same for the same file, however it is called by now. */
  readonly key: string;
  readonly modifiedMs: number;
  readonly compressed: boolean;
  size: number;
  readonly #fd: number;
  #memory: Buffer | undefined;

  constructor(name: string, fd: number) {
    const { dev, ino, size, mtimeMs } = fstatSync(fd);
    this.name = name;
    this.#fd = fd;
    this.key = `${dev}:${ino}`;
    this.size = size;
    this.modifiedMs = mtimeMs;
    this.compressed = name.endsWith(".gz");
  }

  /** Before the first read of a compressed one. */
  unpack(): void {
    if (!this.compressed || this.#memory !== undefined) return;
    const packed = Buffer.allocUnsafeSlow(this.size);
    readSync(this.#fd, packed, 0, packed.length, 0);
    this.#memory = gunzipSync(packed, { maxOutputLength: unpackedBytesMax });
    this.size = this.#memory.length;
  }

  read(position: number, length: number, buffer: Buffer): Buffer {
    if (this.#memory) return this.#memory.subarray(position, position + length);
    return buffer.subarray(0, readSync(this.#fd, buffer, 0, length, position));
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}

/** Looked again so often while files are renamed under the eyes. */
const attemptsMax = 5;

/** Every file of a container's log, oldest first, as they are at one moment. The caller closes them. */
export function openSearchFiles(directory: string, id: string): SearchFile[] {
  for (let attempt = 1; ; attempt++) {
    const files = openNow(directory, id);
    const after = openNow(directory, id);
    for (const file of after) file[Symbol.dispose]();
    if (attempt >= attemptsMax || (files.length === after.length && files.every(({ key }, index) => key === after[index]?.key))) return files;
    for (const file of files) file[Symbol.dispose]();
  }
}

function openNow(directory: string, id: string): SearchFile[] {
  const files: SearchFile[] = [];
  for (const name of logFileNames(directory, id)) {
    try {
      files.push(new SearchFile(name, openSync(join(directory, name), constants.O_RDONLY)));
    } catch (error) {
      // Rotated or removed meanwhile.
      if (codeOf(error) !== "ENOENT") throw error;
    }
  }
  return files;
}

/** `ID-json.log`, `ID-json.log.1.gz`, and so for the other drivers that write files here; oldest first. */
export function logFileNames(directory: string, id: string): string[] {
  const found = listing(directory).flatMap((name) => {
    const [, index = "0", packed] = name.startsWith(`${id}-`)
      ? (/^(?:json|local|cache)\.log(?:\.(\d+))?(\.gz)?$/.exec(name.slice(id.length + 1)) ?? [undefined, ""])
      : [undefined, ""];
    return index === "" ? [] : [{ name, index: Number(index), packed: packed !== undefined }];
  });
  // While one is compressed there are both: the plain one is whole.
  const plain = new Set(found.filter(({ packed }) => !packed).map(({ index }) => index));
  const whole = found.filter(({ index, packed }) => !packed || !plain.has(index));
  return whole.toSorted((a, b) => b.index - a.index).map(({ name }) => name);
}

function listing(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  }
}

let buffer = Buffer.allocUnsafeSlow(blockBytes);

function room(bytes: number): Buffer {
  if (buffer.length < bytes) buffer = Buffer.allocUnsafeSlow(bytes);
  return buffer;
}

/** Whole lines from `from` to `to`, many a block, each good until the next. Returns where it stopped: a line that is still being written is left. */
export function* blocksForward(file: SearchFile, from: number, to: number): Generator<Buffer, number> {
  let at = from;
  let want = blockBytes;
  while (at < to) {
    const length = Math.min(want, to - at);
    const block = file.read(at, length, room(length));
    const end = block.lastIndexOf(0x0a) + 1;
    if (end === 0) {
      if (block.length < want) return at;
      want *= 2;
      continue;
    }
    yield block.subarray(0, end);
    at += end;
    want = blockBytes;
  }
  return at;
}

/** The same, last block first. */
export function* blocksBackward(file: SearchFile, from: number, to: number): Generator<Buffer> {
  let end = to;
  let want = blockBytes;
  while (end > from) {
    const start = Math.max(from, end - want);
    const block = file.read(start, end - start, room(end - start));
    const first = start === from ? 0 : block.indexOf(0x0a) + 1;
    const last = block.lastIndexOf(0x0a) + 1;
    if (start > from && last <= first) {
      want *= 2;
      continue;
    }
    if (last > first) yield block.subarray(first, last);
    end = start + first;
    want = blockBytes;
  }
}

/** Before `low` nothing is of `nano` or later, from `high` on everything is. */
export function boundsOf(file: SearchFile, nano: bigint): { readonly low: number; readonly high: number } {
  let low = 0;
  let high = file.size;
  const times = new TimeReader();
  while (high - low > searchStopBytes) {
    const middle = low + Math.floor((high - low) / 2);
    const found = firstTime(file.read(middle, searchStopBytes / 2, room(searchStopBytes / 2)), times);
    if (!found || found.time >= nano) high = found ? middle + found.offset : middle;
    else low = middle + found.offset;
  }
  return { low, high };
}
