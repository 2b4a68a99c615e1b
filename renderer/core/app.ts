import { createStore } from "zustand/vanilla";
import { QueryClient } from "@tanstack/react-query";
import type { Bridge } from "#bridge/bridge.ts";
import { createActivity } from "./activity.ts";
import { createActs } from "./acts.ts";
import { createBuildRuns } from "./buildruns.ts";
import { createComposeRuns } from "./composeruns.ts";
import { createEngine, type EngineInfo } from "./engine/engine.ts";
import { followEvents } from "./follow.ts";
import { keys } from "./keys.ts";
import { createLogFinder } from "./logs/found.ts";
import { createLogKeeper } from "./logs/keeper.ts";
import { createLiveLogs } from "./logs/live.ts";
import { startLogWorker } from "./logs/session.ts";
import { createMachineStore } from "./machine.ts";
import { createMachineHistory } from "./machinehistory.ts";
import { bridgeTo, dockerTo, type ShownEngine, showEngine } from "./shownengine.ts";
import { createSelection } from "./selection.ts";
import { createStatsStore } from "./statsstore.ts";
import { createTransfers } from "./transfers.ts";

/** Everything the window holds, made once from the bridge. Nothing in it is a state the engine lacks. */
export type App = ReturnType<typeof createApp>;

export interface AppOptions {
  /** Another engine than that of this computer's machine. */
  readonly shown?: ShownEngine | undefined;
  readonly show?: (engine: ShownEngine | undefined) => void;
}

export function createApp(given: Bridge, { shown, show = showEngine }: AppOptions = {}) {
  const activity = createActivity(shown === undefined ? given : bridgeTo(given, shown), dockerTo(shown));
  const { bridge } = activity;
  const engine = createEngine(bridge);
  // Answers stay fresh until an event says otherwise: no polling, no reading again on focus.
  const queries = new QueryClient({
    defaultOptions: { queries: { staleTime: Number.POSITIVE_INFINITY, gcTime: Number.POSITIVE_INFINITY, refetchOnWindowFocus: false, retry: 1 } },
  });
  const machineMemory = (): number => queries.getQueryData<EngineInfo>(keys.info)?.MemTotal ?? 0;
  const machine = createMachineStore(bridge);
  return {
    bridge,
    shown,
    show,
    activity,
    engine,
    queries,
    machine,
    machineHistory: createMachineHistory(machine),
    acts: createActs(),
    stats: createStatsStore(engine, machineMemory),
    logs: createLogKeeper(engine, startLogWorker),
    logFinder: createLogFinder(engine),
    liveLogs: createLiveLogs(engine, startLogWorker),
    transfers: createTransfers(engine),
    builds: createBuildRuns(engine),
    composeRuns: createComposeRuns(engine),
    /** The engine that is to be shown once it is said that what is under way may end; null: this computer's. */
    switching: createStore<{ readonly to: ShownEngine | null | undefined }>(() => ({ to: undefined })),
    selections: {
      containers: createSelection(),
      images: createSelection(),
      builds: createSelection(),
      volumes: createSelection(),
      networks: createSelection(),
      compose: createSelection(),
      trash: createSelection(),
    },
  };
}

/** Starts what runs as long as the window does: events make answers stale. */
export function startApp(app: App, signal: AbortSignal): void {
  app.bridge.on("settings", (settings) => {
    app.queries.setQueryData(keys.settings, settings);
    void app.queries.invalidateQueries({ queryKey: keys.engines });
  });
  void followEvents(app.engine, {
    signal,
    stale: (stale) => {
      if (stale === "all") void app.queries.invalidateQueries();
      else for (const queryKey of stale) void app.queries.invalidateQueries({ queryKey });
    },
    seen: ({ Type, Action, Actor }) => {
      if (Type !== "container" || Action !== "destroy") return;
      app.stats.forget(Actor.ID);
      app.logs.forget(Actor.ID);
    },
  });
}
