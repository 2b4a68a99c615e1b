/** Answer of `GET /slipway/pressure` (the machine) and `GET /slipway/containers/{id}/pressure`: the last 24 hours at falling resolution. */
export interface Pressure {
  /** Absent: the machine. */
  readonly Id?: string;
  readonly Name?: string;
  /** Which of the values there are here, in the order of each point's. A kernel without a controller or without pressure stall information has fewer. */
  readonly Fields: readonly PressureField[];
  /** Finest first. */
  readonly Series: readonly PressureSeries[];
  /** What happened meanwhile, oldest first. */
  readonly Events: readonly PressureEvent[];
  /** As they are now; absent: no limit. */
  readonly Limits: { readonly MemoryBytes?: number; readonly Cpus?: number };
}

export const pressureFields = [
  /** Of one CPU's time: 2 is two CPUs in full. */
  "cpu",
  /** Part of the time in which its CPU quota was used up. */
  "throttled",
  /** Part of the time in which something of it waited (some), or all of it did (full): 0 to 1. */
  "stall.cpu.some",
  "stall.memory.some",
  "stall.memory.full",
  "stall.io.some",
  "stall.io.full",
  /** Bytes. */
  "memory.used",
  "memory.anon",
  /** Page cache: given back when it is needed, harmless by itself. */
  "memory.file",
  "memory.slab",
  "memory.limit",
] as const;
export type PressureField = (typeof pressureFields)[number];

export interface PressureSeries {
  readonly StepSeconds: number;
  /** Unix time in seconds at which the step begins, then a value a field: the mean over the step. Null: not known then. */
  readonly Points: readonly (readonly (number | null)[])[];
}

export interface PressureEvent {
  /** Unix time in seconds, with a fraction. */
  readonly Time: number;
  /** As in `/events`: oom, start, restart, die, update, pause and their like. */
  readonly Action: string;
  readonly Id: string;
  readonly Name: string;
  readonly ExitCode?: number;
}
