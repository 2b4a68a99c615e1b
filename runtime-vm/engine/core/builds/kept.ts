import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import type { TrashRestored } from "#api/trash.ts";
import type { Bin } from "../bin/bin.ts";
import type { KeptItem, Keeper, Take } from "../bin/keeper.ts";
import type { BuiltLayer } from "../images/building.ts";
import type { CacheRecord } from "./cache.ts";
import { directoryBytes, mountBaseOf, mountKeyOf, mountNameOf } from "./mount-directories.ts";
import type { BuildHouse } from "./work.ts";

/** What the trash keeps of one prune: the records. Layers stay, held by this; directories of cache mounts wait aside. */
interface KeptCache {
  readonly records: readonly CacheRecord[];
}

const kind = "build-cache";
const layersOf = (records: readonly CacheRecord[]): BuiltLayer[] => records.flatMap(({ layer }) => layer ?? []);
const mountsOf = (records: readonly CacheRecord[]): string[] => records.filter((record) => record.kind === "mount").map(mountNameOf);

/** Layers of build cache in the trash. */
export const keptLayers = (bin: Bin): BuiltLayer[] => bin.all<KeptCache>(kind).flatMap(({ kept }) => layersOf(kept.records));

/**
 * Pruned build cache: brought back, its records are found by builds again. Directories of cache mounts go and come ahead of the database;
 * where a crash keeps it from following, the next start puts them back to where it says they are.
 */
export class CacheKeeper implements Keeper<KeptCache> {
  readonly #house: BuildHouse;

  constructor(house: BuildHouse) {
    this.#house = house;
    house.backends.bin.register(kind, this);
    mkdirSync(this.#removed, { recursive: true, mode: 0o700 });
    this.#finish();
  }

  /** Bytes that only these records hold, cache mounts left out. */
  async weigh(records: readonly CacheRecord[]): Promise<number> {
    const { cache, backends } = this.#house;
    const going = new Set(records.map(({ key }) => key));
    const staying = layersOf(cache.list().filter(({ key }) => !going.has(key)));
    return await backends.builder.weighLayers(layersOf(records), [...staying, ...keptLayers(backends.bin)]);
  }

  /** Takes these records out of the cache. No build uses their directories. */
  async keep(records: readonly CacheRecord[]): Promise<void> {
    const { cache, backends } = this.#house;
    const id = randomBytes(32).toString("hex");
    try {
      await backends.bin.keep({ kind, id, name: kind }, { records } satisfies KeptCache, () => {
        cache.remove(records.map(({ key }) => key));
        // At once: the next build must not find them.
        for (const name of mountsOf(records)) this.#takeAside(id, name, name);
      });
    } catch (error) {
      this.#finish();
      throw error;
    }
  }

  async restore({ id, name }: KeptItem, { records }: KeptCache, take: Take): Promise<Omit<TrashRestored, "Kind" | "Id">> {
    const { cache, backends } = this.#house;
    const whole = records.filter((record) => this.#isWhole(id, record));
    const named = new Map(mountsOf(whole).map((mount) => [mount, this.#freeName(mount)]));
    for (const [mount, free] of named) renameSync(join(this.#removed, id, mount), join(this.#mounts, free));
    await take(() => {
      for (const record of whole) {
        const free = record.kind === "mount" ? named.get(mountNameOf(record)) : undefined;
        cache.putBack(free === undefined ? record : { ...record, key: mountKeyOf(free) });
      }
    });
    backends.trash.move(join(this.#removed, id));
    const lost = records.length - whole.length;
    return { Name: name, Warnings: lost === 0 ? [] : [`${lost} of its ${records.length} records are gone for good: those steps are done anew`], Also: [] };
  }

  async discard({ id }: KeptItem, { records }: KeptCache): Promise<void> {
    const { trash, builder } = this.#house.backends;
    trash.move(join(this.#removed, id));
    await builder.collectLayers(layersOf(records));
  }

  async measure({ id }: KeptItem, { records }: KeptCache): Promise<number> {
    const { cache, backends } = this.#house;
    const others = backends.bin.all<KeptCache>(kind).filter(({ item }) => item.id !== id);
    const staying = [...cache.layers(), ...others.flatMap(({ kept }) => layersOf(kept.records))];
    return (await backends.builder.weighLayers(layersOf(records), staying)) + (await directoryBytes(join(this.#removed, id)));
  }

  fault({ id }: KeptItem, { records }: KeptCache): string | undefined {
    const lost = records.filter((record) => !this.#isWhole(id, record)).length;
    return lost === 0 ? undefined : `${lost} of its ${records.length} records have lost what they stand for`;
  }

  #isWhole(id: string, record: CacheRecord): boolean {
    if (record.kind === "mount") return existsSync(join(this.#removed, id, mountNameOf(record)));
    return record.layer === undefined || this.#house.backends.builder.hasLayer(record.layer);
  }

  /** A build may have made the mount anew: then this is one more directory of it. */
  #freeName(mount: string): string {
    const isFree = (name: string): boolean => !existsSync(join(this.#mounts, name)) && !this.#house.mounts.has(name);
    if (isFree(mount)) return mount;
    for (let count = 1; ; count++) {
      const name = `${mountBaseOf(mount)}-${count}`;
      if (isFree(name)) return name;
    }
  }

  /** Brings directories to where the database says they are. */
  #finish(): void {
    const { cache, backends } = this.#house;
    const recorded = new Set(mountsOf(cache.list()));
    const all = backends.bin.all<KeptCache>(kind);
    const known = new Set(all.map(({ item }) => item.id));
    for (const id of readdirSync(this.#removed)) {
      if (known.has(id)) continue;
      for (const mount of readdirSync(join(this.#removed, id))) {
        const place = [...recorded].find((name) => mountBaseOf(name) === mountBaseOf(mount) && !existsSync(join(this.#mounts, name)));
        if (place !== undefined) renameSync(join(this.#removed, id, mount), join(this.#mounts, place));
      }
      backends.trash.move(join(this.#removed, id));
    }
    for (const { item, kept } of all) {
      for (const mount of mountsOf(kept.records)) {
        if (existsSync(join(this.#removed, item.id, mount))) continue;
        const strayed = readdirSync(this.#mounts).find((name) => mountBaseOf(name) === mountBaseOf(mount) && !recorded.has(name));
        if (strayed !== undefined) this.#takeAside(item.id, mount, strayed);
      }
    }
  }

  #takeAside(id: string, mount: string, from: string): void {
    const path = join(this.#mounts, from);
    if (!existsSync(path)) return;
    mkdirSync(join(this.#removed, id), { recursive: true, mode: 0o700 });
    renameSync(path, join(this.#removed, id, mount));
  }

  get #mounts(): string {
    return this.#house.backends.paths.buildMounts;
  }

  get #removed(): string {
    return this.#house.backends.paths.removedBuildMounts;
  }
}
