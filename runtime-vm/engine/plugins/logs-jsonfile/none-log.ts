import { EngineError } from "#base/errors.ts";
import type { ContainerLog, LogTap } from "#core/logs/logs.ts";
import type { TaskStdio } from "#core/tasks/tasks.ts";
import { AttachReader, pushToAll, type AttachChunk } from "./attach-reader.ts";
import { OutputPump } from "./output-pump.ts";

/** Driver `none`: output goes to whoever is attached, and nowhere else. */
export class NoneLog implements ContainerLog {
  readonly path = "";
  readonly #id: string;
  readonly #report: (line: string) => void;
  readonly #readers = new Set<AttachReader>();
  readonly #pump = new OutputPump();
  readonly #tap: LogTap | undefined;

  constructor(id: string, report: (line: string) => void, tap?: LogTap) {
    this.#tap = tap;
    this.#id = id;
    this.#report = report;
  }

  async consume(stdio: TaskStdio): Promise<void> {
    try {
      await this.#pump.run(stdio, (stream, bytes) => {
        this.#pump.written(bytes.length);
        const name = stream === 0 ? "stdout" : "stderr";
        const tapped = this.#tap?.(name, bytes);
        const pushed = pushToAll(this.#readers, { stream: name, bytes });
        return tapped && pushed ? Promise.all([tapped, pushed]) : (tapped ?? pushed);
      });
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
