import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What the kernel counted of a cgroup's memory when a process of it was killed for it. */
export interface MemoryTrace {
  readonly peakBytes?: number;
  /** Absent: none. */
  readonly limitBytes?: number;
  /** Its own limit was what ran out, not the machine's memory. */
  readonly ofItsOwn: boolean;
}

/** The kernel counts in the cgroup how many processes it killed for memory, and how often the limit was reached. Undefined: none. */
export function memoryKill(cgroup: string): MemoryTrace | undefined {
  const read = (name: string): string => readFileSync(join(cgroup, name), "utf8").trim();
  try {
    const events = read("memory.events");
    if (!/^oom_kill [1-9]/m.test(events)) return undefined;
    const [limit, peak] = [Number(read("memory.max")), Number(read("memory.peak"))];
    return { peakBytes: peak, ofItsOwn: /^oom [1-9]/m.test(events), ...(Number.isFinite(limit) ? { limitBytes: limit } : {}) };
  } catch {
    // No memory controller here, or the cgroup went with its last process.
    return undefined;
  }
}
