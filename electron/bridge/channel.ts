import { EngineError } from "#base/errors.ts";
import { type WireError, fromWire, toWire } from "./errors.ts";
import { bridgeLimits } from "./limits.ts";

/** How a channel reaches its other half. */
export interface ChannelWire {
  data(bytes: Uint8Array): void;
  end(): void;
  reset(error?: WireError): void;
  credit(bytes: number): void;
}

/**
 * One byte stream over the bridge; both ends hold one. Neither side sends more than the other has granted, so that a
 * slow reader slows the writer instead of filling memory. Both directions have a window of the same size; reading a
 * chunk and coming back for the next grants its bytes again.
 */
export class ByteChannel {
  readonly #windowBytes: number;
  readonly #onClosed: () => void;
  #wire: ChannelWire | undefined;

  #credit = 0;
  #outgoing: Uint8Array[] = [];
  #outgoingBytes = 0;
  #ended: "no" | "asked" | "sent" = "no";
  readonly #endSent = Promise.withResolvers<void>();
  #cooling: ReturnType<typeof setTimeout> | undefined;
  readonly #room: PromiseWithResolvers<void>[] = [];

  #incoming: Uint8Array[] = [];
  #granted = 0;
  #unreported = 0;
  #farEnded = false;
  #reader: PromiseWithResolvers<void> | undefined;

  #failure: EngineError | undefined;
  #closed = false;

  constructor(windowBytes: number, onClosed: () => void) {
    this.#windowBytes = windowBytes;
    this.#onClosed = onClosed;
  }

  /** Connects the channel; what was written before goes out now. */
  bind(wire: ChannelWire): void {
    this.#wire = wire;
    this.#granted = this.#windowBytes;
    this.grant(this.#windowBytes);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Resolves when the far side's window has room again. Rejects when the stream is closed. */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#closed) throw this.#failure ?? new EngineError("cancelled", "the stream is closed");
    if (this.#ended !== "no") throw new EngineError("invalidArgument", "the stream was written to after its end");
    if (bytes.byteLength > 0) {
      this.#outgoing.push(bytes);
      this.#outgoingBytes += bytes.byteLength;
      this.#flushSoon();
    }
    if (this.#outgoingBytes < this.#credit || this.#outgoingBytes === 0) return;
    const room = Promise.withResolvers<void>();
    this.#room.push(room);
    await room.promise;
  }

  /** Half-closes our direction, after what was written. Resolves when the far side has been sent all of it, or the stream is closed. */
  async end(): Promise<void> {
    if (!this.#closed && this.#ended === "no") {
      this.#ended = "asked";
      this.#flush();
    }
    await this.#endSent.promise;
  }

  /** Ends both directions at once and tells the far side why. */
  close(error?: unknown): void {
    if (this.#closed) return;
    this.#wire?.reset(error === undefined ? undefined : toWire(error));
    if (error === undefined) this.#incoming = [];
    this.#finish(error === undefined ? undefined : fromWire(toWire(error)));
  }

  /** The far side's bytes, for one reader. Breaking out of the loop closes the stream; a failure comes after what had arrived. */
  async *read(): AsyncGenerator<Uint8Array, void, void> {
    let whole = false;
    try {
      for (;;) {
        const bytes = this.#incoming.shift();
        if (bytes !== undefined) {
          yield bytes;
          this.#consumed(bytes.byteLength);
        } else if (this.#farEnded || this.#closed) {
          whole = true;
          if (!this.#farEnded && this.#failure !== undefined) throw this.#failure;
          return;
        } else {
          this.#reader = Promise.withResolvers<void>();
          await this.#reader.promise;
        }
      }
    } finally {
      if (!whole) this.close();
    }
  }

  // ---- what the far side sent

  grant(bytes: number): void {
    this.#credit += bytes;
    this.#flush();
  }

  receive(bytes: Uint8Array): void {
    if (this.#closed) return;
    if (this.#farEnded || bytes.byteLength > this.#granted) {
      this.close(new EngineError("invalidArgument", this.#farEnded ? "bytes after the end of a stream" : "more bytes than the stream's window allows"));
      return;
    }
    this.#granted -= bytes.byteLength;
    this.#incoming.push(bytes);
    this.#reader?.resolve();
  }

  receiveEnd(): void {
    this.#farEnded = true;
    this.#reader?.resolve();
    this.#closeWhenDone();
  }

  /** The far side closed, or the connection is gone. Always an error here: a stream cut short must not read as a whole one. */
  receiveReset(error: EngineError): void {
    if (!this.#closed) this.#finish(error);
  }

  // ----

  #consumed(bytes: number): void {
    this.#unreported += bytes;
    // Small grants cost a frame each; half a window at a time keeps the writer busy.
    if (this.#closed || this.#farEnded || this.#unreported < this.#windowBytes / 2) return;
    this.#granted += this.#unreported;
    this.#wire?.credit(this.#unreported);
    this.#unreported = 0;
  }

  /** At once when nothing went out lately, else together with what comes within the next few milliseconds. */
  #flushSoon(): void {
    if (this.#cooling === undefined || this.#outgoingBytes >= bridgeLimits.coalesceBytes) this.#flush();
  }

  #flush(): void {
    if (this.#wire === undefined || this.#closed) return;
    while (this.#outgoingBytes > 0 && this.#credit > 0) {
      const bytes = this.#take(Math.min(this.#outgoingBytes, this.#credit, bridgeLimits.dataFrameBytesMax));
      this.#credit -= bytes.byteLength;
      this.#wire.data(bytes);
      this.#cool();
    }
    if (this.#outgoingBytes < this.#credit || this.#outgoingBytes === 0) for (const room of this.#room.splice(0)) room.resolve();
    if (this.#ended === "asked" && this.#outgoingBytes === 0) {
      this.#ended = "sent";
      this.#wire.end();
      this.#endSent.resolve();
      this.#closeWhenDone();
    }
  }

  #cool(): void {
    if (this.#cooling !== undefined) return;
    this.#cooling = setTimeout(() => {
      this.#cooling = undefined;
      this.#flush();
    }, bridgeLimits.coalesceMs);
  }

  #take(bytes: number): Uint8Array {
    const first = this.#outgoing[0];
    if (first !== undefined && first.byteLength === bytes) {
      this.#outgoing.shift();
      this.#outgoingBytes -= bytes;
      return first;
    }
    const whole = new Uint8Array(bytes);
    let filled = 0;
    while (filled < bytes) {
      const next = this.#outgoing[0] as Uint8Array;
      const part = next.subarray(0, bytes - filled);
      whole.set(part, filled);
      filled += part.byteLength;
      if (part.byteLength === next.byteLength) this.#outgoing.shift();
      else this.#outgoing[0] = next.subarray(part.byteLength);
    }
    this.#outgoingBytes -= bytes;
    return whole;
  }

  #closeWhenDone(): void {
    if (this.#farEnded && this.#ended === "sent" && !this.#closed) this.#finish(undefined);
  }

  #finish(failure: EngineError | undefined): void {
    this.#closed = true;
    this.#failure = failure;
    this.#outgoing = [];
    this.#outgoingBytes = 0;
    clearTimeout(this.#cooling);
    this.#endSent.resolve();
    this.#reader?.resolve();
    for (const room of this.#room.splice(0)) room.reject(failure ?? new EngineError("cancelled", "the stream is closed"));
    this.#onClosed();
  }
}
