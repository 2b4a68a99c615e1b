import { textOf } from "../fixtures/processes.ts";

/** Processor time of a process, of all its threads. `getconf CLK_TCK` is 100 on every Linux there is. */
export function processorMs(pid: string): number {
  const [, ...fields] = textOf(`/proc/${pid}/stat`).split(") ");
  const [user = 0, system = 0] = (fields.at(-1) ?? "").split(" ").slice(11, 13).map(Number);
  return (user + system) * 10;
}
