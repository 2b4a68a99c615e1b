import { delay } from "#base/deadline.ts";
import { createStore, type StoreApi } from "zustand/vanilla";
import type { Engine } from "./engine/engine.ts";
import { isClass } from "#base/errors.ts";
import { pointOf, type StatsPoint } from "./stats.ts";
import { onUnseen, whenSeen } from "./visibility.ts";

/** Ten minutes of one-second points a container. */
const pointsMax = 600;
/** A row that scrolls out and back in keeps its stream for this long. */
const lingerMs = 4_000;
/** A row that only flies by while the list is scrolled opens nothing. */
const settleMs = 250;
const retryMs = 2_000;

export type StatsHistory = readonly StatsPoint[];
const none: StatsHistory = [];

/**
 * Live figures of containers. A container is read from the engine while somebody watches it, one stream however many
 * watch; its history stays until `forget`, so that the chart is not empty when its tab opens. While the window is hidden
 * nothing is read.
 */
export interface StatsStore {
  readonly history: StoreApi<{ readonly byId: ReadonlyMap<string, StatsHistory> }>;
  watch(id: string): Disposable;
  forget(id: string): void;
}

interface Watch {
  watchers: number;
  readonly stop: AbortController;
  timer: ReturnType<typeof setTimeout> | undefined;
  reading: boolean;
}

export function createStatsStore(engine: Pick<Engine, "containers">, machineMemory: () => number): StatsStore {
  const history = createStore<{ readonly byId: ReadonlyMap<string, StatsHistory> }>(() => ({ byId: new Map() }));
  const watches = new Map<string, Watch>();

  const add = (id: string, point: StatsPoint): void =>
    history.setState(({ byId }) => {
      const before = byId.get(id) ?? none;
      return { byId: new Map(byId).set(id, [...before.slice(Math.max(0, before.length - pointsMax + 1)), point]) };
    });

  async function read(id: string, signal: AbortSignal): Promise<void> {
    for (;;) {
      await whenSeen(signal);
      if (signal.aborted) return;
      const hidden = new AbortController();
      using _unseen = onUnseen(() => hidden.abort());
      try {
        for await (const stats of engine.containers.stats(id, AbortSignal.any([signal, hidden.signal]))) {
          // A container that is not running answers zeroes with the zero time.
          if (Date.parse(stats.read) > 0) add(id, pointOf(stats, machineMemory()));
        }
      } catch (error) {
        if (isClass(error, "notFound")) return;
      }
      if (!hidden.signal.aborted) await delay(retryMs, signal).catch(() => undefined);
    }
  }

  function open(id: string): Watch {
    const watch: Watch = { watchers: 0, stop: new AbortController(), timer: undefined, reading: false };
    watches.set(id, watch);
    return watch;
  }

  function begin(id: string, watch: Watch): void {
    watch.reading = true;
    void read(id, watch.stop.signal);
  }

  function release(id: string, watch: Watch): void {
    watch.watchers -= 1;
    if (watch.watchers > 0) return;
    clearTimeout(watch.timer);
    watch.timer = setTimeout(() => {
      watch.stop.abort();
      if (watches.get(id) === watch) watches.delete(id);
    }, lingerMs);
  }

  return {
    history,
    watch(id) {
      const watch = watches.get(id) ?? open(id);
      clearTimeout(watch.timer);
      watch.watchers += 1;
      if (!watch.reading) watch.timer = setTimeout(() => begin(id, watch), settleMs);
      let held = true;
      return {
        [Symbol.dispose]: () => {
          if (held) release(id, watch);
          held = false;
        },
      };
    },
    forget: (id) =>
      history.setState(({ byId }) => {
        const next = new Map(byId);
        next.delete(id);
        return { byId: next };
      }),
  };
}

export const historyOf = (state: { readonly byId: ReadonlyMap<string, StatsHistory> }, id: string): StatsHistory => state.byId.get(id) ?? none;
