import { codeOf, EngineError } from "#base/errors.ts";
import { paced } from "#core/tasks/paced.ts";
import type { ContainerLog, LogStream, LogTap } from "#core/logs/logs.ts";
import type { TaskStdio } from "#core/tasks/tasks.ts";
import type { Readable } from "node:stream";
import { AttachReader, pushToAll, type AttachChunk } from "./attach-reader.ts";

/** Driver `none`: output goes to whoever is attached, and nowhere else. */
export class NoneLog implements ContainerLog {
  readonly path = "";
  readonly #id: string;
  readonly #report: (line: string) => void;
  readonly #readers = new Set<AttachReader>();
  readonly #tap: LogTap | undefined;

  constructor(id: string, report: (line: string) => void, tap?: LogTap) {
    this.#tap = tap;
    this.#id = id;
    this.#report = report;
  }

  async consume(stdio: TaskStdio): Promise<void> {
    try {
      await Promise.all([this.#move(stdio.stdout, "stdout"), ...(stdio.stderr ? [this.#move(stdio.stderr, "stderr")] : [])]);
    } finally {
      for (const reader of this.#readers) reader.finish();
      this.#readers.clear();
    }
  }

  attach(opts: { stdout: boolean; stderr: boolean; replay?: boolean; signal: AbortSignal }): AsyncIterable<AttachChunk> {
    const letGo = (): void => {
      this.#readers.delete(reader);
      this.#report(`container ${this.#id}: an attached client that did not read was let go: log driver none keeps nothing to feed it from`);
    };
    const reader: AttachReader = new AttachReader(opts, undefined, () => this.#readers.delete(reader), letGo);
    if (!opts.signal.aborted) this.#readers.add(reader);
    return reader;
  }

  async #move(from: Readable, stream: LogStream): Promise<void> {
    try {
      for await (const bytes of paced(from)) {
        const tapped = this.#tap?.(stream, bytes);
        const pushed = pushToAll(this.#readers, { stream, bytes });
        if (tapped) await tapped;
        if (pushed) await pushed;
      }
    } catch (error) {
      // The engine let go of the task, which lives on: not the end of its output, and no failure either.
      if (codeOf(error) !== "ERR_STREAM_PREMATURE_CLOSE") throw error;
    }
  }

  read(): never {
    throw new EngineError("notImplemented", "configured logging driver does not support reading");
  }

  readFrames(): never {
    return this.read();
  }

  [Symbol.asyncDispose](): Promise<void> {
    for (const reader of this.#readers) reader.finish();
    return Promise.resolve();
  }
}
