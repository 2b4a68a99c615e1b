import type { Duplex } from "node:stream";
import { EngineError, messageOf } from "#base/errors.ts";
import { Emitter } from "#base/event.ts";
import { JsonLines } from "#link/lines.ts";

const lineBytesMax = 1024 * 1024;

export interface QmpEvent {
  /** `SHUTDOWN`, `STOP`, `RESUME`, `GUEST_PANICKED` ... */
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

interface Pending {
  readonly command: string;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** QEMU's machine protocol: JSON lines, greeting first, answers by id, events between (docs/interop/qmp-spec). */
export class Qmp {
  readonly events = new Emitter<QmpEvent>();
  readonly #stream: Duplex;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;

  private constructor(stream: Duplex) {
    this.#stream = stream;
  }

  /** Resolves when QEMU has greeted and taken capabilities; then it is running its guest. */
  static async connect(stream: Duplex, signal: AbortSignal): Promise<Qmp> {
    const qmp = new Qmp(stream);
    const abort = (): void => void stream.destroy(new EngineError("cancelled", "the connection to QEMU's monitor was given up"));
    signal.addEventListener("abort", abort, { once: true });
    try {
      signal.throwIfAborted();
      await qmp.#greeting();
      await qmp.execute("qmp_capabilities");
      return qmp;
    } catch (error) {
      stream.destroy();
      throw error;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  #greeting(): Promise<void> {
    const lines = new JsonLines(lineBytesMax);
    return new Promise((resolve, reject) => {
      this.#stream.on("data", (chunk: Buffer) => {
        for (const line of lines.push(chunk)) {
          if ("QMP" in line) resolve();
          else this.#onLine(line);
        }
      });
      this.#stream.on("end", () => this.#stream.destroy());
      this.#stream.on("error", () => {});
      this.#stream.on("close", () => {
        const gone = new EngineError("unavailable", "QEMU closed its monitor");
        reject(gone);
        for (const pending of this.#pending.values()) pending.reject(gone);
        this.#pending.clear();
      });
    });
  }

  /** Rejects with QEMU's own sentence. */
  async execute(command: string, args: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    if (this.#stream.destroyed) throw new EngineError("unavailable", "QEMU's monitor is closed");
    const id = ++this.#lastId;
    return await new Promise((resolve, reject) => {
      this.#pending.set(id, { command, resolve, reject });
      this.#stream.write(`${JSON.stringify({ execute: command, arguments: args, id })}\n`);
    });
  }

  #onLine(line: Record<string, unknown>): void {
    const { event, data, id, error } = line;
    if (typeof event === "string") return this.events.fire({ event, data: isRecord(data) ? data : {} });
    const pending = typeof id === "number" ? this.#pending.get(id) : undefined;
    if (!pending || typeof id !== "number") return;
    this.#pending.delete(id);
    if (isRecord(error)) pending.reject(new EngineError("internal", `QEMU refused ${pending.command}: ${messageOf(error["desc"])}`));
    else pending.resolve(line["return"]);
  }

  close(): void {
    this.#stream.destroy();
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
