import type { Subject } from "../pressure/recorder.ts";
import type { Container } from "./container.ts";

/** docker's period when none is said. */
const periodDefault = 100_000;

export function subjectOf({ id, name, run, spec }: Container): Subject {
  const { NanoCpus = 0, CpuQuota = 0, CpuPeriod = 0 } = spec.hostConfig;
  const cpus = NanoCpus > 0 ? NanoCpus / 1e9 : CpuQuota > 0 ? CpuQuota / (CpuPeriod || periodDefault) : 0;
  return { id, name, ...(run === undefined ? {} : { cgroup: run.task.cgroup }), ...(cpus > 0 ? { cpus } : {}) };
}
