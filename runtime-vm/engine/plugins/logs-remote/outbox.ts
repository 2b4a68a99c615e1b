import { delay, withDeadline } from "#base/deadline.ts";
import { messageOf } from "#base/errors.ts";

/** Takes messages away, in order. */
export interface Transport extends AsyncDisposable {
  /** Rejects with the reason in dockerd's words. A second time is harmless. */
  connect(): Promise<void>;
  /** Resolves when they are handed over; when it rejects all of them are tried again. */
  deliver(messages: readonly Buffer[], signal: AbortSignal): Promise<void>;
}

export interface OutboxOptions {
  readonly transport: Transport;
  /** Waiting messages; past so many bytes the sender waits, or what comes is dropped. */
  readonly bytesMax: number;
  readonly dropWhenFull: boolean;
  /** Attempts for one batch before it is dropped. */
  readonly attemptsMax: number;
  readonly retryMs: number;
  readonly report: (line: string) => void;
}

const batchMax = 1_000;
const batchBytesMax = 256 * 1024;
const retryMsMax = 10_000;

/** Messages on their way out of the engine: kept in order, delivered in batches, tried again when that fails. */
export class Outbox implements AsyncDisposable {
  readonly #options: OutboxOptions;
  readonly #stop = new AbortController();
  #queue: Buffer[] = [];
  #bytes = 0;
  #room: PromiseWithResolvers<void> | undefined;
  #running: Promise<void> | undefined;
  #dropped = 0;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** A promise: it is full until that resolves. */
  push(message: Buffer): Promise<void> | undefined {
    const { bytesMax, dropWhenFull } = this.#options;
    if (dropWhenFull && this.#queue.length > 0 && this.#bytes + message.length > bytesMax) {
      if (this.#dropped++ === 0) this.#options.report("output comes faster than it can be sent: some of it is dropped");
      return undefined;
    }
    this.#queue.push(message);
    this.#bytes += message.length;
    this.#running ??= this.#run();
    if (dropWhenFull || this.#bytes < bytesMax) return undefined;
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  /** Waits until everything is out, no longer than `ms`. */
  async flush(ms: number): Promise<void> {
    if (this.#running) await withDeadline(ms, "sending the last output", () => this.#running ?? Promise.resolve());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#room?.resolve();
    await this.#running;
    await this.#options.transport[Symbol.asyncDispose]();
  }

  async #run(): Promise<void> {
    // What is pushed in the same turn goes out together.
    await Promise.resolve();
    while (this.#queue.length > 0 && !this.#stop.signal.aborted) {
      const batch = this.#batch();
      await this.#send(batch);
      this.#queue.splice(0, batch.length);
      for (const { length } of batch) this.#bytes -= length;
      if (this.#bytes < this.#options.bytesMax / 2) {
        this.#room?.resolve();
        this.#room = undefined;
      }
    }
    this.#running = undefined;
  }

  #batch(): Buffer[] {
    let count = 1;
    let bytes = this.#queue[0]?.length ?? 0;
    while (count < Math.min(batchMax, this.#queue.length) && bytes + (this.#queue[count]?.length ?? 0) <= batchBytesMax)
      bytes += this.#queue[count++]?.length ?? 0;
    return this.#queue.slice(0, count);
  }

  async #send(batch: readonly Buffer[]): Promise<void> {
    const { transport, attemptsMax, retryMs, report } = this.#options;
    const { signal } = this.#stop;
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        await transport.connect();
        return await transport.deliver(batch, signal);
      } catch (error) {
        if (signal.aborted) return;
        if (attempt === 1) report(`sending failed, trying again: ${messageOf(error)}`);
        if (attempt >= attemptsMax) return report(`${batch.length} messages are lost after ${attempt} attempts: ${messageOf(error)}`);
        await delay(Math.min(retryMsMax, retryMs * 1.5 ** (attempt - 1)), signal).catch(() => undefined);
      }
    }
  }
}
