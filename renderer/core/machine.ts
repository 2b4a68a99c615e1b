import { createStore, type StoreApi } from "zustand/vanilla";
import type { MachineStatus } from "#api/machine.ts";
import type { Bridge } from "#bridge/bridge.ts";

export interface MachineView {
  /** Absent until the host core has answered once. */
  readonly status: MachineStatus | undefined;
  /** The host core itself can be reached. */
  readonly connected: boolean;
  /** The engine has answered at least once since the window opened: from then on the lists stay visible. */
  readonly everRunning: boolean;
  /** Since when it answers, in epoch milliseconds, as far as this window knows. */
  readonly runningSince: number | undefined;
}

/** The state of the machine as the host core tells it, kept for the whole window. */
export function createMachineStore(bridge: Bridge): StoreApi<MachineView> {
  const store = createStore<MachineView>(() => ({ status: undefined, connected: bridge.connected, everRunning: false, runningSince: undefined }));
  const take = (status: MachineStatus): void =>
    store.setState(({ everRunning, runningSince }) => {
      const running = status.phase === "running";
      return { status, everRunning: everRunning || running, runningSince: running ? (runningSince ?? answeredAt(status)) : undefined };
    });
  const ask = (): void => {
    bridge.call("machine.status").then(take, () => undefined); // a lost connection shows as `connected: false`
  };
  bridge.on("machine", take);
  bridge.onConnected((connected) => {
    store.setState({ connected });
    if (connected) ask();
  });
  ask();
  return store;
}

/** Whether it answers, and is Slipway's own, which has more than Docker's API. */
export const ownEngineUp = (view: MachineView): boolean => engineUp(view) && view.status?.foreign !== true;

export const engineUp = (view: MachineView): boolean => view.connected && view.status?.phase === "running";

/** When the last boot step was done; a machine that somebody else runs has none with a time. */
function answeredAt({ steps }: MachineStatus): number {
  const ends = steps.map(({ startedAt, tookMs }) => (startedAt === undefined ? 0 : startedAt + (tookMs ?? 0)));
  return Math.max(0, ...ends) || Date.now();
}
