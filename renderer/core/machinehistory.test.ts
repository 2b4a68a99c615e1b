import { expect, test } from "vitest";
import { createStore } from "zustand/vanilla";
import type { MachineStatus } from "#api/machine.ts";
import type { MachineView } from "./machine.ts";
import { createMachineHistory } from "./machinehistory.ts";

const status = (phase: MachineStatus["phase"], usage?: MachineStatus["usage"]): MachineStatus => ({
  phase,
  driver: "qemu",
  accelerator: "kvm",
  steps: [],
  notices: [],
  restarts: 0,
  logTail: [],
  ...(usage === undefined ? {} : { usage }),
});

test("each new reading of a running machine is kept once, an hour of them", () => {
  const machine = createStore<MachineView>(() => ({ status: undefined, connected: true, everRunning: true, runningSince: 1 }));
  let now = 0;
  const history = createMachineHistory(machine, () => (now += 1));
  const read = (memoryBytes: number, phase: MachineStatus["phase"] = "running"): void =>
    machine.setState({ status: status(phase, { cpuPercent: 5, memoryBytes, memoryTotalBytes: 100 }) });
  read(1);
  read(1);
  read(2);
  read(3, "stopping");
  machine.setState({ status: status("running") });
  expect(history.getState().map(({ at, memory, disk }) => [at, memory, disk])).toEqual([
    [1, 1, null],
    [2, 2, null],
  ]);
  for (let i = 0; i < 800; i += 1) read(10 + i);
  expect(history.getState()).toHaveLength(720);
  expect(history.getState().at(-1)?.memory).toBe(809);
});
