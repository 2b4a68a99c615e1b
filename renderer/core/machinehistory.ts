import { createStore, type StoreApi } from "zustand/vanilla";
import type { MachineView } from "./machine.ts";

/** One reading of the whole machine. */
export interface MachinePoint {
  /** Epoch milliseconds. */
  readonly at: number;
  /** 100 = all its CPUs. Null: not known yet. */
  readonly cpu: number | null;
  readonly memory: number;
  readonly memoryTotal: number;
  /** What the data disk takes of this computer, in bytes. */
  readonly disk: number | null;
}

/** An hour of readings, which come every five seconds. */
const pointsMax = 720;

/** Keeps the machine's figures as they come, so that a page that opens has something to show. */
export function createMachineHistory(machine: StoreApi<MachineView>, now: () => number = Date.now): StoreApi<readonly MachinePoint[]> {
  const store = createStore<readonly MachinePoint[]>(() => []);
  machine.subscribe(({ status }, before) => {
    const usage = status?.usage;
    if (usage === undefined || usage === before.status?.usage || status?.phase !== "running") return;
    const { cpuPercent, memoryBytes, memoryTotalBytes, diskBytes } = usage;
    const last = store.getState().at(-1);
    // A status comes whole at every change; its figures are new only when they differ.
    if (last?.memory === memoryBytes && last.cpu === (cpuPercent ?? null)) return;
    const point = { at: now(), cpu: cpuPercent ?? null, memory: memoryBytes, memoryTotal: memoryTotalBytes, disk: diskBytes ?? null };
    store.setState([...store.getState().slice(1 - pointsMax), point], true);
  });
  return store;
}
