import { createStore, type StoreApi } from "zustand/vanilla";
import type { BuildOptions, BuildSource, BuildUpdate } from "#api/builds.ts";
import { EngineError } from "#base/errors.ts";
import { type StepView, withUpdates } from "./builds.ts";
import type { Engine } from "./engine/engine.ts";
import { EngineFailure } from "./engine/request.ts";

/** A build that this window has begun. It belongs to the window, not to the page that began it. */
export interface BuildRun {
  readonly id: number;
  /** "" until the engine has the folder. */
  readonly ref: string;
  readonly options: BuildOptions;
  readonly startedAt: number;
  readonly steps: readonly StepView[];
  readonly state:
    | { readonly kind: "sending" }
    | { readonly kind: "running" }
    | { readonly kind: "done"; readonly image: string }
    | { readonly kind: "failed"; readonly error: unknown; readonly source?: BuildSource }
    | { readonly kind: "cancelled" };
}

export interface BuildRuns {
  readonly store: StoreApi<{ readonly list: readonly BuildRun[] }>;
  /** `begun` resolves to the ref once the engine has the folder, and rejects when it comes to nothing before. */
  start(options: BuildOptions): { readonly id: number; readonly begun: Promise<string> };
  cancel(id: number): void;
}

const keptMax = 10;
/** News are drawn this often, however much a step says. */
const drawMs = 100;

export function createBuildRuns(engine: Pick<Engine, "builds">): BuildRuns {
  const store = createStore<{ readonly list: readonly BuildRun[] }>(() => ({ list: [] }));
  const stops = new Map<number, AbortController>();
  let lastId = 0;
  const update = (id: number, change: (run: BuildRun) => Partial<BuildRun>): void =>
    store.setState(({ list }) => ({ list: list.map((run) => (run.id === id ? { ...run, ...change(run) } : run)) }));

  async function follow(id: number, options: BuildOptions, signal: AbortSignal, begun: (ref: string) => void): Promise<void> {
    let news: BuildUpdate[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const draw = (): void => {
      clearTimeout(timer);
      timer = undefined;
      const taken = news;
      news = [];
      update(id, ({ steps }) => ({ steps: withUpdates(steps, taken) }));
    };
    try {
      for await (const message of engine.builds.start(options, signal)) {
        if ("ref" in message) {
          update(id, () => ({ ref: message.ref, state: { kind: "running" } }));
          begun(message.ref);
        } else if ("update" in message) {
          news.push(message.update);
          timer ??= setTimeout(draw, drawMs);
        } else {
          draw();
          if ("image" in message) return update(id, () => ({ state: { kind: "done", image: message.image } }));
          if (message.cancelled) throw new EngineError("cancelled", message.error);
          const error = new EngineFailure(500, "POST /slipway/builds", message.error);
          return update(id, () => ({ state: { kind: "failed", error, ...(message.source === undefined ? {} : { source: message.source }) } }));
        }
      }
      signal.throwIfAborted();
      throw new EngineError("unavailable", "the engine went away before the build was over");
    } finally {
      clearTimeout(timer);
      if (news.length > 0) draw();
    }
  }

  return {
    store,
    start(options) {
      const id = (lastId += 1);
      const stop = new AbortController();
      stops.set(id, stop);
      const run: BuildRun = { id, ref: "", options, startedAt: Date.now(), steps: [], state: { kind: "sending" } };
      store.setState(({ list }) => ({ list: [run, ...list].slice(0, keptMax + stops.size) }));
      const begun = Promise.withResolvers<string>();
      void follow(id, options, stop.signal, begun.resolve)
        .catch((error: unknown) => {
          update(id, () => ({ state: stop.signal.aborted ? { kind: "cancelled" } : { kind: "failed", error } }));
          begun.reject(stop.signal.aborted ? new EngineError("cancelled", "the build was cancelled") : error);
        })
        .finally(() => stops.delete(id));
      begun.promise.catch(() => undefined); // the store tells; whoever wants to wait for it may
      return { id, begun: begun.promise };
    },
    cancel: (id) => stops.get(id)?.abort(new EngineError("cancelled", "cancelled")),
  };
}
