import { limits } from "#base/limits.ts";
import type { LogStream } from "#core/logs/logs.ts";
import type { LogMark } from "./log-file.ts";

export interface AttachChunk {
  readonly stream: LogStream;
  readonly bytes: Buffer;
  /** Called when the bytes are not needed any more, unless the reader was given up: their memory can be used again. */
  readonly release?: () => void;
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

/** A client that takes nothing for so long, with its queue full, does not read. */
const patienceMs = 1_000;
const queuedBytesMax = limits.attachBacklogBytesMax;
const roomBytes = (queuedBytesMax * 3) / 4;
/** Small chunks that wait are sent as one of at most this size. */
const mergedBytesMax = 64 * 1024;

/**
 * One attached client. Output is queued for it up to a limit. Past that the program waits, as with Docker, while the client reads:
 * so it gets every byte as it was printed. A client that takes nothing for a while is no longer waited for: the queue stops, a mark is
 * set in the log, and once it reads again it is fed from the file up to a second mark, from which on output is queued again. Nothing is
 * missing and nothing comes twice, however slow the client is, and one that never reads holds nobody up.
 */
export class AttachReader implements AsyncIterable<AttachChunk> {
  readonly #wanted: { readonly stdout: boolean; readonly stderr: boolean };
  readonly #signal: AbortSignal;
  readonly #leave: () => void;
  readonly #backlog: Backlog | undefined;
  readonly #letGo: () => void;
  #queue: AttachChunk[] = [];
  #queued = 0;
  #gap: Promise<LogMark> | undefined;
  /** It is being fed from the file: nobody waits for what is queued meanwhile. */
  #catchingUp = false;
  #full: { readonly room: PromiseWithResolvers<void>; readonly patience: NodeJS.Timeout } | undefined;
  #over = false;
  #wake: (() => void) | undefined;

  /** Without a backlog (driver `none`) a client that does not read is let go, and `letGo` told. `leave` is called when it is done. */
  constructor(
    opts: { stdout: boolean; stderr: boolean; replay?: boolean; signal: AbortSignal },
    backlog: Backlog | undefined,
    leave: () => void,
    letGo: () => void = () => undefined,
  ) {
    this.#wanted = opts;
    this.#signal = opts.signal;
    this.#backlog = backlog;
    this.#leave = leave;
    this.#letGo = letGo;
    if (opts.replay && backlog) this.#gap = Promise.resolve(beginning);
    opts.signal.addEventListener("abort", this.#abandon, { once: true });
    if (opts.signal.aborted) this.#abandon();
  }

  /** Called before the same chunk goes to the log. A promise: the queue is full until it resolves, a moment later at most. */
  push(chunk: AttachChunk): Promise<void> | undefined {
    if (!this.#wanted[chunk.stream] || this.#gap || this.#over) return undefined;
    // Somebody who cannot wait pushes on; or the client will not look before it has read its backlog.
    if (this.#queued >= (this.#catchingUp ? queuedBytesMax : 2 * queuedBytesMax)) {
      this.#lag();
      return undefined;
    }
    this.#queue.push(chunk);
    this.#queued += chunk.bytes.length;
    this.#stir();
    if (this.#catchingUp || this.#queued < queuedBytesMax) return undefined;
    this.#full ??= { room: Promise.withResolvers(), patience: setTimeout(this.#lag, patienceMs) };
    return this.#full.room.promise;
  }

  /** The task's output is over and in the log. */
  finish(): void {
    this.#over = true;
    this.#makeRoom();
    this.#stir();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<AttachChunk> {
    try {
      while (!this.#signal.aborted) {
        const chunk = this.#next();
        if (chunk) {
          yield chunk;
          chunk.release?.();
        } else if (this.#gap && this.#backlog) yield* this.#catchUp(await this.#gap, this.#backlog);
        else if (this.#over) return;
        else await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      this.#abandon();
    }
  }

  #next(): AttachChunk | undefined {
    const first = this.#queue[0];
    if (!first) return undefined;
    let count = 1;
    let length = first.bytes.length;
    for (let next = this.#queue[1]; next && next.stream === first.stream && length + next.bytes.length <= mergedBytesMax; next = this.#queue[count]) {
      length += next.bytes.length;
      count++;
    }
    const taken = this.#queue.splice(0, count);
    this.#queued -= length;
    if (this.#queued <= roomBytes) this.#makeRoom();
    else this.#full?.patience.refresh();
    if (count === 1) return first;
    const bytes = Buffer.concat(
      taken.map((chunk) => chunk.bytes),
      length,
    );
    for (const { release } of taken) release?.();
    return { stream: first.stream, bytes };
  }

  async *#catchUp(from: LogMark, backlog: Backlog): AsyncGenerator<AttachChunk> {
    // From here on output is queued again; the mark is where that begins.
    const to = backlog.mark();
    this.#gap = undefined;
    this.#catchingUp = true;
    try {
      for await (const chunk of backlog.between(from, await to)) {
        if (this.#signal.aborted) return;
        if (this.#wanted[chunk.stream]) yield chunk;
      }
    } finally {
      this.#catchingUp = false;
    }
  }

  /** It does not read: what comes next it will find in the log. */
  readonly #lag = (): void => {
    if (this.#backlog) {
      this.#gap = this.#backlog.mark();
      // The reader may be gone before it looks.
      this.#gap.catch(() => undefined);
    } else {
      this.#over = true;
      this.#letGo();
    }
    this.#makeRoom();
    this.#stir();
  };

  readonly #abandon = (): void => {
    this.#signal.removeEventListener("abort", this.#abandon);
    this.#over = true;
    this.#queue = [];
    this.#gap = undefined;
    this.#makeRoom();
    this.#leave();
    this.#stir();
  };

  #makeRoom(): void {
    if (!this.#full) return;
    clearTimeout(this.#full.patience);
    this.#full.room.resolve();
    this.#full = undefined;
  }

  #stir(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}

/** Pushes to each. A promise: until it resolves somebody who reads has no room. */
export function pushToAll(readers: Iterable<AttachReader>, chunk: AttachChunk): Promise<unknown> | undefined {
  let full: Promise<void>[] | undefined;
  for (const reader of readers) {
    const room = reader.push(chunk);
    if (room) (full ??= []).push(room);
  }
  return full && Promise.all(full);
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
