import type { Http2Session, Http2Stream } from "node:http2";
import { Socket } from "node:net";
import { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";

/**
 * One byte stream over an HTTP/2 stream, with the endings of a TCP connection: `end()` is FIN (END_STREAM) and leaves
 * the other direction open; `destroy()` before both directions have ended is RST (RST_STREAM), and a reset of the far
 * side arrives as an ECONNRESET error, never as an end. A lost session is a reset of every tunnel.
 */
export class Tunnel extends Duplex {
  readonly #stream: Http2Stream;
  readonly #session: Http2Session | undefined;
  #farEnded = false;

  constructor(stream: Http2Stream) {
    super({ allowHalfOpen: true, readableHighWaterMark: 256 * 1024, writableHighWaterMark: 256 * 1024 });
    this.#stream = stream;
    this.#session = stream.session;
    // A reset that nobody waits for (a connection kept idle) must not end the program.
    this.on("error", () => {});
    stream.on("data", (chunk: Buffer) => {
      if (!this.push(chunk)) stream.pause();
    });
    stream.on("end", () => this.#onEnd());
    stream.on("aborted", () => this.#onReset());
    stream.on("error", () => this.#onReset());
    stream.on("close", () => this.#onReset());
    // Over already: nothing more will be heard of it.
    if (stream.destroyed) this.#onReset();
  }

  // Node ends the readable side of a reset stream too: only an end without a reset, on a live session, is a FIN.
  #onEnd(): void {
    if (this.#stream.rstCode !== 0 || this.#session?.destroyed !== false) return this.#onReset();
    this.#farEnded = true;
    this.push(null);
  }

  #onReset(): void {
    if (this.#farEnded && this.writableFinished) return;
    this.destroy(connectionReset());
  }

  override _read(): void {
    this.#stream.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#stream.write(chunk, done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#stream.write(chunks.length === 1 && chunks[0] ? chunks[0].chunk : Buffer.concat(chunks.map((c) => c.chunk)), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#stream.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const clean = this.#farEnded && this.writableFinished;
    // Only a destroy with an error sends RST_STREAM alone; close(code) would send END_STREAM first.
    if (!clean && !this.#stream.destroyed) this.#stream.destroy(error ?? connectionReset());
    done(error);
  }

  // What node:http asks of the socket it is given.
  setTimeout(): this {
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
}

function connectionReset(): NodeJS.ErrnoException {
  return Object.assign(new Error("the connection was reset"), { code: "ECONNRESET" });
}

/**
 * Joins two connections until both directions have ended. Each direction ends on its own (FIN is passed on as FIN);
 * a failure of either resets the other. Never rejects: the endings are the answer.
 */
export async function splice(a: Duplex, b: Duplex): Promise<void> {
  resetTogether(a, b);
  resetTogether(b, a);
  await Promise.allSettled([pipeline(a, b), pipeline(b, a)]);
}

/** Joins an accepted connection to one that is opened for it; when that fails the accepted one is reset. */
export async function joinTo(socket: Duplex, open: () => Promise<Duplex>): Promise<void> {
  socket.on("error", () => {});
  let other: Duplex;
  try {
    other = await open();
  } catch {
    return reset(socket);
  }
  await splice(socket, other);
}

function resetTogether(from: Duplex, to: Duplex): void {
  const broken = (): void => {
    if (!from.readableEnded || !from.writableFinished) reset(to);
  };
  from.once("error", broken);
  from.once("close", broken);
  if (from.destroyed) broken();
}

/** Ends a connection so that the far side sees a reset where the transport knows one. */
export function reset(stream: Duplex): void {
  if (stream.destroyed) return;
  if (stream instanceof Socket && stream.remotePort !== undefined) stream.resetAndDestroy();
  else stream.destroy();
}
