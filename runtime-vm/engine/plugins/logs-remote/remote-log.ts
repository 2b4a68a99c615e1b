import { messageOf } from "#base/errors.ts";
import type { ContainerLog, LogChunk, LogDress, LogQuery, LogStream, LogTap } from "#core/logs/logs.ts";
import type { TaskStdio } from "#core/tasks/tasks.ts";
import { Copier, type LogMessage } from "./copier.ts";
import { Outbox, type OutboxOptions, type Transport } from "./outbox.ts";

/** What a driver makes of a container's options: how a message looks on the wire, and how it gets there. */
export interface Sending {
  readonly encode: (message: LogMessage) => Buffer | undefined;
  readonly transport: Transport;
  readonly retries: Pick<OutboxOptions, "attemptsMax" | "retryMs">;
  /** Do not fail a start for want of a receiver. */
  readonly lazy?: boolean;
  readonly bytesMax?: number;
}

const bytesMaxDefault = 1024 * 1024;
/** How long the last lines of an ended program may take. */
const flushMs = 5_000;

/** The log of a driver that sends elsewhere: a copy is kept by the engine, which is what is read and attached to. */
export class RemoteLog implements ContainerLog {
  readonly path = "";
  readonly #sending: Sending;
  readonly #outbox: Outbox;
  readonly #report: (line: string) => void;
  readonly #copiers: Readonly<Record<LogStream, Copier>>;
  #full: Promise<void> | undefined;
  #copy: ContainerLog | undefined;

  private constructor(sending: Sending, mode: { readonly dropPastBytes?: number }, report: (line: string) => void) {
    this.#sending = sending;
    this.#report = report;
    this.#outbox = new Outbox({
      transport: sending.transport,
      bytesMax: mode.dropPastBytes ?? sending.bytesMax ?? bytesMaxDefault,
      dropWhenFull: mode.dropPastBytes !== undefined || (sending.lazy ?? false),
      ...sending.retries,
      report,
    });
    const take = (message: LogMessage): void => this.#take(message);
    this.#copiers = { stdout: new Copier("stdout", take), stderr: new Copier("stderr", take) };
  }

  /** `openCopy` makes the copy, with the tap by which the output is seen. */
  static async open(
    sending: Sending,
    mode: { readonly dropPastBytes?: number },
    report: (line: string) => void,
    openCopy: (tap: LogTap) => Promise<ContainerLog>,
  ): Promise<RemoteLog> {
    const log = new RemoteLog(sending, mode, report);
    log.#copy = await openCopy((stream, bytes) => log.#see(stream, bytes));
    return log;
  }

  async connect(): Promise<void> {
    if (this.#sending.lazy !== true) await this.#sending.transport.connect();
  }

  async consume(stdio: TaskStdio): Promise<void> {
    try {
      await this.#kept.consume(stdio);
    } finally {
      for (const copier of Object.values(this.#copiers)) copier.end();
      await this.#outbox.flush(flushMs).catch((error: unknown) => this.#report(messageOf(error)));
    }
  }

  attach(opts: Parameters<ContainerLog["attach"]>[0]): ReturnType<ContainerLog["attach"]> {
    return this.#kept.attach(opts);
  }

  read(query: LogQuery): AsyncIterable<LogChunk> {
    return this.#kept.read(query);
  }

  readFrames(query: LogQuery, dress: LogDress): AsyncIterable<Buffer> {
    return this.#kept.readFrames(query, dress);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#outbox[Symbol.asyncDispose]();
    await this.#kept[Symbol.asyncDispose]();
  }

  get #kept(): ContainerLog {
    if (!this.#copy) throw new Error("the log has no copy yet");
    return this.#copy;
  }

  #see(stream: LogStream, bytes: Buffer): Promise<void> | undefined {
    this.#full = undefined;
    this.#copiers[stream].push(bytes);
    return this.#full;
  }

  #take(message: LogMessage): void {
    const encoded = this.#sending.encode(message);
    if (encoded) this.#full = this.#outbox.push(encoded) ?? this.#full;
  }
}
