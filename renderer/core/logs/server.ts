import { LogIntake } from "./intake.ts";
import { MergedIntake } from "./merged.ts";
import { type LogLimits, type LogRow, LogStore, type LogTotals, logLimits } from "./store.ts";

/** What the bytes of a stream are: a container's log in frames or, with a TTY, without, or what a search through several finds. */
export type LogFormat = "frames" | "tty" | "found";

/** Between the window and the worker that holds a log. */
export type ToLogs =
  | { readonly type: "open"; readonly format: LogFormat }
  | { readonly type: "bytes"; readonly bytes: Uint8Array }
  | { readonly type: "end" }
  | { readonly type: "wrap"; readonly columns: number }
  | { readonly type: "search"; readonly query: string }
  | { readonly type: "clear" }
  | ({ readonly id: number } & LogAsk);

export type LogAsk =
  | { readonly type: "rows"; readonly from: number; readonly count: number }
  | { readonly type: "match"; readonly line: number; readonly direction: 1 | -1 }
  | { readonly type: "text"; readonly bytesMax: number };

export interface LogAnswers {
  rows: { readonly rows: readonly LogRow[]; readonly totals: LogTotals };
  match: { readonly line: number; readonly row: number; readonly index: number } | undefined;
  text: string;
}

export interface LogState {
  readonly totals: LogTotals;
  /** The query that `totals.matches` counts. */
  readonly query: string;
  /** Of a log that merges several: the containers' names, by their numbers. */
  readonly names: readonly string[];
  /** Why the engine broke off, in its words. */
  readonly failure: string | undefined;
}

export type FromLogs =
  /** One for each `bytes`: the next may be sent. */
  | { readonly type: "taken" }
  | ({ readonly type: "state"; readonly lastStamp: string } & LogState)
  | { readonly type: "answer"; readonly id: number; readonly value: unknown };

export type LogPort<Out, In> = { post(message: Out): void; listen(take: (message: In) => void): void };

/** New lines are announced this often at most; in a flood, of which nobody reads a line, drawing them costs more than taking them in. */
const announceMs = { usual: 50, flood: 250 } as const;
/** More new lines than this at once are a flood. */
const floodLines = 2_000;

/** Serves one log to one view. */
export function serveLogs(port: LogPort<FromLogs, ToLogs>, limits: LogLimits = logLimits): void {
  const store = new LogStore(limits);
  const merged = new MergedIntake(store);
  let intake: LogIntake | MergedIntake = new LogIntake(false, store);
  let query = "";
  let timer: ReturnType<typeof setTimeout> | undefined;
  let toldLines = 0;
  let pauseMs: number = announceMs.usual;

  const tell = (): void => {
    timer = undefined;
    const { names, failure } = merged;
    const { totals } = store;
    const lines = totals.lines + totals.droppedLines;
    pauseMs = lines - toldLines > floodLines ? announceMs.flood : announceMs.usual;
    toldLines = lines;
    port.post({ type: "state", totals, lastStamp: intake.lastStamp, query, names, failure });
  };
  const tellNow = (): void => {
    clearTimeout(timer);
    tell();
  };
  const tellSoon = (): void => {
    timer ??= setTimeout(tell, pauseMs);
  };

  port.listen((message) => {
    switch (message.type) {
      case "open":
        if (message.format === "found") merged.reopen();
        intake = message.format === "found" ? merged : new LogIntake(message.format === "tty", store, intake.lastStamp);
        return;
      case "bytes":
        intake.push(message.bytes);
        port.post({ type: "taken" });
        return tellSoon();
      case "end":
        intake.end();
        return tellNow();
      case "wrap":
        store.wrap(message.columns);
        return tellNow();
      case "search":
        query = message.query;
        store.search(query);
        return tellNow();
      case "clear":
        store.clear();
        return tellNow();
      case "rows":
        return port.post({ type: "answer", id: message.id, value: { rows: store.rows(message.from, message.count), totals: store.totals } });
      case "match":
        return port.post({ type: "answer", id: message.id, value: store.match(message.line, message.direction) });
      case "text":
        return port.post({ type: "answer", id: message.id, value: store.text(message.bytesMax, merged.names) });
    }
  });
}
