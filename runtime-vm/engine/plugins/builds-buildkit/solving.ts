import type { Export } from "./exporter.ts";
import type { BuildHistory } from "./history.ts";
import type { Job } from "./job.ts";
import { beginRecord } from "./recording.ts";

export interface Solving {
  readonly wanted: readonly Export[];
  /** Where it is written down; undefined: it is not. */
  readonly history: BuildHistory | undefined;
  /** Builds; the name of the result, "" where there is none. */
  readonly result: () => Promise<string>;
}

/** Builds what a job is there for, hands it out, and lets go of everything; what its client is told. */
export async function solveJob(job: Job, { wanted, history, result }: Solving): Promise<Record<string, string>> {
  const record = history === undefined ? undefined : beginRecord(history, job, wanted);
  try {
    const name = await result();
    const shipped = name === "" ? [] : await job.deliver(name, wanted);
    const told = Object.assign({}, ...shipped.map((one) => one.told)) as Record<string, string>;
    record?.succeeded(told, name === "" ? [] : job.images(name, shipped));
    return told;
  } catch (error) {
    record?.failed(error);
    throw error;
  } finally {
    await job.close();
  }
}
