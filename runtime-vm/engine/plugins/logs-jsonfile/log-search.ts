import { Worker } from "node:worker_threads";
import type { LogSearchLine } from "#api/log-search.ts";
import { EngineError } from "#base/errors.ts";
import type { LogSearch } from "#core/logs/memory.ts";
import type { SearchJob, SearchReply, SearchSource, SearchSums } from "./log-search.worker.ts";
import { matcherOf } from "./search-matcher.ts";

/** As for every worker: a source tree runs the .ts as it is, the engine's bundle has it as an entry of the same name. */
const workerUrl = (): URL => new URL(import.meta.url.endsWith(".ts") ? "./log-search.worker.ts" : "./log-search.worker.mjs", import.meta.url);

/** Each has a thread of its own, and who follows keeps it. */
const searchesMax = 8;
const heapMbMax = 512;
/** A block takes a millisecond. A regular expression that tries every way through a line may take years, and is stopped. */
const stepMsMax = 5_000;
/** How often that is looked at, and how often there may be more to follow. */
const roundMs = 250;

/** The main thread's end of searches. */
export class LogSearches {
  #running = 0;

  /** Refuses what is wrong at once; the search begins with the first read. `sources(round)`: all at first, then what may have grown. */
  run(search: LogSearch, sources: (round: number) => readonly SearchSource[]): AsyncGenerator<Buffer> {
    matcherOf(search);
    if (this.#running >= searchesMax) throw new EngineError("unavailable", `${searchesMax} log searches run already: end one that follows, or try again`);
    return this.#run(search, sources);
  }

  async *#run(search: LogSearch, sources: (round: number) => readonly SearchSource[]): AsyncGenerator<Buffer> {
    this.#running += 1;
    const thread = new SearchThread(search);
    try {
      let told = -1;
      for (let round = 0; ; round++) {
        const sums = yield* thread.round(sources(round));
        if (!search.follow || sums.truncated) {
          yield line({ End: endOf(sums) });
          return;
        }
        if (sums.hits > told) yield line({ Told: { Hits: sums.hits } });
        told = sums.hits;
        if (await cancelled(search.signal, roundMs)) return;
      }
    } catch (error) {
      if (search.signal.aborted) return;
      if (!(error instanceof EngineError)) throw error;
      yield line({ error: error.message, errorDetail: { message: error.message } });
    } finally {
      this.#running -= 1;
      await thread.end();
    }
  }
}

const line = (value: LogSearchLine): Buffer => Buffer.from(`${JSON.stringify(value)}\n`);

const endOf = ({ hits, containers, bytes, cpuMs, truncated, unreadable }: SearchSums): Extract<LogSearchLine, { End: unknown }>["End"] => ({
  Hits: hits,
  Containers: containers,
  Bytes: bytes,
  CpuMs: cpuMs,
  ...(truncated ? { Truncated: true } : {}),
  ...(unreadable.length === 0 ? {} : { Unreadable: unreadable }),
});

/** True at once when the signal aborts. */
function cancelled(signal: AbortSignal, ms: number): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(true);
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), ms);
  const abort = (): void => resolve(true);
  signal.addEventListener("abort", abort, { once: true });
  return promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  });
}

/** A thread that searches, and is ended when it does not come to an end. */
class SearchThread {
  readonly #worker: Worker;
  readonly #control = new Int32Array(new SharedArrayBuffer(12));
  readonly #signal: AbortSignal;
  readonly #stop: () => void;
  readonly #replies: SearchReply[] = [];
  #failure: Error | undefined;
  #wake: () => void = () => undefined;

  constructor(search: LogSearch) {
    const { text, regex, level, stream, sinceNano, untilNano } = search;
    const job: SearchJob = {
      terms: { ignoreCase: search.ignoreCase, fields: search.fields, ...defined({ text, regex, level }) },
      window: defined({ stream, sinceNano, untilNano }),
      limit: search.limit,
      backwards: !search.oldestFirst && !search.follow,
      follow: search.follow,
      control: this.#control,
    };
    this.#worker = new Worker(workerUrl(), { workerData: job, resourceLimits: { maxOldGenerationSizeMb: heapMbMax } });
    this.#worker.unref();
    this.#worker.on("message", (reply: SearchReply) => {
      this.#replies.push(reply);
      this.#wake();
    });
    this.#worker.on("error", (cause) =>
      this.#fail(new EngineError("internal", `the log search broke off: ${cause instanceof Error ? cause.message : "unknown"}`, { cause })),
    );
    this.#signal = search.signal;
    this.#stop = () => this.#fail(new EngineError("cancelled", "the log search was cancelled"));
    this.#signal.addEventListener("abort", this.#stop, { once: true });
  }

  /** One look at all of `sources`. */
  async *round(sources: readonly SearchSource[]): AsyncGenerator<Buffer, SearchSums> {
    if (this.#signal.aborted) this.#stop();
    this.#worker.postMessage(sources);
    const watch = setInterval(this.#watch(), roundMs);
    try {
      for (;;) {
        const reply = this.#replies.shift();
        if (this.#failure !== undefined) throw this.#failure;
        if (reply === undefined) await new Promise<void>((resolve) => (this.#wake = resolve));
        else if (reply.kind === "done") return reply.sums;
        else {
          yield Buffer.from(reply.bytes.buffer, reply.bytes.byteOffset, reply.bytes.byteLength);
          Atomics.sub(this.#control, 0, reply.bytes.length);
          Atomics.notify(this.#control, 0);
        }
      }
    } finally {
      clearInterval(watch);
    }
  }

  async end(): Promise<void> {
    this.#signal.removeEventListener("abort", this.#stop);
    await this.#worker.terminate();
  }

  #watch(): () => void {
    let steps = -1;
    let since = performance.now();
    return () => {
      const now = Atomics.load(this.#control, 1);
      const waits = Atomics.load(this.#control, 2) === 1;
      if (now !== steps || waits || this.#replies.length > 0) [steps, since] = [now, performance.now()];
      else if (performance.now() - since > stepMsMax)
        this.#fail(
          new EngineError(
            "invalidArgument",
            `the regular expression takes longer than ${stepMsMax / 1_000} s on one piece of a log: it was stopped. Make it simpler, most often a repetition inside of a repetition`,
          ),
        );
    };
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#wake();
  }
}

/** Without what is undefined. */
const defined = <T extends object>(given: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> };
