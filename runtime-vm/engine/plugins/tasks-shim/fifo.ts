import { delay } from "#base/deadline.ts";
import { EngineError, messageOf } from "#base/errors.ts";
import { KernelError } from "#core/kernel/kernel.ts";
import type { OutputSpool } from "#core/tasks/spool.ts";
import { closeSync, constants, fstatSync, ftruncateSync, openSync } from "node:fs";
import { Socket } from "node:net";
import type { ResolvedOptions } from "./options.ts";

/** What a program may print while nobody looks: a flood is read in few large pieces (#core/tasks/paced.ts). */
const outputPipeBytes = 1024 * 1024;
/** What a pipe holds that was not widened. */
const narrowPipeBytes = 64 * 1024;

const POLLIN = 1;
/** The longest a timer can be. */
const foreverMs = 2 ** 31 - 1;
/** How long a spool waits for room on its disk before it tries again; the program waits meanwhile. */
const noRoomMs = 1_000;
/** Space is given back in pieces of at least so much. */
const holeBytesMin = 16 * 1024;
const pageBytes = 4096;

/** Our end of one output FIFO: read as a stream, or spooled, by whoever asks first. */
export class OutputFifo {
  readonly #fd: number;
  readonly #spool: string;
  readonly #options: ResolvedOptions;
  readonly #letGo = new AbortController();
  readonly #pipeBytes: number;
  #socket: Socket | undefined;
  #closed = false;

  /** `restore`: the writer may have been there and gone. `spool`: a path for a file that lives as long as the FIFO. */
  constructor(path: string, spool: string, restore: boolean, options: ResolvedOptions) {
    this.#spool = spool;
    this.#options = options;
    this.#fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    // A reader that never saw a writer is told of no end. On restore the writer may be gone already: be one for a moment.
    if (restore) closeSync(openSync(path, constants.O_WRONLY | constants.O_NONBLOCK));
    this.#pipeBytes = this.#widen();
  }

  get stream(): Socket {
    this.#socket ??= this.#open();
    return this.#socket;
  }

  spool(): FifoSpool {
    return new FifoSpool({ fd: this.#fd, bytes: this.#pipeBytes }, this.#spool, this.#options, this.#letGo.signal);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#letGo.abort(new EngineError("cancelled", `${this.#spool}: the engine lets go of the task`));
    if (this.#socket) this.#socket.destroy();
    else closeSync(this.#fd);
  }

  #open(): Socket {
    const socket = new Socket({ fd: this.#fd, readable: true, writable: false });
    socket.on("error", () => undefined);
    return socket;
  }

  #widen(): number {
    try {
      this.#options.kernel.setPipeSize(this.#fd, outputPipeBytes);
      return outputPipeBytes;
    } catch {
      // Slower in a flood, no worse: a system may allow no more than it gives at first.
      return narrowPipeBytes;
    }
  }
}

export class FifoSpool implements OutputSpool, Disposable {
  readonly pipeBytes: number;
  readonly #fifo: number;
  readonly #path: string;
  readonly #options: ResolvedOptions;
  readonly #signal: AbortSignal;
  #fd: number | undefined;
  #end: number;
  #freed = 0;

  constructor(fifo: { readonly fd: number; readonly bytes: number }, path: string, options: ResolvedOptions, signal: AbortSignal) {
    this.#fifo = fifo.fd;
    this.pipeBytes = fifo.bytes;
    this.#path = path;
    this.#options = options;
    this.#signal = signal;
    this.#fd = openIfThere(path);
    this.#end = this.#fd === undefined ? 0 : fstatSync(this.#fd).size;
  }

  get fd(): number {
    this.#fd ??= openSync(this.#path, constants.O_RDWR | constants.O_CREAT, 0o600);
    return this.#fd;
  }

  get end(): number {
    return this.#end;
  }

  async fill(bytesMax: number): Promise<number> {
    for (;;) {
      this.#signal.throwIfAborted();
      // A pipe that no writer has opened yet looks to splice(2) like one that all have left: only poll(2) knows better.
      const ready = await this.#options.kernel.poll(this.#fifo, POLLIN, foreverMs, this.#signal);
      if (ready === 0) continue;
      const moved = await this.#move(bytesMax);
      if (moved === undefined) continue;
      this.#end += moved;
      return moved;
    }
  }

  free(offset: number): void {
    const whole = Math.floor(offset / pageBytes) * pageBytes;
    if (this.#fd === undefined || whole - this.#freed < holeBytesMin) return;
    this.#options.kernel.punchHole(this.#fd, this.#freed, whole - this.#freed);
    this.#freed = whole;
  }

  cut(offset: number): void {
    ftruncateSync(this.fd, offset);
    this.#end = offset;
  }

  [Symbol.dispose](): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  async #move(bytesMax: number): Promise<number | undefined> {
    try {
      return this.#options.kernel.spliceToFile(this.#fifo, this.fd, this.#end, bytesMax);
    } catch (error) {
      if (!(error instanceof KernelError) || error.code !== "ENOSPC") throw error;
      this.#options.log(`${this.#path}: ${messageOf(error)}: the container waits for room`);
      await delay(noRoomMs, this.#signal);
      return undefined;
    }
  }
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDWR);
  } catch {
    return undefined;
  }
}
