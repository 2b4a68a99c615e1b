import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, renameSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import type { TrashRestored } from "#api/trash.ts";
import { EngineError } from "#base/errors.ts";
import type { KeyedLock } from "#base/lock.ts";
import type { Bin } from "#core/bin/bin.ts";
import { type KeptItem, type Keeper, projectOf, type Take } from "#core/bin/keeper.ts";
import { nameAgain } from "#core/bin/names.ts";
import type { Trash } from "#core/trash/trash.ts";
import { deviceOf } from "./device.ts";
import { sizeOf } from "./size.ts";
import type { VolumeRecord, VolumeTable } from "./table.ts";

export interface KeptVolumesOptions {
  readonly bin: Bin;
  readonly trash: Trash;
  /** Of volumes: `NAME/_data`. */
  readonly volumes: string;
  /** `ID/_data`, of removed ones; on the same file system. */
  readonly kept: string;
  readonly table: VolumeTable;
  /** By volumes' names. */
  readonly lock: KeyedLock;
  readonly has: (name: string) => boolean;
  /** One more volume, whose directory and record are there. */
  readonly add: (record: VolumeRecord) => void;
}

/**
 * Removed volumes, whose directories are called by the ids they have in the trash: their names are free at once. The database always goes
 * first and the directory follows by a rename, either way; what a crash keeps from following does so at the next start.
 */
export class KeptVolumes implements Keeper<VolumeRecord> {
  readonly #options: KeptVolumesOptions;

  constructor(options: KeptVolumesOptions) {
    this.#options = options;
    mkdirSync(options.kept, { recursive: true, mode: 0o700 });
  }

  /** Before any directory is looked at: `records` are the volumes there are. */
  finish(records: readonly VolumeRecord[]): void {
    const { bin, trash, volumes, kept } = this.#options;
    for (const { name, cameBackFrom } of records) if (cameBackFrom !== undefined && existsSync(this.#pathOf(cameBackFrom))) this.#bringBack(cameBackFrom, name);
    const taken = new Set(records.map(({ name }) => name));
    const items = bin.itemsOf("volume");
    for (const { id, name } of items) if (!existsSync(this.#pathOf(id)) && !taken.has(name) && existsSync(join(volumes, name))) this.#take(id, name);
    const known = new Set(items.map(({ id }) => id));
    for (const id of readdirSync(kept)) if (!known.has(id)) trash.move(join(kept, id));
  }

  /** Before a volume of that name is made anew: a power cut must not give it what the removed one held. */
  async settled(name: string): Promise<void> {
    if (this.#options.bin.newest("volume", name) === undefined) return;
    await using directory = await open(this.#options.kept, "r");
    await directory.sync();
  }

  /** `gone` is called when the volume is in no table any more. */
  async keep(record: VolumeRecord, gone: () => void): Promise<void> {
    const { bin, table } = this.#options;
    const { name } = record;
    const id = randomBytes(32).toString("hex");
    await bin.keep({ kind: "volume", id, name, ...projectOf(record.labels) }, record, () => table.delete(name));
    gone();
    this.#take(id, name);
  }

  async restore({ id }: KeptItem, kept: VolumeRecord, take: Take): Promise<Omit<TrashRestored, "Kind" | "Id">> {
    const { lock, has, table, add } = this.#options;
    // Its removal may not be over yet.
    using _own = await lock.acquire(kept.name);
    const { name, warnings } = nameAgain(kept.name, (one) => !has(one));
    using _other = name === kept.name ? undefined : await lock.acquire(name);
    if (has(name)) throw new EngineError("conflict", `somebody made a volume ${name} just now`);
    const record = { ...kept, name, cameBackFrom: id };
    await take(() => table.put(record));
    this.#bringBack(id, name);
    add(record);
    return { Name: name, Warnings: warnings, Also: [] };
  }

  async discard({ id }: KeptItem, { name }: VolumeRecord): Promise<void> {
    using _own = await this.#options.lock.acquire(name);
    this.#options.trash.move(this.#pathOf(id));
  }

  /** A device's bytes are not ours to count. */
  async measure({ id }: KeptItem, { options }: VolumeRecord): Promise<number> {
    return deviceOf(options) === undefined ? await sizeOf(join(this.#pathOf(id), "_data")) : 0;
  }

  fault({ id }: KeptItem): string | undefined {
    return existsSync(join(this.#pathOf(id), "_data")) ? undefined : "its data is not there any more";
  }

  #pathOf(id: string): string {
    return join(this.#options.kept, id);
  }

  #take(id: string, name: string): void {
    renameSync(join(this.#options.volumes, name), this.#pathOf(id));
  }

  #bringBack(id: string, name: string): void {
    renameSync(this.#pathOf(id), join(this.#options.volumes, name));
  }
}
