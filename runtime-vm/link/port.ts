import { closeSync, constants, openSync, readSync, writeSync } from "node:fs";
import { Duplex } from "node:stream";
import { codeOf } from "#base/errors.ts";

/** poll(2), as core/kernel has it: `revents`, 0 when `timeoutMs` passed first; rejects when the signal is aborted, as it must be before the fd is closed. */
export type Poll = (fd: number, events: number, timeoutMs: number, signal?: AbortSignal) => Promise<number>;

const POLL = { in: 1, out: 4, err: 8, hup: 16, nval: 32 } as const;
const pollMs = 1_000;
/** Without a host poll(2) returns POLLHUP at once: this pause keeps the loop from spinning. */
const hangupPauseMs = 100;
const chunkBytes = 256 * 1024;
/** Bytes moved before other work of the event loop gets its turn. */
const turnBytes = 1024 * 1024;

/**
 * A virtio-serial port (a character device that Node's sockets and tty streams refuse) as a Duplex: one non-blocking
 * descriptor, read and written until EAGAIN, then waited for by poll(2). Ends when the host hangs up; has one opener
 * at a time (EBUSY for others). Closing it makes the kernel drop bytes that were not read.
 */
export class CharPort extends Duplex {
  readonly #fd: number;
  readonly #poll: Poll;
  #reading = false;
  #wanted = false;
  #scratch = Buffer.allocUnsafe(chunkBytes);
  readonly #closing = new AbortController();
  #polls = 0;
  #close: (() => void) | undefined;

  /** Resolves with the open port once a host is attached to it. */
  static async open(path: string, poll: Poll, signal: AbortSignal): Promise<CharPort> {
    const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    try {
      while (((await poll(fd, POLL.out, pollMs, signal)) & (POLL.hup | POLL.err | POLL.nval)) !== 0) {
        signal.throwIfAborted();
        await pause(hangupPauseMs);
      }
      signal.throwIfAborted();
      return new CharPort(fd, poll);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  private constructor(fd: number, poll: Poll) {
    super({ allowHalfOpen: true, readableHighWaterMark: turnBytes, writableHighWaterMark: turnBytes });
    this.#fd = fd;
    this.#poll = poll;
  }

  override _read(): void {
    this.#wanted = true;
    if (this.#reading) return;
    this.#reading = true;
    void this.#readLoop();
  }

  async #readLoop(): Promise<void> {
    let moved = 0;
    try {
      while (!this.destroyed) {
        const chunk = this.#readChunk();
        if (chunk === "ended") return void this.push(null);
        if (chunk === "empty") {
          await this.#wait(POLL.in);
        } else {
          moved += chunk.length;
          this.#wanted = false;
          // Set back at once: the next _read may come before a promise callback would run.
          if (!this.push(chunk) && !this.#wanted) return void (this.#reading = false);
          if (moved >= turnBytes) await nextTurn();
          if (moved >= turnBytes) moved = 0;
        }
      }
    } catch (error) {
      this.destroy(error as Error);
    }
  }

  #readChunk(): Buffer | "empty" | "ended" {
    try {
      const count = readSync(this.#fd, this.#scratch, 0, chunkBytes, null);
      if (count === 0) return "ended";
      // A small message must not hold a large buffer.
      if (count < chunkBytes / 8) return Buffer.from(this.#scratch.subarray(0, count));
      const chunk = this.#scratch.subarray(0, count);
      this.#scratch = Buffer.allocUnsafe(chunkBytes);
      return chunk;
    } catch (error) {
      if (codeOf(error) === "EAGAIN") return "empty";
      throw error;
    }
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    void this.#writeAll(chunk).then(() => done(), done);
  }

  // HTTP/2 hands over a frame's head and body apart: one write of the device for many of them costs far less.
  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    void this.#writeAll(Buffer.concat(chunks.map(({ chunk }) => chunk))).then(() => done(), done);
  }

  async #writeAll(chunk: Buffer): Promise<void> {
    let at = 0;
    while (at < chunk.length) {
      if (this.destroyed) throw Object.assign(new Error("the port was closed"), { code: "EPIPE" });
      try {
        at += writeSync(this.#fd, chunk, at, chunk.length - at);
      } catch (error) {
        if (codeOf(error) !== "EAGAIN") throw error;
        const revents = await this.#wait(POLL.out);
        if ((revents & POLL.hup) !== 0) throw Object.assign(new Error("the host hung up"), { code: "EPIPE" });
      }
    }
  }

  async #wait(events: number): Promise<number> {
    this.#polls++;
    try {
      return await this.#poll(this.#fd, events, pollMs, this.#closing.signal);
    } catch (error) {
      if (codeOf(error) === "EINTR") return 0; // A signal came: the loop looks again.
      throw error;
    } finally {
      if (--this.#polls === 0) this.#close?.();
    }
  }

  // The descriptor's number must not be given to another file while a poll still looks at it.
  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#close = () => {
      this.#close = undefined;
      closeSync(this.#fd);
      done(error);
    };
    this.#closing.abort(new Error("the port was closed"));
    if (this.#polls === 0) this.#close();
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
