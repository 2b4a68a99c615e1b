import { closeSync, constants, openSync } from "node:fs";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import type { FileList } from "#api/files.ts";
import type { Volume, VolumeSnapshot } from "#api/volumes.ts";
import { EngineError, codeOf, isClass } from "#base/errors.ts";
import { KeyedLock } from "#base/lock.ts";
import type { Directory } from "../containers/at.ts";
import { exportArchive, readArchive } from "../containers/archive-read.ts";
import { writeArchive } from "../containers/archive-write.ts";
import { copyTree } from "../containers/copy-up.ts";
import { listDirectory } from "../containers/list-directory.ts";
import { View } from "../containers/view.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { IdentityMap } from "../userns/identity.ts";
import { checkVolumeName } from "./request.ts";
import { HALF, type VolumeStore } from "./volumes.ts";

export interface VolumeContentsOptions {
  readonly volumes: VolumeStore;
  readonly kernel: Kernel;
  /** Whose ids the containers' users have. */
  readonly map?: IdentityMap | undefined;
}

/** Entries removed before others of this process get a turn. */
const removedAtOnce = 256;

/** Reached from open directories only: what writes to the volume meanwhile cannot lead it elsewhere. */
async function emptied(directory: Directory, budget: { left: number }): Promise<void> {
  for (const name of directory.names()) {
    if (directory.lstat(name)?.isDirectory() === true) {
      using below = directory.directory(name);
      await emptied(below, budget);
    }
    directory.remove(name);
    budget.left -= 1;
    if (budget.left > 0) continue;
    budget.left = removedAtOnce;
    await setImmediate();
  }
}

/**
 * What can be done with a volume's files without a container. The volume counts as in use meanwhile, so that it is neither removed nor
 * without its device. Files are taken one by one: who must not write meanwhile has to be stopped or paused by whoever asks.
 */
export class VolumeContents {
  readonly #options: VolumeContentsOptions;
  readonly #lock = new KeyedLock();

  constructor(options: VolumeContentsOptions) {
    this.#options = options;
  }

