import { codeOf } from "#base/errors.ts";
import type { TaskStdio } from "#core/tasks/tasks.ts";
import { paced } from "#core/tasks/paced.ts";
import type { Readable } from "node:stream";

/** Handed to the writer and not yet on disk: past the first the program waits, below the second it goes on. */
const outstandingBytesMax = 1024 * 1024;
const outstandingBytesLow = 512 * 1024;

/** Takes a chunk; a promise: take no more of this stream until it resolves. */
export type Take = (stream: 0 | 1, bytes: Buffer) => Promise<unknown> | undefined;

/** Moves a task's output to `take`, no faster than `written` confirms it; or, when told to drop, never waiting at all. */
export class OutputPump {
  readonly #dropPastBytes: number | undefined;
  #outstanding = 0;
  #stalled: (() => void)[] = [];

  constructor(dropPastBytes?: number) {
    this.#dropPastBytes = dropPastBytes;
  }

  /** Resolves when both streams have ended and been taken. */
  async run(stdio: TaskStdio, take: Take): Promise<void> {
    const streams = [this.#move(stdio.stdout, 0, take), ...(stdio.stderr ? [this.#move(stdio.stderr, 1, take)] : [])];
    await Promise.all(streams);
  }

  written(bytes: number): void {
    this.#outstanding = Math.max(0, this.#outstanding - bytes);
    if (this.#outstanding <= outstandingBytesLow) this.#release();
  }

  /** Nobody will confirm any more: the program must not wait for that. */
  giveUp(): void {
    this.#outstanding = 0;
    this.#release();
  }

  async #move(from: Readable, stream: 0 | 1, take: Take): Promise<void> {
    const mayWait = this.#dropPastBytes === undefined;
    try {
      for await (const chunk of paced(from)) {
        if (this.#dropPastBytes !== undefined && this.#outstanding + chunk.length > this.#dropPastBytes) continue;
        this.#outstanding += chunk.length;
        const room = take(stream, chunk);
        if (room && mayWait) await room;
        if (mayWait && this.#outstanding >= outstandingBytesMax) await new Promise<void>((resolve) => this.#stalled.push(resolve));
      }
    } catch (error) {
      // The engine let go of the task, which lives on: not the end of its output, and no failure either.
      if (codeOf(error) !== "ERR_STREAM_PREMATURE_CLOSE") throw error;
    }
  }

  #release(): void {
    const stalled = this.#stalled;
    this.#stalled = [];
    for (const done of stalled) done();
  }
}
