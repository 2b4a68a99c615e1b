/** Bars are sent this often at most, for each layer. */
const barMsMin = 100;

/** At most one call each `barMsMin`. */
export function paced(show: (bytes: number) => void): (bytes: number) => void {
  let last = 0;
  return (bytes) => {
    const now = performance.now();
    if (now - last < barMsMin) return;
    last = now;
    show(bytes);
  };
}

/** Does `work` for each item, `count` side by side. The first failure stops the others, and is reported only when all have stopped. */
export async function atMost<T>(count: number, items: readonly T[], signal: AbortSignal, work: (item: T, signal: AbortSignal) => Promise<void>): Promise<void> {
  const failed = new AbortController();
  const stop = AbortSignal.any([signal, failed.signal]);
  const waiting = [...items];
  const worker = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined && !stop.aborted; item = waiting.shift()) {
      try {
        await work(item, stop);
      } catch (error) {
        failed.abort(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, count) }, worker));
  signal.throwIfAborted();
  if (failed.signal.aborted) throw failed.signal.reason;
}
