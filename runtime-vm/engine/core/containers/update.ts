import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { EngineError, messageOf } from "#base/errors.ts";
import type { HostConfig, RestartPolicy } from "#api/containers.ts";
import type { Resources } from "#api/resources.ts";
import type { Container } from "./container.ts";
import { publishEvent } from "./events.ts";
import { checkedRestartPolicy } from "./host-config.ts";
import type { Supervisor } from "./supervisor.ts";

/** Body of `POST /containers/{id}/update`: what is absent, zero or empty stays as it is. */
export type UpdateRequest = Resources & { readonly RestartPolicy?: RestartPolicy };

const limitFields = [
  "BlkioWeight",
  "CpuShares",
  "NanoCpus",
  "CpuPeriod",
  "CpuQuota",
  "CpusetCpus",
  "CpusetMems",
  "Memory",
  "MemorySwap",
  "MemoryReservation",
  "PidsLimit",
] as const;

/** What a request comes to, whichever container it is for. */
export function settleUpdate({ backends }: Supervisor, request: UpdateRequest): SettledUpdate {
  const policy = request.RestartPolicy?.Name ? checkedRestartPolicy(request.RestartPolicy) : undefined;
  const { warnings, host: limits } = backends.specs.settle(request);
  return { policy, warnings, limits };
}

export interface SettledUpdate {
  readonly policy: RestartPolicy | undefined;
  readonly limits: HostConfig;
  readonly warnings: readonly string[];
}

/** Changes limits at once in a running container, and for good. Everything or nothing. */
export async function updateContainer(supervisor: Supervisor, container: Container, { policy, limits }: SettledUpdate): Promise<void> {
  const { backends, table } = supervisor;
  using _lock = await supervisor.locks.acquire(container.id);
  if (container.removing) throw new EngineError("conflict", `cannot update container ${container.id}: container is marked for removal`);
  const before = container.spec.hostConfig;
  const conflict = conflictOf(limits, policy, before);
  if (conflict !== undefined) throw new EngineError("conflict", `Cannot update container ${container.id}: ${conflict}`);
  const changed = Object.fromEntries(limitFields.filter((field) => isSaid(limits[field])).map((field) => [field, limits[field]])) as HostConfig;
  const hostConfig: HostConfig = { ...before, ...changed, ...(policy === undefined ? {} : { RestartPolicy: policy }) };
  applyLimits(supervisor, container, hostConfig);
  container.spec = { ...container.spec, hostConfig };
  table.setSpec(container.id, container.name, container.spec);
  publishEvent(backends.events, container, "update");
}

const isSaid = (value: unknown): boolean => value !== undefined && value !== null && value !== 0 && value !== "";

function conflictOf(limits: HostConfig, policy: RestartPolicy | undefined, before: HostConfig): string | undefined {
  const cpus = (what: string, other: string): string => `Conflicting options: ${what} cannot be updated as ${other} has already been set`;
  const memory = limits.Memory ?? 0;
  const swap = limits.MemorySwap ?? 0;
  const conflicts: readonly (readonly [boolean, string])[] = [
    [isSaid(limits.NanoCpus) && isSaid(before.CpuPeriod), cpus("Nano CPUs", "CPU Period")],
    [isSaid(limits.NanoCpus) && isSaid(before.CpuQuota), cpus("Nano CPUs", "CPU Quota")],
    [isSaid(limits.CpuPeriod) && isSaid(before.NanoCpus), cpus("CPU Period", "NanoCPUs")],
    [isSaid(limits.CpuQuota) && isSaid(before.NanoCpus), cpus("CPU Quota", "NanoCPUs")],
    [
      memory !== 0 && memory > (before.MemorySwap ?? 0) && !isSaid(limits.MemorySwap),
      "Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time",
    ],
    [
      swap > 0 && swap < (limits.Memory || before.Memory || 0),
      // dockerd leaves this one to its runtime, whose words they are.
      "memory+swap limit should be >= memory limit",
    ],
    [
      policy !== undefined && before.AutoRemove === true && policy.Name !== "no",
      "Restart policy cannot be updated because AutoRemove is enabled for the container",
    ],
  ];
  return conflicts.find(([found]) => found)?.[1];
}

/** Writes the files that change; on failure those written get their former value back. */
function applyLimits({ backends }: Supervisor, container: Container, hostConfig: HostConfig): void {
  const { run } = container;
  if (run === undefined) return;
  const former = backends.specs.limitFiles(container.spec.hostConfig);
  const undo: (readonly [file: string, value: string])[] = [];
  try {
    for (const [file, value] of backends.specs.limitFiles(hostConfig)) {
      if (former.get(file) === value) continue;
      const path = join(run.task.cgroup, file);
      undo.push([path, readFileSync(path).toString().trim()]);
      writeFileSync(path, value);
    }
  } catch (error) {
    for (const [path, value] of undo.reverse()) writeFileSync(path, value);
    throw new EngineError("internal", `Cannot update container ${container.id}: ${messageOf(error)}`, { cause: error });
  }
}