  list(name: string, path: string): Promise<FileList> {
    const { map } = this.#options;
    return this.#using(name, async (view) => {
      try {
        return await Promise.resolve(listDirectory(view, { container: name, path }, map));
      } catch (error) {
        if (isClass(error, "notFound")) throw new EngineError("notFound", `no directory ${JSON.stringify(path)} in volume ${name}`, { cause: error });
        if (error instanceof Error && codeOf(error.cause) === "ELOOP")
          throw new EngineError("invalidArgument", `${JSON.stringify(path)} in volume ${name} is a link that leads to itself`, { cause: error });
        throw error;
      }
    });
  }

  async size(name: string): Promise<number> {
    this.#options.volumes.inspect(name);
    const usage = await this.#options.volumes.usage();
    return usage.find((volume) => volume.Name === name)?.UsageData?.Size ?? 0;
  }

  /** A tar of one path, under its last name. */
  archive(name: string, path: string): AsyncIterable<Buffer> {
    this.#options.volumes.inspect(name);
    return this.#archiveOf(name, path);
  }

  async *#archiveOf(name: string, path: string): AsyncGenerator<Buffer> {
    const { kernel, map } = this.#options;
    await using held = await this.#options.volumes.hold(name);
    yield* readArchive(new View(held.path, kernel), kernel, { container: name, path }, map);
  }

  /** Removes everything in the volume; it stays, with its snapshots. */
  async empty(name: string): Promise<void> {
    await this.#using(name, async (view) => {
      using directory = view.directory("/");
      await emptied(directory, { left: removedAtOnce });
    });
  }

  /** A tar of everything in the volume. */
  export(name: string): AsyncIterable<Buffer> {
    this.#options.volumes.inspect(name);
    return this.#archive(name);
  }

  async *#archive(name: string): AsyncGenerator<Buffer> {
    const { kernel, map } = this.#options;
    await using held = await this.#options.volumes.hold(name);
    yield* exportArchive(held.path, kernel, map);
  }

  /** Unpacks a tar into a directory of the volume, over what is there; makes the volume when there is none. */
  async import(name: string, tar: Readable, path = "/"): Promise<Volume> {
    const { volumes, kernel, map } = this.#options;
    await volumes.create({ Name: name });
    const options = { noOverwriteDirNonDir: false, map, check: () => {}, step: () => {} };
    await this.#using(name, (view) => writeArchive(view, kernel, { container: name, path, tar }, options));
    return volumes.inspect(name);
  }

  /** A new volume with what is in this one, or was in one of its snapshots. Where the file system can, blocks are shared until one of them is written. */
  async fork(name: string, to: string, snapshot: string): Promise<Volume> {
    const { volumes, kernel } = this.#options;
    const { Labels } = volumes.inspect(name);
    checkVolumeName(to);
    using _made = await this.#lock.acquire(to);
    if (this.#isThere(to)) throw new EngineError("conflict", `volume ${to} already exists: give the fork another name`);
    await using from = await this.#options.volumes.hold(name);
    const source = snapshot === "" ? from.path : await this.#snapshotOf(name, snapshot);
    return await volumes.create({ Name: to, ...(Labels === null ? {} : { Labels }) }, { fill: (directory) => copyTree(kernel, source, directory) });
  }

  /** Keeps what is in the volume now under a name of its own, until it is removed or the volume is. Nothing writes to it. */
  async snapshot(name: string, as: string): Promise<VolumeSnapshot> {
    checkVolumeName(as);
    await using held = await this.#options.volumes.hold(name);
    using _alone = await this.#lock.acquire(`${name}/`);
    const place = this.#snapshots(name);
    await mkdir(place, { recursive: true, mode: 0o700 });
    if ((await this.snapshots(name)).some(({ Name }) => Name === as)) throw new EngineError("conflict", `volume ${name} has a snapshot ${as} already`);
    const half = join(place, `${HALF}${as}`);
    await rm(half, { recursive: true, force: true });
    // In a directory of its own, since that of the data takes the data's owner and times.
    await mkdir(join(half, "_data"), { recursive: true, mode: 0o700 });
    try {
      await copyTree(this.#options.kernel, held.path, join(half, "_data"));
    } catch (error) {
      await rm(half, { recursive: true, force: true });
      throw error;
    }
    await rename(half, join(place, as));
    return { Name: as, CreatedAt: (await stat(join(place, as))).ctime.toISOString() };
  }

  /** In the order of their making. */
  async snapshots(name: string): Promise<VolumeSnapshot[]> {
    const place = this.#snapshots(name);
    const names = await readdir(place).catch((error: unknown) => {
      if (codeOf(error) === "ENOENT") return [];
      throw error;
    });
    const whole = names.filter((one) => !one.startsWith(HALF));
    const all = await Promise.all(whole.map(async (Name) => ({ Name, CreatedAt: (await stat(join(place, Name))).ctime.toISOString() })));
    return all.toSorted((a, b) => (a.CreatedAt < b.CreatedAt ? -1 : 1));
  }

  async removeSnapshot(name: string, snapshot: string): Promise<void> {
    using _alone = await this.#lock.acquire(`${name}/`);
    const path = dirname(await this.#snapshotOf(name, snapshot));
    const half = join(dirname(path), `${HALF}${snapshot}`);
    await rename(path, half);
    await rm(half, { recursive: true });
  }

  #snapshots(name: string): string {
    return join(dirname(this.#options.volumes.inspect(name).Mountpoint), "snapshots");
  }

  async #snapshotOf(name: string, snapshot: string): Promise<string> {
    if ((await this.snapshots(name)).some(({ Name }) => Name === snapshot)) return join(this.#snapshots(name), snapshot, "_data");
    throw new EngineError("notFound", `volume ${name} has no snapshot ${JSON.stringify(snapshot)}`);
  }

  #isThere(name: string): boolean {
    try {
      this.#options.volumes.inspect(name);
      return true;
    } catch (error) {
      if (isClass(error, "notFound")) return false;
      throw error;
    }
  }

  async #using<T>(name: string, work: (view: View) => Promise<T>): Promise<T> {
    await using held = await this.#options.volumes.hold(name);
    const fd = openSync(held.path, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      return await work(new View(`/proc/self/fd/${fd}`, this.#options.kernel));
    } finally {
      closeSync(fd);
    }
  }
}
