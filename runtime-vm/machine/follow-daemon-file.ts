import { EngineError, messageOf } from "#base/errors.ts";
import { type DaemonFilePlace, noticePrefix, watchDaemonFile } from "#machine/daemon-file.ts";
import type { StatusBoard } from "#machine/status.ts";

export interface Following {
  readonly place: DaemonFilePlace;
  readonly board: StatusBoard;
  /** Gives the engine that runs now the file as it is now; resolves with what is to be said of it, and rejects when the engine goes on as before. */
  readonly takeOver: () => Promise<readonly string[]>;
}

/** While the machine is on, a daemon.json that changes is handed to its engine, and what comes of it is among the notices. */
export function followDaemonFile(following: Following): Disposable {
  const over = new AbortController();
  let last = Promise.resolve();
  const watching = watchDaemonFile(following.place, () => (last = last.then(() => changed(following, over.signal))));
  return {
    [Symbol.dispose]: () => {
      watching[Symbol.dispose]();
      over.abort(new EngineError("cancelled", "the machine is being stopped"));
    },
  };
}

async function changed({ board, takeOver }: Following, signal: AbortSignal): Promise<void> {
  let said: readonly string[];
  try {
    await untilRunning(board, signal);
    said = await takeOver();
  } catch (error) {
    if (signal.aborted) return;
    said = [`${noticePrefix}the engine goes on as before: ${messageOf(error)}`];
  }
  const others = board.current.notices.filter((notice) => !notice.startsWith(noticePrefix));
  board.set({ notices: [...others, ...said] });
}

/** A boot reads the file early on: a change that comes while it goes on is handed over after it. */
async function untilRunning(board: StatusBoard, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const look = (): void => {
    if (signal.aborted) reject(signal.reason as Error);
    else if (board.current.phase === "running") resolve();
  };
  using _listening = board.on(look);
  signal.addEventListener("abort", look, { once: true });
  look();
  await promise;
}
