import { EngineError, messageOf } from "#base/errors.ts";
import type { Configured } from "#link/calls.ts";
import { type DaemonFilePlace, noticePrefix, readDaemonFile, watchDaemonFile } from "#machine/daemon-file.ts";
import type { StatusBoard } from "#machine/status.ts";

export interface Following {
  readonly place: DaemonFilePlace;
  readonly debug: boolean;
  readonly board: StatusBoard;
  /** Hands the file to the engine of the machine that runs now. */
  readonly configure: (text: string) => Promise<Configured>;
}

/** While the machine is on, a daemon.json that changes is handed to its engine, and what comes of it is among the notices. */
export function followDaemonFile(following: Following): Disposable {
  const over = new AbortController();
  let last = Promise.resolve();
  const watching = watchDaemonFile(following.place, () => (last = last.then(() => takeOver(following, over.signal))));
  return {
    [Symbol.dispose]: () => {
      watching[Symbol.dispose]();
      over.abort(new EngineError("cancelled", "the machine is being stopped"));
    },
  };
}

async function takeOver({ place, debug, board, configure }: Following, signal: AbortSignal): Promise<void> {
  let said: readonly string[];
  try {
    await untilRunning(board, signal);
    const { text, notices } = await readDaemonFile(place, { debug });
    const { warnings, waiting } = await configure(text);
    said = [...notices, ...warnings.map(named), ...waiting.map((field) => `${noticePrefix}${field} counts from the next start of the machine on`)];
  } catch (error) {
    if (signal.aborted) return;
    said = [`${noticePrefix}the engine goes on as before: ${messageOf(error)}`];
  }
  const others = board.current.notices.filter((notice) => !notice.startsWith(noticePrefix));
  board.set({ notices: [...others, ...said] });
}

/** The engine names the file it was given, which people never see. */
const named = (warning: string): string => noticePrefix + warning.replace(/^\S*daemon\.json: /, "");

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
