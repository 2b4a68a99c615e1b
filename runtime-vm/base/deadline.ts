import { EngineError } from "./errors.ts";

/**
 * Runs `work` under a fresh deadline of `ms` milliseconds. Undo code uses this: the caller's own signal may be
 * what failed, and the undoing must still happen. Rejects with class `unavailable` when the deadline passes first.
 */
export async function withDeadline<T>(ms: number, what: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let timer: unknown;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = new EngineError("unavailable", `${what} did not finish within ${ms} ms`);
      reject(error);
      controller.abort(error);
    }, ms);
  });
  try {
    return await Promise.race([work(controller.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves after `ms` milliseconds; rejects at once with the signal's reason when it is aborted. */
export async function delay(ms: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(done, ms);
    function done(): void {
      signal?.removeEventListener("abort", cancelled);
      resolve();
    }
    function cancelled(): void {
      clearTimeout(timer);
      reject(signal?.reason instanceof Error ? signal.reason : new EngineError("cancelled", "cancelled"));
    }
    signal?.addEventListener("abort", cancelled, { once: true });
  });
}
