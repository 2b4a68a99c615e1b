import { limits } from "#base/limits.ts";
import type { LogStream } from "#core/logs/logs.ts";
import type { LogMark } from "./log-file.ts";

export interface AttachChunk {
  readonly stream: LogStream;
  readonly bytes: Buffer;
}

/** How a reader that lagged gets what it missed. */
export interface Backlog {
  /** Where the output that comes next begins, in the log. */
  mark(): Promise<LogMark>;
  /** What lies between two marks. */
  between(from: LogMark, to: LogMark): AsyncIterable<AttachChunk>;
}

const streams = ["stdout", "stderr"] as const;
const nothing = new Uint8Array(0);
export const beginning: LogMark = { after: -1n, pending: [nothing, nothing] };

/**
 * One attached client. Output is queued for it up to a limit; past that the queue stops and a mark is set in the log. Once the queue is
 * drained the client is fed from the file up to a second mark, from which on output is queued again: nothing is missing and nothing
 * comes twice, however slow the client is, and nobody ever waits for it.
 */
export class AttachReader implements AsyncIterable<AttachChunk> {
  readonly #wanted: { readonly stdout: boolean; readonly stderr: boolean };
  readonly #signal: AbortSignal;
  readonly #leave: () => void;
  readonly #backlog: Backlog | undefined;
  #queue: AttachChunk[] = [];
  #queued = 0;
  #gap: Promise<LogMark> | undefined;
  #over = false;
  #wake: (() => void) | undefined;

  /** Without a backlog (driver `none`) a client that lags past the limit is let go. `leave` is called once, when it is done. */
  constructor(opts: { stdout: boolean; stderr: boolean; replay?: boolean; signal: AbortSignal }, backlog: Backlog | undefined, leave: () => void) {
    this.#wanted = opts;
    this.#signal = opts.signal;
    this.#backlog = backlog;
    this.#leave = leave;
    if (opts.replay && backlog) this.#gap = Promise.resolve(beginning);
    opts.signal.addEventListener("abort", this.#abandon, { once: true });
    if (opts.signal.aborted) this.#abandon();
  }

  /** Called before the same chunk goes to the log. False: the reader is let go. */
  push(chunk: AttachChunk): boolean {
    if (!this.#wanted[chunk.stream] || this.#gap) return true;
    if (this.#queued + chunk.bytes.length > limits.attachBacklogBytesMax && this.#queue.length > 0) {
      if (!this.#backlog) {
        this.finish();
        return false;
      }
      this.#gap = this.#backlog.mark();
      // The reader may be gone before it looks.
      this.#gap.catch(() => undefined);
    } else {
      this.#queue.push(chunk);
      this.#queued += chunk.bytes.length;
    }
    this.#stir();
    return true;
  }

  /** The task's output is over and in the log. */
  finish(): void {
    this.#over = true;
    this.#stir();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<AttachChunk> {
    try {
      while (!this.#signal.aborted) {
        const chunk = this.#queue.shift();
        if (chunk) {
          this.#queued -= chunk.bytes.length;
          yield chunk;
        } else if (this.#gap && this.#backlog) yield* this.#catchUp(await this.#gap, this.#backlog);
        else if (this.#over) return;
        else await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      this.#abandon();
    }
  }

  async *#catchUp(from: LogMark, backlog: Backlog): AsyncGenerator<AttachChunk> {
    // From here on output is queued again; the mark is where that begins.
    const to = backlog.mark();
    this.#gap = undefined;
    for await (const chunk of backlog.between(from, await to)) {
      if (this.#signal.aborted) return;
      if (this.#wanted[chunk.stream]) yield chunk;
    }
  }

  readonly #abandon = (): void => {
    this.#signal.removeEventListener("abort", this.#abandon);
    this.#over = true;
    this.#queue = [];
    this.#gap = undefined;
    this.#leave();
    this.#stir();
  };

  #stir(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}

/** Drops from the front of each stream what the reader had of a line that was unfinished at the first mark. */
export async function* withoutBeginnings(from: LogMark, to: LogMark, entries: AsyncIterable<AttachChunk>): AsyncGenerator<AttachChunk> {
  const skip = { stdout: from.pending[0].length, stderr: from.pending[1].length };
  for await (const { stream, bytes } of entries) {
    const had = Math.min(skip[stream], bytes.length);
    skip[stream] -= had;
    if (had < bytes.length) yield { stream, bytes: bytes.subarray(had) };
  }
  for (const [index, stream] of streams.entries()) {
    const rest = (to.pending[index] ?? nothing).subarray(skip[stream]);
    if (rest.length > 0) yield { stream, bytes: Buffer.from(rest) };
  }
}
