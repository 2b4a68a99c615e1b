import { randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import type { Volume, VolumeCreateRequest } from "#api/volumes.ts";
import { EngineError } from "#base/errors.ts";
import { KeyedLock } from "#base/lock.ts";
import type { Bin } from "#core/bin/bin.ts";
import type { EventLog } from "#core/events/events.ts";
import type { Journal } from "#core/journal/journal.ts";
import type { Kernel } from "#core/kernel/kernel.ts";
import type { State } from "#core/state/state.ts";
import { ANONYMOUS_LABEL, checkVolumeDriver, checkVolumeName, checkVolumeOptions, volumeBytes } from "#core/volumes/request.ts";
import type { Fill, VolumeStore } from "#core/volumes/volumes.ts";
import { deviceOf, mountDevice } from "./device.ts";
import { type DirectoryOptions, VolumeDirectories } from "./directories.ts";
import { KeptVolumes } from "./kept.ts";
import { matchesPrune, matchesVolume } from "./filters.ts";
import { limitVolume } from "./limit.ts";
import { adoptedRecord, newRecord, shown } from "./records.ts";
import { sizeOf } from "./size.ts";
import { type VolumeRecord, VolumeTable } from "./table.ts";

export interface LocalVolumeOptions extends DirectoryOptions {
  readonly state: State;
  readonly kernel: Kernel;
  readonly bin: Bin;
  readonly events: EventLog;
  readonly journal: Journal;
  /** Where removed ones wait, on the same file system. */
  readonly kept: string;
  readonly hostPrefix: string;
}

interface LiveVolume {
  readonly record: VolumeRecord;
  readonly users: Set<string>;
}

type Filters = Readonly<Record<string, readonly string[]>>;

/** Volumes as directories `NAME/_data`. A directory without a record is taken as a volume: data is never dropped because a database was. */
export class LocalVolumes implements VolumeStore {
  readonly #options: LocalVolumeOptions;
  readonly #directories: VolumeDirectories;
  readonly #table: VolumeTable;
  readonly #kept: KeptVolumes;
  readonly #volumes = new Map<string, LiveVolume>();
  readonly #lock = new KeyedLock();

  constructor(options: LocalVolumeOptions) {
    this.#options = options;
    this.#directories = new VolumeDirectories(options);
    this.#table = new VolumeTable(options.state);
    this.#kept = new KeptVolumes({
      ...options,
      ...{ volumes: options.directory, table: this.#table, lock: this.#lock },
      has: (name) => this.#volumes.has(name),
      add: (record) => this.#cameBack(record),
    });
    const records = this.#table.all();
    this.#kept.finish(records);
    for (const record of records) {
      this.#directories.finish(record.name);
      this.#volumes.set(record.name, { record, users: new Set() });
    }
    for (const { volume, container } of this.#table.users()) this.#volumes.get(volume)?.users.add(container);
    for (const name of this.#directories.names()) if (!this.#volumes.has(name)) this.#adopt(name);
    options.bin.register("volume", this.#kept);
  }

  list(filters: Filters): Volume[] {
    const matches = matchesVolume(filters);
    return [...this.#volumes.values()].filter(({ record, users }) => matches(record, users.size)).map(({ record }) => this.#inspect(record));
  }

  inspect(name: string): Volume {
    return this.#inspect(this.#get(name).record);
  }

  async create(request: VolumeCreateRequest, { user, fill }: { user?: string; fill?: Fill } = {}): Promise<Volume> {
    const name = request.Name || randomBytes(32).toString("hex");
    checkVolumeDriver(name, request.Driver ?? "");
    using _held = await this.#lock.acquire(name);
    const there = this.#volumes.get(name);
    if (there !== undefined) return this.#inspect(there.record);
    checkVolumeName(name);
    const options = { ...request.DriverOpts };
    checkVolumeOptions(name, options);
    const record = newRecord(name, request);
    await this.#kept.settled(name);
    const whole = fill === undefined ? undefined : await this.#directories.filled(name, fill);
    if (whole === undefined) this.#directories.make(name);
    this.#limit(name, volumeBytes(name, options));
    this.#table.save(record, user);
    whole?.finish();
    this.#volumes.set(name, { record, users: new Set(user === undefined ? [] : [user]) });
    this.#publish("create", name);
    return this.#inspect(record);
  }

  async fill(name: string, fill: Fill): Promise<void> {
    using _held = await this.#lock.acquire(name);
    const { record, users } = this.#get(name);
    const data = this.#directories.dataOf(name);
    if (readdirSync(data).length > 0) return;
    // A device, a quota and another container's mount have their place.
    if (users.size > 1 || record.options !== null) return await fill(data);
    (await this.#directories.filled(name, fill)).finish();
  }

  async remove(name: string, { force, forGood }: { force: boolean; forGood?: true }): Promise<void> {
    using _held = await this.#lock.acquire(name);
    if (force && !this.#volumes.has(name)) return;
    const { record, users } = this.#get(name);
    if (users.size > 0) throw new EngineError("conflict", `remove ${name}: volume is in use - [${[...users].join(", ")}]`);
    this.#unmount(record);
    if (this.#options.bin.isOn && forGood !== true) await this.#kept.keep(record, () => this.#volumes.delete(name));
    else {
      this.#directories.goes(name);
      this.#volumes.delete(name);
      this.#table.remove(name);
      this.#directories.drop(name);
    }
    this.#publish("destroy", name);
  }

  #cameBack(record: VolumeRecord): void {
    this.#volumes.set(record.name, { record, users: new Set() });
    this.#publish("create", record.name);
  }

  async acquire(name: string, containerId: string): Promise<string> {
    using _held = await this.#lock.acquire(name);
    const { record, users } = this.#get(name);
    await this.#mount(record);
    if (!users.has(containerId)) {
      this.#table.use(name, containerId);
      users.add(containerId);
    }
    return this.#directories.dataOf(name);
  }

  async hold(name: string): Promise<AsyncDisposable & { readonly path: string }> {
    using _held = await this.#lock.acquire(name);
    const { record, users } = this.#get(name);
    await this.#mount(record);
    const holder = `files-${randomBytes(8).toString("hex")}`;
    users.add(holder);
    return { path: this.#directories.dataOf(name), [Symbol.asyncDispose]: () => this.#end(name, holder) };
  }

  async #mount({ name, options }: VolumeRecord): Promise<void> {
    const device = deviceOf(options);
    if (device === undefined || this.#options.kernel.isMountPoint(this.#directories.dataOf(name))) return;
    await mountDevice(this.#options.kernel, device, this.#directories.dataOf(name), this.#options.hostPrefix);
  }

  release(name: string, containerId: string, { goes } = { goes: false }): Promise<void> {
    return this.#end(name, containerId, goes ? undefined : () => this.#table.leave(name, containerId));
  }

  async #end(name: string, user: string, forget: () => void = () => {}): Promise<void> {
    using _held = await this.#lock.acquire(name);
    const volume = this.#volumes.get(name);
    if (volume === undefined || !volume.users.delete(user)) return;
    forget();
    if (volume.users.size === 0) this.#unmount(volume.record);
  }

  leave(containerId: string, goers: readonly string[]): void {
    this.#table.leaveOthers(containerId, goers);
  }

  async retain(containers: ReadonlySet<string>): Promise<void> {
    for (const { record, users } of [...this.#volumes.values()]) {
      const gone = [...users].filter((container) => !containers.has(container));
      if (gone.length === 0) continue;
      for (const container of gone) users.delete(container);
      if (users.size === 0 && record.labels?.[ANONYMOUS_LABEL] !== undefined) await this.remove(record.name, { force: true });
      else for (const container of gone) this.#table.leave(record.name, container);
    }
  }

  async prune(filters: Filters, { all }: { all: boolean }): Promise<{ VolumesDeleted: string[]; SpaceReclaimed: number }> {
    const matches = matchesPrune(filters, all);
    const VolumesDeleted: string[] = [];
    let SpaceReclaimed = 0;
    for (const { record, users } of [...this.#volumes.values()]) {
      if (!matches(record, users.size)) continue;
      const size = await this.#size(record);
      try {
        await this.remove(record.name, { force: true });
      } catch (error) {
        this.#options.journal.debug(`prune: volume ${record.name} stays: ${String(error)}`);
        continue;
      }
      VolumesDeleted.push(record.name);
      SpaceReclaimed += size;
    }
    this.#options.events.publish({ type: "volume", action: "prune", id: "", attributes: { reclaimed: String(SpaceReclaimed) } });
    return { VolumesDeleted, SpaceReclaimed };
  }

  async usage(): Promise<Volume[]> {
    return await Promise.all(
      [...this.#volumes.values()].map(async ({ record, users }) => ({
        ...this.#inspect(record),
        UsageData: { Size: await this.#size(record), RefCount: users.size },
      })),
    );
  }

  /** A device's bytes are not ours to count. */
  async #size(record: VolumeRecord): Promise<number> {
    return deviceOf(record.options) === undefined ? await sizeOf(this.#directories.dataOf(record.name)) : 0;
  }

  #get(name: string): LiveVolume {
    const volume = this.#volumes.get(name);
    if (volume === undefined) throw new EngineError("notFound", `get ${name}: no such volume`);
    return volume;
  }

  #limit(name: string, bytes: number): void {
    try {
      limitVolume(this.#options.kernel, { name, data: this.#directories.dataOf(name) }, bytes);
    } catch (error) {
      this.#directories.drop(name);
      throw error;
    }
  }

  #adopt(name: string): void {
    const since = this.#directories.orphanedSince(name);
    if (since === undefined) return this.#directories.drop(name);
    const record = adoptedRecord(name, since);
    this.#options.journal.warn(`volume ${name} has data but no record: it is taken up as a plain volume`);
    this.#table.save(record);
    this.#volumes.set(name, { record, users: new Set() });
  }

  #unmount(record: VolumeRecord): void {
    const target = this.#directories.dataOf(record.name);
    if (deviceOf(record.options) !== undefined && this.#options.kernel.isMountPoint(target)) this.#options.kernel.umount(target);
  }

  #inspect(record: VolumeRecord): Volume {
    return shown(record, this.#directories.dataOf(record.name));
  }

  #publish(action: string, name: string): void {
    this.#options.events.publish({ type: "volume", action, id: name, attributes: { driver: "local" } });
  }
}
