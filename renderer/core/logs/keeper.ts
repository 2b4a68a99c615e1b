import type { Engine } from "#renderer/core/engine/engine.ts";
import { containerLog, type LogSession, type LogWorker, openLogs } from "./session.ts";

/** What logs that nobody looks at may hold together, and how many they may be. */
export const keptLimits = { bytesMax: 192 * 1024 * 1024, sessionsMax: 6 } as const;

/**
 * The open logs. One stays open when its page is left, and goes on reading, so that coming back shows it at once with
 * what was written meanwhile; the one left longest goes first when too much is kept.
 */
export interface LogKeeper {
  /** The container's log, new or kept; disposing the loan leaves it with the keeper. */
  borrow(container: string): LogLoan;
  /** The container is gone: its log goes as soon as nobody looks at it. */
  forget(container: string): void;
}
export interface LogLoan extends Disposable {
  readonly session: LogSession;
}

interface Kept {
  readonly session: LogSession;
  readers: number;
  gone: boolean;
}

export function createLogKeeper(
  engine: Pick<Engine, "containers">,
  startWorker: () => LogWorker,
  limits: { bytesMax: number; sessionsMax: number } = keptLimits,
): LogKeeper {
  /** In the order in which they were left; a log in use is at the end. */
  const logs = new Map<string, Kept>();

  const drop = (container: string, kept: Kept): void => {
    logs.delete(container);
    kept.session[Symbol.dispose]();
  };
  function trim(): void {
    const idle = [...logs].filter(([, { readers }]) => readers === 0);
    let bytes = idle.reduce((sum, [, { session }]) => sum + session.view.getState().totals.bytes, 0);
    let left = idle.length;
    for (const [container, kept] of idle) {
      if (bytes <= limits.bytesMax && left <= limits.sessionsMax) return;
      bytes -= kept.session.view.getState().totals.bytes;
      left -= 1;
      drop(container, kept);
    }
  }
  function leave(container: string, kept: Kept): void {
    kept.readers -= 1;
    if (kept.readers > 0) return;
    if (kept.gone) return drop(container, kept);
    logs.delete(container);
    logs.set(container, kept);
    trim();
  }

  return {
    borrow(container) {
      let kept = logs.get(container);
      if (kept === undefined) {
        const session = openLogs(containerLog(engine, container), startWorker());
        kept = { session, readers: 0, gone: false };
        logs.set(container, kept);
        // A log that is read on while nobody looks grows; what it drives out is what was left before it.
        session.view.subscribe(({ totals }, before) => {
          if (totals.bytes > before.totals.bytes) trim();
        });
      }
      kept.readers += 1;
      const lent = kept;
      let held = true;
      return {
        session: lent.session,
        [Symbol.dispose]: () => {
          if (held) leave(container, lent);
          held = false;
        },
      };
    },
    forget(container) {
      const kept = logs.get(container);
      if (kept === undefined) return;
      kept.gone = true;
      if (kept.readers === 0) drop(container, kept);
    },
  };
}
