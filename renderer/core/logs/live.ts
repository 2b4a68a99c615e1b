import { createStore, type StoreApi } from "zustand/vanilla";
import type { Engine } from "#renderer/core/engine/engine.ts";
import { type LogQuestion, queryOf } from "./found.ts";
import { type LogSession, type LogSource, type LogWorker, openLogs } from "./session.ts";

/** Lines of several containers may arrive a little out of order: after a break this much is asked for once more, and not shown twice. */
const overlapSeconds = 5;

export interface LiveLogs {
  /** Undefined: nothing is followed. */
  readonly store: StoreApi<{ readonly question?: LogQuestion; readonly session?: LogSession }>;
  /** Shows what the question finds, in the order of time, and goes on with what is written; ends what was followed before. */
  start(question: LogQuestion): void;
  stop(): void;
}

/** One merged log at a time. It reads on while its page is left. */
export function createLiveLogs(engine: Pick<Engine, "followLogs">, startWorker: () => LogWorker): LiveLogs {
  const store: LiveLogs["store"] = createStore(() => ({}));
  const stop = (): void => {
    store.getState().session?.[Symbol.dispose]();
    store.setState({}, true);
  };
  return {
    store,
    start(question) {
      stop();
      const session = openLogs(mergedLog(engine, question), startWorker());
      store.setState({ question, session });
      session.follow("found");
    },
    stop,
  };
}

function mergedLog(engine: Pick<Engine, "followLogs">, question: LogQuestion): LogSource {
  return (lastStamp, signal) => {
    const since = lastStamp === "" ? {} : { since: Math.floor(Date.parse(lastStamp) / 1_000) - overlapSeconds };
    return engine.followLogs({ ...queryOf(question), ...since }, signal);
  };
}
