import { EngineError, isClass } from "#base/errors.ts";
import { type Filters, checkFilters, matchesLabels } from "#api/filters.ts";
import { parseNano } from "../clock/clock.ts";
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
  const until = parseUntil(filters["until"]);
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

/** A Unix time, an RFC 3339 time or a span back from now (`24h`, `1h30m`). */
function parseUntil(values: readonly string[] | undefined): bigint | undefined {
  if (values === undefined || values.length === 0) return undefined;
  const [text = ""] = values;
  if (values.length > 1) throw new EngineError("invalidArgument", "more than one until filter specified");
  if (/^\d+(\.\d+)?$/.test(text)) return BigInt(Math.floor(Number(text) * 1e9));
  const seconds = spanSeconds(text);
  if (seconds !== undefined) return BigInt(Math.floor((Date.now() - seconds * 1_000) * 1e6));
  const time = parseNano(text);
  if (time === undefined) throw new EngineError("invalidArgument", `failed to parse value as time or duration: ${JSON.stringify(text)}`);
  return time;
}

function spanSeconds(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(h|m|s))+$/.test(text)) return undefined;
  const factors: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1 };
  return [...text.matchAll(/(\d+(?:\.\d+)?)(h|m|s)/g)].reduce((sum, [, amount, unit]) => sum + Number(amount) * (factors[unit ?? ""] ?? 0), 0);
}
