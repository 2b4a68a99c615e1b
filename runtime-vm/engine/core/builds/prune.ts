import { statfsSync } from "node:fs";
import { join } from "node:path";
import type { Filters } from "#api/filters.ts";
import { type CacheBounds, type Disk, keptBytes, sparesAny } from "./bounds.ts";
import type { CacheRecord } from "./cache.ts";
import type { CacheKeeper } from "./kept.ts";
import { directoryBytes, mountNameOf } from "./mount-directories.ts";
import type { BuildHouse } from "./work.ts";
import { cacheFilter } from "./prune-filter.ts";

/** Row of `docker system df -v` and `docker buildx du`. */
export interface CacheUse {
  readonly record: CacheRecord;
  readonly id: string;
  readonly type: "regular" | "exec.cachemount";
  readonly description: string;
  readonly bytes: number;
  /** An image has the same layer: removing the record frees nothing. */
  readonly shared: boolean;
}

export interface PruneOptions {
  /** Those that images share, too. */
  readonly all: boolean;
  /** How much may stay, the newest first; nothing where nothing is said. */
  readonly bounds: CacheBounds;
  readonly filters: Filters;
}

const idChars = 25;

/** What the cache holds, least recently used first. Times of configuration steps take no room and are not listed. */
export async function cacheUse({ cache, backends }: BuildHouse): Promise<CacheUse[]> {
  const inImages = await backends.builder.layersInImages();
  const uses: CacheUse[] = [];
  for (const record of cache.list()) {
    if (record.kind === "config") continue;
    const mounts = backends.paths.buildMounts;
    const bytes = record.kind === "mount" ? await directoryBytes(join(mounts, mountNameOf(record))) : (record.layer?.blob.size ?? 0);
    uses.push({ ...shownOf(record), bytes, shared: record.layer !== undefined && inImages.has(record.layer.diffId) });
  }
  return uses;
}

function shownOf(record: CacheRecord): Pick<CacheUse, "record" | "id" | "type" | "description"> {
  const isMount = record.kind === "mount";
  return {
    record,
    id: (isMount ? mountNameOf(record) : record.key).slice(0, idChars),
    type: isMount ? "exec.cachemount" : "regular",
    description: record.description,
  };
}

/** Takes what is asked for out of the cache, into the trash where there is a keeper; returns the ids that went and the bytes that were theirs alone. */
export async function pruneCache(house: BuildHouse, options: PruneOptions, keeper?: CacheKeeper): Promise<{ ids: string[]; bytes: number }> {
  const { cache, backends } = house;
  const matches = cacheFilter(options.filters);
  const spared = { ids: [], bytes: 0 };
  if (sparesAny(options.bounds, diskOf(backends.paths.builds))) return spared;
  // Sizes, and what images share, take time to find out: not for rules that mean nothing of what is there.
  const shown = cache.list().filter(({ kind }) => kind !== "config");
  const isFiltered = Object.keys(options.filters).length > 0;
  if (isFiltered && !shown.some((record) => [true, false].some((shared) => matches({ ...shownOf(record), shared })))) return spared;
  const uses = await cacheUse(house);
  let kept = uses.reduce((sum, { bytes }) => sum + bytes, 0);
  const may = keptBytes(options.bounds, { used: kept, free: diskOf(backends.paths.builds).free });
  const chosen: CacheUse[] = [];
  for (const use of uses) {
    if (isInUse(house, use) || (!options.all && use.shared) || !matches(use) || (may > 0 && kept <= may)) continue;
    chosen.push(use);
    kept -= use.bytes;
  }
  const layerBytes = await keeper?.weigh(chosen.map(({ record }) => record));
  // Steps may have begun meanwhile.
  const going = chosen.filter((use) => !isInUse(house, use));
  // Steps that only changed a configuration: with their times forgotten they are done anew.
  const times = options.all && may === 0 && !isFiltered ? cache.list().filter(({ kind }) => kind === "config") : [];
  const records = [...going.map(({ record }) => record), ...times];
  const mountBytes = going.filter(({ type }) => type === "exec.cachemount").reduce((sum, { bytes }) => sum + bytes, 0);
  const ids = going.map(({ id }) => id);
  if (keeper === undefined) return { ids, bytes: mountBytes + (await forget(house, records)) };
  if (records.length > 0) await keeper.keep(records);
  return { ids, bytes: mountBytes + (layerBytes ?? 0) };
}

const isInUse = ({ mounts }: BuildHouse, { type, record }: CacheUse): boolean => type === "exec.cachemount" && mounts.has(mountNameOf(record));

/** For good. Returns the bytes of layers that came back. */
async function forget({ cache, backends }: BuildHouse, records: readonly CacheRecord[]): Promise<number> {
  cache.remove(records.map(({ key }) => key));
  for (const record of records) if (record.kind === "mount") backends.trash.move(join(backends.paths.buildMounts, mountNameOf(record)));
  return await backends.builder.collectLayers(records.flatMap(({ layer }) => layer ?? []));
}

/** The disk that holds a directory. */
export function diskOf(path: string): Disk {
  const { blocks, bfree, bsize } = statfsSync(path);
  return { bytes: blocks * bsize, free: bfree * bsize };
}
