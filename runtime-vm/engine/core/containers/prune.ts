import { isClass } from "#base/errors.ts";
import { type Filters, checkFilters, matchesLabels } from "#api/filters.ts";
import { parseNano } from "../clock/clock.ts";
import { untilOf } from "../clock/until.ts";
import type { ContainerBackends } from "./backends.ts";
import type { Catalog } from "./catalog.ts";
import type { Container } from "./container.ts";
import { sizeOf } from "./inspect.ts";

export interface PruneResult {
  readonly ContainersDeleted: readonly string[] | null;
  readonly SpaceReclaimed: number;
}

/** Removes every container that does not run and that the filters (`label`, `label!`, `until`) accept. */
export async function pruneContainers(
  backends: ContainerBackends,
  catalog: Catalog,
  filters: Filters,
  remove: (container: Container) => Promise<void>,
): Promise<PruneResult> {
  checkFilters(filters, ["label", "label!", "until"]);
  const until = untilOf(filters["until"]);
  const deleted: string[] = [];
  let reclaimed = 0;
  for (const container of catalog.all()) {
    if (container.isRunning || container.removing || !accepted(container, filters, until)) continue;
    try {
      const { rw: bytes } = await sizeOf(backends, container);
      await remove(container);
      deleted.push(container.id);
      reclaimed += bytes;
    } catch (error) {
      // Somebody else started or removed it meanwhile.
      if (!isClass(error, "conflict") && !isClass(error, "notFound")) throw error;
    }
  }
  backends.events.publish({ type: "container", action: "prune", id: "", attributes: { reclaimed: String(reclaimed) } });
  return { ContainersDeleted: deleted.length === 0 ? null : deleted, SpaceReclaimed: reclaimed };
}

function accepted(container: Container, filters: Filters, until: bigint | undefined): boolean {
  const labels = container.spec.config.Labels ?? {};
  const excluded = filters["label!"] ?? [];
  return (
    matchesLabels(filters["label"], labels) &&
    (excluded.length === 0 || !excluded.every((label) => matchesLabels([label], labels))) &&
    (until === undefined || (parseNano(container.spec.createdAt) ?? 0n) < until)
  );
}
