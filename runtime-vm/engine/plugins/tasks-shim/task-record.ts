import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bootId, bundlePaths, type ResolvedOptions } from "./options.ts";

/** What is kept on disk of a container in a shim (`task.json` in its bundle). */
export interface TaskRecord {
  readonly shim: string;
  readonly boot: string;
  readonly cgroup: string;
  /** The holder's numbers of the output FIFOs. */
  readonly held: readonly { number: number; path: string }[];
}

export const writeRecord = (bundle: string, record: TaskRecord): void => writeFileSync(bundlePaths(bundle).record, JSON.stringify(record));

/** After a boot nothing recorded lives any more. */
export function forgetOtherBoot(options: ResolvedOptions): void {
  const boot = bootId();
  for (const id of readdirSync(options.bundles)) {
    const bundle = join(options.bundles, id);
    if (readRecord(bundle)?.boot !== boot) rmSync(bundle, { recursive: true, force: true });
  }
}

export function readRecord(bundle: string): TaskRecord | undefined {
  try {
    return JSON.parse(readFileSync(bundlePaths(bundle).record, "utf8")) as TaskRecord;
  } catch {
    // Half-made by an engine that was killed: its bundle is no task.
    return undefined;
  }
}
