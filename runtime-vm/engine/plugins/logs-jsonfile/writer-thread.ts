import { EngineError } from "#base/errors.ts";
import { closeSync } from "node:fs";
import { Worker } from "node:worker_threads";
import type { LogFileOptions, LogMark } from "./log-file.ts";
import type { OpenedFile } from "./log-files.ts";
import type { WriterReply, WriterRequest } from "./log-writer.worker.ts";

/** As for every worker: a source tree runs the .ts as it is, the engine's bundle has it as an entry of the same name. */
const workerUrl = (): URL => new URL(import.meta.url.endsWith(".ts") ? "./log-writer.worker.ts" : "./log-writer.worker.mjs", import.meta.url);

/** What one log hears from the thread. */
export interface LogListener {
  /** More may be sent; of the stream nothing before the offset `taken` is needed any more. */
  written(stream: 0 | 1, bytes: number, taken: number): void;
  /** A piece could not be written; the next ones are tried. */
  failed(error: EngineError): void;
  /** The thread is gone, and the log with it. */
  lost(error: EngineError): void;
}

/** Hears of a file that was begun, and closes it. */
export type FileListener = (fd: number, close: () => void) => void;

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}

/** The main thread's end of the writer: started with the first log. If it dies, the logs open in it fail and the next one starts another. */
export class WriterThread implements AsyncDisposable {
  readonly #listeners = new Map<number, LogListener>();
  readonly #followers = new Map<number, FileListener>();
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #next = 1;

  async open(options: LogFileOptions, listener: LogListener): Promise<number> {
    const log = this.#next++;
    this.#listeners.set(log, listener);
    try {
      await this.#ask<void>((id) => ({ op: "open", log, id, options }));
      return log;
    } catch (error) {
      this.#listeners.delete(log);
      throw error;
    }
  }

  /** A process's output follows. The log keeps in the file behind `progress` how much it has of it, and goes on from there. */
  async begin(log: number, progress: number): Promise<void> {
    await this.#ask<void>((id) => ({ op: "begin", log, id, progress }));
  }

  /** Writes what lies between two offsets of the file `spool`, a descriptor that stays open until `end` has resolved. */
  take(log: number, stream: 0 | 1, spool: number, from: number, to: number): void {
    this.#post({ op: "take", log, stream, spool, from, to });
  }

  /** Resolves when all that was taken is written. Not `over`: the process goes on, and so will its log under another engine. */
  async end(log: number, over: boolean): Promise<void> {
    await this.#ask<void>((id) => ({ op: "end", log, id, over }));
  }

  async mark(log: number): Promise<LogMark> {
    return await this.#ask<LogMark>((id) => ({ op: "mark", log, id }));
  }

  /** The log's files, oldest first; with `onFile` also each that is begun later, until `unfollow`. The receiver closes them all. */
  async files(log: number, onFile?: FileListener): Promise<{ files: readonly OpenedFile[]; unfollow: () => void }> {
    const follower = onFile ? this.#next++ : undefined;
    if (follower !== undefined && onFile) this.#followers.set(follower, onFile);
    const unfollow = (): void => {
      if (follower === undefined || !this.#followers.delete(follower)) return;
      this.#post({ op: "unfollow", log, follower });
    };
    try {
      return { files: await this.#ask<readonly OpenedFile[]>((id) => ({ op: "files", log, id, follower })), unfollow };
    } catch (error) {
      unfollow();
      throw error;
    }
  }

  async close(log: number): Promise<void> {
    this.#listeners.delete(log);
    if (this.#worker) await this.#ask<void>((id) => ({ op: "close", log, id })).catch(() => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    this.#listeners.clear();
    await worker?.terminate();
  }

  #ask<T>(make: (id: number) => WriterRequest): Promise<T> {
    const id = this.#next++;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#post(make(id));
    });
  }

  #post(request: WriterRequest): void {
    this.#worker ??= this.#start();
    this.#worker.postMessage(request);
  }

  /** Descriptors are handed between the threads: the worker must not think them its own. */
  #start(): Worker {
    const worker = new Worker(workerUrl(), { trackUnmanagedFds: false });
    worker.unref();
    worker.on("message", (reply: WriterReply) => this.#hear(reply));
    worker.on("error", (error) => this.#lost(worker, error));
    worker.on("exit", () => this.#lost(worker, new Error("it ended")));
    return worker;
  }

  #hear(reply: WriterReply): void {
    switch (reply.kind) {
      case "reply":
        return this.#settle(reply.id)?.resolve(reply.value as never);
      case "refused":
        return this.#settle(reply.id)?.reject(new EngineError("internal", `log: ${reply.message}`));
      case "written":
        return this.#listeners.get(reply.log)?.written(reply.stream, reply.bytes, reply.taken);
      case "failed":
        return this.#listeners.get(reply.log)?.failed(new EngineError("internal", `log: ${reply.message}`));
      case "rotated":
        return this.#share(
          reply.fd,
          reply.followers.flatMap((follower) => this.#followers.get(follower) ?? []),
        );
    }
  }

  /** Open until the last of them has closed it. */
  #share(fd: number, followers: readonly FileListener[]): void {
    let users = followers.length;
    const close = (): void => {
      users -= 1;
      if (users <= 0) closeSync(fd);
    };
    for (const follower of followers) follower(fd, close);
    if (users === 0) closeSync(fd);
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  #lost(worker: Worker, cause: unknown): void {
    if (this.#worker === worker) this.#worker = undefined;
    const error = new EngineError("internal", "the log writer thread ended", { cause });
    for (const id of [...this.#waiting.keys()]) this.#settle(id)?.reject(error);
    for (const listener of this.#listeners.values()) listener.lost(error);
    this.#listeners.clear();
  }
}
