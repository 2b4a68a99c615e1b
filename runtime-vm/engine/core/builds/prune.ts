import { statfsSync } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Filters } from "#api/filters.ts";
import { codeOf } from "#base/errors.ts";
import { type CacheBounds, type Disk, keptBytes, sparesAny } from "./bounds.ts";
import type { BuildHouse } from "./work.ts";
import type { CacheRecord } from "./cache.ts";
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
    const bytes = record.kind === "mount" ? await directoryBytes(mountDirectory(mounts, record)) : (record.layer?.blob.size ?? 0);
    uses.push({ ...shownOf(record), bytes, shared: record.layer !== undefined && inImages.has(record.layer.diffId) });
  }
  return uses;
}

function shownOf(record: CacheRecord): Pick<CacheUse, "record" | "id" | "type" | "description"> {
  const isMount = record.kind === "mount";
  return {
    record,
    id: isMount ? record.key.slice("mount:".length, "mount:".length + idChars) : record.key.slice(0, idChars),
    type: isMount ? "exec.cachemount" : "regular",
    description: record.description,
  };
}

/** Forgets what is asked for; returns the ids that went and the bytes that came back. */
export async function pruneCache(house: BuildHouse, options: PruneOptions): Promise<{ ids: string[]; bytes: number }> {
  const { cache, backends, usedMounts } = house;
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
  const going: CacheUse[] = [];
  for (const use of uses) {
    if (use.type === "exec.cachemount" && usedMounts.has(use.record.key.slice("mount:".length))) continue;
    if ((!options.all && use.shared) || !matches(use) || (may > 0 && kept <= may)) continue;
    going.push(use);
    kept -= use.bytes;
  }
  cache.remove(going.map(({ record }) => record.key));
  if (options.all && may === 0 && !isFiltered) cache.forgetTimes();
  let bytes = 0;
  for (const { record, type, bytes: own } of going) {
    if (type !== "exec.cachemount") continue;
    backends.trash.move(mountDirectory(backends.paths.buildMounts, record));
    bytes += own;
  }
  bytes += await backends.builder.collectLayers(going.flatMap(({ record }) => record.layer ?? []));
  return { ids: going.map(({ id }) => id), bytes };
}

/** The disk that holds a directory. */
export function diskOf(path: string): Disk {
  const { blocks, bfree, bsize } = statfsSync(path);
  return { bytes: blocks * bsize, free: bfree * bsize };
}

const mountDirectory = (mounts: string, { key }: CacheRecord): string => join(mounts, key.slice("mount:".length));

async function directoryBytes(path: string): Promise<number> {
  let total = 0;
  try {
    for (const entry of await readdir(path, { withFileTypes: true })) {
      const below = join(path, entry.name);
      total += entry.isDirectory() ? await directoryBytes(below) : (await lstat(below)).blocks * 512;
    }
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
  }
  return total;
}
