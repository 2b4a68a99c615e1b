import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import type { Lend } from "#core/content/content.ts";
import { codeOf } from "#base/errors.ts";

/** What goes to the disk at once: the lanes of a few downloads together stay in the processor's cache. */
const laneBytes = 1024 * 1024;
/** Of one file: being filled, being written, being read by another thread. */
const lanesMax = 3;
/** What every device takes as the unit of direct writes. */
const directBytes = 4096;
const idleMsMax = 2_000;

/** Copies `from` to where `at` is in `to`. */
export type Copy = (to: Buffer, at: number, from: Buffer) => void;

/** Memory that is used again, aligned to pages, which another thread can read. It is let go when nobody has wanted it for a while. */
export class Lanes {
  readonly copy: Copy;
  #free: Buffer[] = [];
  #idle: NodeJS.Timeout | undefined;

  constructor(copy: Copy) {
    this.copy = copy;
  }

  take(): Buffer {
    // Without the maximum it would not be aligned to pages.
    return this.#free.pop() ?? Buffer.from(new SharedArrayBuffer(laneBytes, { maxByteLength: laneBytes }), 0, laneBytes);
  }

  give(lane: Buffer): void {
    this.#free.push(lane);
    this.#idle ??= setTimeout(() => (this.#free = []), idleMsMax).unref();
    this.#idle.refresh();
  }
}

export interface LaneFileOptions {
  readonly lanes: Lanes;
  /** Bytes that are there already. */
  readonly offset: number;
  /** Past the page cache, where the file system can: for what is not read again soon. */
  readonly direct: boolean;
  /** Offers each full lane to a reader. */
  readonly lend: Lend | undefined;
  readonly onWritten: (bytes: number) => void;
}

/** A file that grows by lanes: one is filled while the one before it is written, in order. A failed write is told by the next call. */
export class LaneFile {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #options: LaneFileOptions;
  #direct: FileHandle | undefined;
  #mayBeDirect: boolean;
  #lane: Buffer | undefined;
  /** Where the lane's first byte belongs, how many it has, and how many of those are in the file. */
  #start: number;
  #fill = 0;
  #flushed = 0;
  #readable: number;
  #writing: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;
  #out = 0;
  #returned: (() => void) | undefined;

  constructor(path: string, file: FileHandle, options: LaneFileOptions) {
    this.#path = path;
    this.#file = file;
    this.#options = options;
    this.#start = this.#readable = options.offset;
    this.#mayBeDirect = options.direct && options.offset % directBytes === 0;
  }

  get offset(): number {
    return this.#start + this.#fill;
  }

  /** How much of it can be read in the file. */
  get readable(): number {
    return this.#readable;
  }

  /** Copies the chunk; what it returns, where it cannot do so at once, resolves when it has. */
  append({ buffer, byteOffset, length }: Uint8Array): Promise<void> | undefined {
    const chunk = Buffer.from(buffer, byteOffset, length);
    const taken = this.#copy(chunk, 0);
    return taken === length && this.#failure === undefined ? undefined : this.#copyRest(chunk, taken);
  }

  /** Makes everything appended readable in the file. */
  async flush(): Promise<void> {
    const [lane, start, from, to] = [this.#lane, this.#start, this.#flushed, this.#fill];
    if (lane !== undefined && to > from) {
      this.#flushed = to;
      this.#enqueue(() => this.#write(lane.subarray(from, to), start + from));
    }
    await this.#writing;
    this.#assertWritten();
  }

  /** Waits for what is being written; what was not flushed is dropped. The file itself is its opener's to close. */
  async close(): Promise<void> {
    await this.#writing;
    if (this.#lane !== undefined) this.#give(this.#lane);
    this.#lane = undefined;
    await this.#direct?.close();
    this.#direct = undefined;
  }

  /** From `taken` on; returns how far it has come when there is no lane. */
  #copy(chunk: Buffer, taken: number): number {
    while (taken < chunk.length) {
      this.#lane ??= this.#take();
      if (this.#lane === undefined) break;
      const part = chunk.subarray(taken, taken + laneBytes - this.#fill);
      this.#options.lanes.copy(this.#lane, this.#fill, part);
      this.#fill += part.length;
      taken += part.length;
      if (this.#fill === laneBytes) this.#send(this.#lane);
    }
    return taken;
  }

  async #copyRest(chunk: Buffer, from: number): Promise<void> {
    for (let taken = from; taken < chunk.length; taken = this.#copy(chunk, taken)) {
      if (this.#out >= lanesMax) await new Promise<void>((resolve) => (this.#returned = resolve));
    }
    this.#assertWritten();
  }

  #send(lane: Buffer): void {
    const [start, from] = [this.#start, this.#flushed];
    this.#lane = undefined;
    this.#start += laneBytes;
    this.#fill = this.#flushed = 0;
    let users = 2;
    const release = (): void => {
      users -= 1;
      if (users === 0) this.#give(lane);
    };
    if (this.#options.lend?.({ at: start, bytes: lane, release }) !== true) release();
    this.#enqueue(async () => {
      try {
        if (!(await this.#writeDirect(lane, start))) await this.#write(lane.subarray(from), start + from);
      } finally {
        release();
      }
    });
  }

  #enqueue(write: () => Promise<void>): void {
    this.#writing = this.#writing.then(write).catch((error: unknown) => void (this.#failure ??= { error }));
  }

  async #write(bytes: Uint8Array, at: number): Promise<void> {
    if (this.#failure !== undefined) return;
    for (let done = 0; done < bytes.length; ) done += (await this.#file.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
    this.#wrote(bytes.length, at + bytes.length);
  }

  /** Whether it was possible: not every file system can, nor every device by this unit. */
  async #writeDirect(lane: Buffer, at: number): Promise<boolean> {
    if (!this.#mayBeDirect || this.#failure !== undefined) return false;
    try {
      this.#direct ??= await open(this.#path, constants.O_WRONLY | constants.O_DIRECT);
      if ((await this.#direct.write(lane, 0, lane.length, at)).bytesWritten < lane.length) return false;
    } catch (error) {
      if (codeOf(error) !== "EINVAL") throw error;
      this.#mayBeDirect = false;
      return false;
    }
    this.#wrote(lane.length, at + lane.length);
    return true;
  }

  #wrote(bytes: number, readable: number): void {
    this.#readable = readable;
    this.#options.onWritten(bytes);
  }

  #take(): Buffer | undefined {
    if (this.#out >= lanesMax) return undefined;
    this.#out += 1;
    return this.#options.lanes.take();
  }

  #give(lane: Buffer): void {
    this.#out -= 1;
    this.#options.lanes.give(lane);
    this.#returned?.();
    this.#returned = undefined;
  }

  #assertWritten(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
