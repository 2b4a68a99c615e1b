import type { EventMessage } from "#api/events.ts";
import { delay } from "#base/deadline.ts";
import type { Engine } from "./engine/engine.ts";
import { staleKeys } from "./events.ts";
import type { Key } from "./keys.ts";
import { visibility } from "./visibility.ts";

/** Events that come together are answered by one reading: a `compose up` fires dozens within a moment. */
const batchMs = 60;
const retryMsFirst = 300;
const retryMsMax = 5_000;

export interface FollowOptions {
  /** Marks answers as stale. `"all"`: events may have been missed, ask for everything again. */
  readonly stale: (keys: readonly Key[] | "all") => void;
  readonly seen?: (event: EventMessage) => void;
  readonly signal: AbortSignal;
}

/**
 * Follows the engine's events until `signal`, reconnecting with growing pauses. After each (re)connection everything
 * is stale once, since nobody knows what happened in between. A hidden window is told what is stale when it is seen again.
 */
export async function followEvents(engine: Pick<Engine, "events">, { stale, seen, signal }: FollowOptions): Promise<void> {
  let pause = retryMsFirst;
  const batch = createBatch(stale, signal);
  while (!signal.aborted) {
    try {
      const opened = (): void => {
        pause = retryMsFirst;
        stale("all");
      };
      for await (const event of engine.events(signal, opened)) {
        seen?.(event);
        batch(staleKeys(event));
      }
    } catch {
      // The engine being away is shown by the machine's state; here it only means: try again.
    }
    if (signal.aborted) return;
    await delay(pause, signal).catch(() => undefined);
    pause = Math.min(pause * 2, retryMsMax);
  }
}

function createBatch(stale: FollowOptions["stale"], signal: AbortSignal): (keys: readonly Key[]) => void {
  const waiting = new Map<string, Key>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tellSoon = (): void => {
    if (waiting.size === 0 || timer !== undefined || !visibility.getState().seen) return;
    timer = setTimeout(() => {
      timer = undefined;
      if (!visibility.getState().seen) return;
      const due = [...waiting.values()];
      waiting.clear();
      stale(due);
    }, batchMs);
  };
  signal.addEventListener("abort", visibility.subscribe(tellSoon));
  return (keys) => {
    for (const key of keys) waiting.set(JSON.stringify(key), key);
    tellSoon();
  };
}
