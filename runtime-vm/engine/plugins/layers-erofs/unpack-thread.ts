import { Worker } from "node:worker_threads";
import { EngineError, messageOf } from "#base/errors.ts";
import type { Digest, Piece } from "#core/content/content.ts";
import type { Grown } from "#core/layers/layers.ts";
import type { UnpackAnswer, UnpackAsk, Unpacked, UnpackMessage, UnpackReply, UnpackRequest } from "./unpack.worker.ts";

/**
 * The worker beside this file. A source tree runs the .ts as it is; the engine's bundle has every `*.worker.ts` as an
 * entry of its own, under the same name with the bundle's extension.
 */
const workerUrl = (): URL => new URL(import.meta.url.endsWith(".ts") ? "./unpack.worker.ts" : "./unpack.worker.mjs", import.meta.url);

/** A layer with very many entries needs memory for their names; past this the worker, not the engine, gives up. */
const workerHeapMbMax = 1024;

export interface UnpackOptions {
  readonly signal: AbortSignal;
  readonly onProgress?: (bytes: number) => void;
  /** How much of the source is there, where it is still being written. */
  readonly growth?: AsyncIterable<Grown>;
  /** Told the source's digest as soon as it has been read, before the rest is done. */
  readonly onHashed?: (digest: Digest) => void;
}

/** The thread ended while it had several layers, any of which may have been the cause. */
export class ThreadLost extends EngineError {}

interface Asked {
  readonly source: string;
  /** Why it is not wanted any more. */
  givenUp?: { readonly why: unknown };
  reply(reply: UnpackReply): void;
  fail(error: unknown): void;
}

/** A worker that unpacks several layers side by side. */
export class UnpackThread {
  readonly #worker = new Worker(workerUrl(), { resourceLimits: { maxOldGenerationSizeMb: workerHeapMbMax } });
  readonly #asked = new Map<number, Asked>();
  #lastId = 0;
  #ending: Promise<unknown> | undefined;

  constructor() {
    let cause: unknown;
    this.#worker.on("message", ({ id, reply }: UnpackAnswer) => this.#asked.get(id)?.reply(reply));
    this.#worker.on("error", (error) => (cause = error));
    this.#worker.on("exit", (code) => {
      this.#ending ??= Promise.resolve();
      this.#lose(cause ?? new Error(`the thread ended with code ${code}`));
    });
  }

  /** How many layers it has. */
  get layers(): number {
    return this.#asked.size;
  }

  /** It has ended, or is about to. */
  get over(): boolean {
    return this.#ending !== undefined;
  }

  /** One request, one reply. When it is given up, or fails, the worker is at it no more when this rejects. */
  async ask(request: UnpackRequest, { signal, onProgress, onHashed, growth }: UnpackOptions): Promise<Unpacked> {
    signal.throwIfAborted();
    const id = (this.#lastId += 1);
    const say = (message: UnpackMessage): void => this.#worker.postMessage({ id, message } satisfies UnpackAsk);
    const lent = new Lent(say);
    const stop = (why: unknown): void => this.#giveUp(id, why, say);
    const abort = (): void => stop(reasonOf(signal));
    signal.addEventListener("abort", abort, { once: true });
    this.#worker.ref();
    try {
      return await new Promise<Unpacked>((resolve, reject) => {
        const reply = (told: UnpackReply): void => {
          if (told.kind === "progress") onProgress?.(told.bytes);
          else if (told.kind === "hashed") onHashed?.(told.digest);
          else if (told.kind === "used") lent.release(told.at);
          else if (told.kind === "failed") asked.fail(failureOf(told));
          else resolve(told);
        };
        const asked: Asked = { source: request.source, reply, fail: (error) => reject((asked.givenUp?.why ?? error) as Error) };
        this.#asked.set(id, asked);
        say({ kind: "unpack", request, ...(growth === undefined ? {} : { readable: 0 }) });
        if (growth !== undefined) lent.tell(growth).catch(stop);
      });
    } finally {
      signal.removeEventListener("abort", abort);
      lent.end();
      this.#asked.delete(id);
      if (this.#asked.size === 0) this.#worker.unref();
    }
  }

  /** Resolves when it has ended; what it was at fails. */
  async end(): Promise<void> {
    this.#ending ??= this.#worker.terminate();
    await this.#ending;
  }

  /** It may be long in the middle of something: when nothing else is wanted of it, it is ended. */
  #giveUp(id: number, why: unknown, say: (message: UnpackMessage) => void): void {
    const asked = this.#asked.get(id);
    if (asked === undefined || asked.givenUp !== undefined) return;
    asked.givenUp = { why };
    if ([...this.#asked.values()].every(({ givenUp }) => givenUp !== undefined)) void this.end();
    else say({ kind: "stop" });
  }

  #lose(cause: unknown): void {
    const Lost = this.#asked.size > 1 ? ThreadLost : EngineError;
    for (const { source, fail } of this.#asked.values()) fail(new Lost("internal", `unpacking ${source} failed: ${messageOf(cause)}`, { cause }));
  }
}

function failureOf({ class: cls, message, code }: Extract<UnpackReply, { kind: "failed" }>): EngineError {
  return new EngineError(cls, message, code === undefined ? {} : { cause: Object.assign(new Error(message), { code }) });
}

/** How far a source has grown, and the pieces of it that a worker has been lent and not used yet. */
class Lent {
  readonly #say: (message: UnpackMessage) => void;
  readonly #pieces = new Map<number, Piece>();
  #over = false;

  constructor(say: (message: UnpackMessage) => void) {
    this.#say = say;
  }

  /** Passes on what there is, as long as the worker is at it. */
  async tell(growth: AsyncIterable<Grown>): Promise<void> {
    for await (const { readable, piece } of growth) {
      if (this.#over) return piece?.release();
      if (piece !== undefined) this.#pieces.set(piece.at, piece);
      this.#say({ kind: "grown", readable, ...(piece === undefined ? {} : { piece: { at: piece.at, bytes: piece.bytes } }) });
    }
    if (!this.#over) this.#say({ kind: "whole" });
  }

  release(at: number): void {
    this.#pieces.get(at)?.release();
    this.#pieces.delete(at);
  }

  /** The worker is done, or is no more. */
  end(): void {
    this.#over = true;
    for (const at of [...this.#pieces.keys()]) this.release(at);
  }
}

export const reasonOf = (signal: AbortSignal): Error =>
  signal.reason instanceof Error ? signal.reason : new EngineError("cancelled", "unpacking was cancelled");
