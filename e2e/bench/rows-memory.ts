import { delay } from "#base/deadline.ts";
import { memoryUse, type MemoryUse } from "./memory.ts";
import { createStarted, removeAll, type Row } from "./row.ts";
import type { Target } from "./target.ts";

/** What an engine has after some seconds in which nobody asked it anything, the same for all. */
const restMs = 8_000;

const startMany = async (target: Target, count: number, from = 0): Promise<void> => {
  for (let i = from; i < from + count; i += 1) await createStarted(target, `mem-${i}`, ["sleep", "600"]);
};

export const memoryRow = (name: string, containers: number, of: (use: MemoryUse) => number, budget?: number): Row => ({
  name: containers === 0 ? name : `${name} with ${containers} containers`,
  unit: "MB",
  rounds: 1,
  ...(budget === undefined ? {} : { budget }),
  setup: (target) => startMany(target, containers),
  async measure(target) {
    await delay(restMs);
    const use = memoryUse(target.socket);
    return use && of(use) / 1_000_000;
  },
  teardown: removeAll,
});

export const memoryAfterRow: Row = memoryRow("memory after the pulls", 0, (use) => use.bytes, 0.8);

/** What each of 20 containers more costs. */
export const memoryPerContainerRow: Row = {
  name: "memory for each container",
  unit: "MB",
  rounds: 1,
  async measure(target) {
    const used = async (): Promise<number | undefined> => {
      await delay(restMs);
      return memoryUse(target.socket)?.bytes;
    };
    await startMany(target, 1);
    const before = await used();
    await startMany(target, 20, 1);
    const after = await used();
    return before === undefined || after === undefined ? undefined : (after - before) / 20 / 1_000_000;
  },
  teardown: removeAll,
};
