import { createStore, type StoreApi } from "zustand/vanilla";
import { EngineError } from "#base/errors.ts";
import type { BridgeStream } from "#bridge/bridge.ts";
import type { Engine } from "#renderer/core/engine/engine.ts";
import { whenSeen } from "#renderer/core/visibility.ts";
import type { FromLogs, LogAnswers, LogAsk, LogFormat, LogPort, LogState, ToLogs } from "./server.ts";
import type { LogTotals } from "./store.ts";

/** Lines read back when a log is opened. */
const tailLines = 1_000_000;

/** Opens a stream: all of it, or what is newer than the stamp of the newest line that is here. */
export type LogSource = (lastStamp: string, signal: AbortSignal) => Promise<Pick<BridgeStream, "bytes">>;

/** One container's log. */
export const containerLog =
  (engine: Pick<Engine, "containers">, id: string): LogSource =>
  (lastStamp, signal) =>
    // Docker's `since` includes the stamp itself: one nanosecond later is the next line.
    engine.containers.logs(id, lastStamp === "" ? { tail: tailLines } : { since: afterStamp(lastStamp) }, signal);

export interface LogView extends Omit<LogState, "failure"> {
  readonly phase: { readonly kind: "opening" | "following" | "ended" } | { readonly kind: "failed"; readonly error: unknown };
}

/** A log: the stream feeds the worker, the view asks it for the rows it shows. */
export interface LogSession extends Disposable {
  readonly view: StoreApi<LogView>;
  /** (Re)opens the stream when none is open: from the start, or after the last line already here. */
  follow(format: LogFormat): void;
  wrap(columns: number): void;
  search(query: string): void;
  clear(): void;
  ask<A extends LogAsk["type"]>(ask: Extract<LogAsk, { type: A }>): Promise<LogAnswers[A]>;
}

/** Pieces that the worker may still have before it: enough to keep it busy, few enough to hold the stream back. */
const outstandingMax = 4;

const nothing: LogTotals = { lines: 0, rows: 0, droppedLines: 0, droppedRows: 0, matches: 0, bytes: 0 };

export interface LogWorker extends LogPort<ToLogs, FromLogs> {
  close(): void;
}

export function startLogWorker(): LogWorker {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  return {
    post: (message) => worker.postMessage(message, message.type === "bytes" ? [message.bytes.buffer as ArrayBuffer] : []),
    listen: (take) => worker.addEventListener("message", (event: MessageEvent<FromLogs>) => take(event.data)),
    close: () => worker.terminate(),
  };
}

export function openLogs(source: LogSource, worker: LogWorker): LogSession {
  const view = createStore<LogView>(() => ({ totals: nothing, query: "", names: [], phase: { kind: "opening" } }));
  const stop = new AbortController();
  const asked = new Map<number, (value: unknown) => void>();
  let lastAsk = 0;
  let lastStamp = "";
  let outstanding = 0;
  let taken: (() => void) | undefined;
  let streaming = false;

  worker.listen((message) => {
    switch (message.type) {
      case "taken":
        outstanding -= 1;
        taken?.();
        return;
      case "state":
        lastStamp = message.lastStamp;
        view.setState({ totals: message.totals, query: message.query, names: message.names });
        if (message.failure !== undefined) view.setState({ phase: { kind: "failed", error: new EngineError("internal", message.failure) } });
        return;
      case "answer":
        asked.get(message.id)?.(message.value);
        asked.delete(message.id);
    }
  });

  async function stream(format: LogFormat): Promise<void> {
    const logs = await source(lastStamp, stop.signal);
    worker.post({ type: "open", format });
    view.setState({ phase: { kind: "following" } });
    for await (const bytes of logs.bytes) {
      outstanding += 1;
      worker.post({ type: "bytes", bytes: ownBuffer(bytes) });
      while (outstanding >= outstandingMax) await new Promise<void>((resolve) => (taken = resolve));
      // Bytes that nobody takes hold the stream back: the engine keeps them in its file until the window is seen again.
      await whenSeen(stop.signal);
    }
    worker.post({ type: "end" });
  }

  return {
    view,
    follow(format) {
      if (streaming || stop.signal.aborted) return;
      streaming = true;
      stream(format)
        .then(
          () => view.setState({ phase: { kind: "ended" } }),
          (error: unknown) => view.setState({ phase: { kind: "failed", error } }),
        )
        .finally(() => (streaming = false));
    },
    wrap: (columns) => worker.post({ type: "wrap", columns }),
    search: (query) => worker.post({ type: "search", query }),
    clear: () => worker.post({ type: "clear" }),
    ask<A extends LogAsk["type"]>(ask: Extract<LogAsk, { type: A }>) {
      const askId = (lastAsk += 1);
      const answer = new Promise<LogAnswers[A]>((resolve) => asked.set(askId, (value) => resolve(value as LogAnswers[A])));
      worker.post({ ...ask, id: askId });
      return answer;
    },
    [Symbol.dispose]() {
      stop.abort(new EngineError("cancelled", "the log view was closed"));
      worker.close();
    },
  };
}

/** A piece of a larger buffer must be copied: giving it to the worker would take its neighbours along. */
const ownBuffer = (bytes: Uint8Array): Uint8Array => (bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice());

/** `2026-01-02T03:04:05.000000006Z` -> `1767323045.000000007` */
export function afterStamp(stamp: string): string {
  const [seconds = "", fraction = ""] = stamp.replace(/Z$/, "").split(".");
  const nanos = Number(fraction.padEnd(9, "0").slice(0, 9)) + 1;
  const epoch = Date.parse(`${seconds}Z`) / 1000 + Math.floor(nanos / 1e9);
  return `${epoch}.${String(nanos % 1e9).padStart(9, "0")}`;
}
