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
}

/** The state of the machine as the host core tells it, kept for the whole window. */
export function createMachineStore(bridge: Bridge): StoreApi<MachineView> {
  const store = createStore<MachineView>(() => ({ status: undefined, connected: bridge.connected, everRunning: false }));
  const take = (status: MachineStatus): void => store.setState(({ everRunning }) => ({ status, everRunning: everRunning || status.phase === "running" }));
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

export const engineUp = (view: MachineView): boolean => view.connected && view.status?.phase === "running";
