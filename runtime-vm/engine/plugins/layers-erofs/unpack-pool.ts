import { Worker } from "node:worker_threads";
import { EngineError } from "#base/errors.ts";
import type { Digest, Piece } from "#core/content/content.ts";
import type { Grown } from "#core/layers/layers.ts";
import type { Unpacked, UnpackMessage, UnpackReply, UnpackRequest } from "./unpack.worker.ts";

/**
 * The worker beside this file. A source tree runs the .ts as it is; the engine's bundle has every `*.worker.ts` as an
 * entry of its own, under the same name with the bundle's extension.
 */
const workerUrl = (): URL => new URL(import.meta.url.endsWith(".ts") ? "./unpack.worker.ts" : "./unpack.worker.mjs", import.meta.url);

/** A layer with very many entries needs memory for their names; past this the worker, not the engine, gives up. */
const workerHeapMbMax = 1024;
/** Sooner than an engine at rest gives its memory back, which theirs is then part of. */
const idleMsMax = 2_000;

export interface UnpackOptions {
  readonly signal: AbortSignal;
  readonly onProgress?: (bytes: number) => void;
  /** How much of the source is there, where it is still being written. */
  readonly growth?: AsyncIterable<Grown>;
  /** Told the source's digest as soon as it has been read, before the rest is done. */
  readonly onHashed?: (digest: Digest) => void;
}

/** Threads that unpack layers: at most `size` at once, the rest waits in order; idle ones end after a few seconds. */
export class UnpackPool implements AsyncDisposable {
  readonly #size: number;
  readonly #onIdle: () => void;
  readonly #idle = new Set<Worker>();
  readonly #busy = new Set<Worker>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** `onIdle` is called when the last thread has ended for want of work. */
  constructor(size: number, onIdle: () => void) {
    this.#size = size;
    this.#onIdle = onIdle;
  }

  async run(request: UnpackRequest, opts: UnpackOptions): Promise<Unpacked> {
    await this.#turn(opts.signal);
    const worker = this.#take();
    try {
      return await this.#ask(worker, request, opts);
    } finally {
      this.#busy.delete(worker);
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }

  /** Whether a layer is being unpacked, or waits for its turn. */
  get busy(): boolean {
    return this.#running > 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#idle, ...this.#busy].map((worker) => worker.terminate()));
    this.#idle.clear();
  }

  async #turn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#running >= this.#size) {
      await new Promise<void>((resolve, reject) => {
        const go = (): void => {
          signal.removeEventListener("abort", leave);
          resolve();
        };
        const leave = (): void => {
          this.#waiting.splice(this.#waiting.indexOf(go), 1);
          reject(reasonOf(signal));
        };
        signal.addEventListener("abort", leave, { once: true });
        this.#waiting.push(go);
      });
    }
    this.#running += 1;
  }

  #take(): Worker {
    const [idle] = this.#idle;
    const worker = idle ?? new Worker(workerUrl(), { resourceLimits: { maxOldGenerationSizeMb: workerHeapMbMax } });
    this.#idle.delete(worker);
    worker.ref();
    this.#busy.add(worker);
    return worker;
  }

  #rest(worker: Worker): void {
    this.#idle.add(worker);
    worker.unref();
    setTimeout(() => {
      if (!this.#idle.delete(worker)) return;
      void worker.terminate().then(() => {
        if (this.#idle.size === 0 && this.#busy.size === 0) this.#onIdle();
      });
    }, idleMsMax).unref();
  }

  /** One request, one reply. A worker that fails or is given up on is ended: it may be in the middle of something. */
  #ask(worker: Worker, request: UnpackRequest, { signal, onProgress, onHashed, growth }: UnpackOptions): Promise<Unpacked> {
    return new Promise((resolve, reject) => {
      const lent = new Lent(worker);
      const stop = (error: unknown): void => {
        quiet();
        void worker.terminate().then(() => {
          lent.end();
          reject(error);
        });
      };
      const message = (reply: UnpackReply): void => {
        if (reply.kind === "progress") return onProgress?.(reply.bytes);
        if (reply.kind === "hashed") return onHashed?.(reply.digest);
        if (reply.kind === "used") return lent.release(reply.at);
        quiet();
        lent.end();
        this.#rest(worker);
        if (reply.kind === "done") resolve(reply);
        else reject(new EngineError(reply.class, reply.message));
      };
      const abort = (): void => stop(reasonOf(signal));
      const failed = (error: unknown): void => stop(new EngineError("internal", `unpacking ${request.source} failed`, { cause: error }));
      const ended = (code: number): void => stop(new EngineError("internal", `unpacking ${request.source}: the worker ended with code ${code}`));
      const quiet = (): void => {
        worker.off("message", message).off("error", failed).off("exit", ended);
        signal.removeEventListener("abort", abort);
      };
      worker.on("message", message).on("error", failed).on("exit", ended);
      signal.addEventListener("abort", abort, { once: true });
      const ask: UnpackMessage = { kind: "unpack", request, ...(growth === undefined ? {} : { readable: 0 }) };
      worker.postMessage(ask);
      if (growth !== undefined) lent.tell(growth).catch(stop);
    });
  }
}

/** How far a source has grown, and the pieces of it that a worker has been lent and not used yet. */
class Lent {
  readonly #worker: Worker;
  readonly #pieces = new Map<number, Piece>();
  #over = false;

  constructor(worker: Worker) {
    this.#worker = worker;
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

  #say(message: UnpackMessage): void {
    this.#worker.postMessage(message);
  }
}

const reasonOf = (signal: AbortSignal): Error => (signal.reason instanceof Error ? signal.reason : new EngineError("cancelled", "unpacking was cancelled"));
