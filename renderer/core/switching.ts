import type { App } from "./app.ts";
import type { ShownEngine } from "./shownengine.ts";

type Busy = Pick<App, "transfers" | "builds" | "composeRuns">;

/** What this window is doing that ends with the engine it shows: pulls, loads, builds, Compose runs. */
export function underWay({ transfers, builds, composeRuns }: Busy): number {
  const running = [
    ...transfers.store.getState().list.filter(({ state }) => state.kind === "running"),
    ...builds.store.getState().list.filter(({ state }) => state.kind === "sending" || state.kind === "running"),
    ...composeRuns.store.getState().list.filter(({ state }) => state.kind === "running"),
  ];
  return running.length;
}

/** Shows another engine, or this computer's, at once or after a question. */
export function switchTo(app: Busy & Pick<App, "shown" | "show" | "switching">, engine: ShownEngine | undefined): void {
  if (engine?.id === app.shown?.id) return;
  if (underWay(app) === 0) app.show(engine);
  else app.switching.setState({ to: engine ?? null });
}
