import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { KeyedLock } from "#base/lock.ts";
import { EngineError } from "#base/errors.ts";
import type { Digest } from "../content/content.ts";
import { MNT } from "../kernel/kernel.ts";
import { boundsOn } from "./bounds.ts";
import type { BuildBackends } from "./backends.ts";
import { MountUse } from "./cache-mounts.ts";
import type { BuildCache, CacheRecord } from "./cache.ts";
import { CacheKeeper } from "./kept.ts";
import { type CacheUse, cacheUse, diskOf, pruneCache, type PruneOptions } from "./prune.ts";
import { layersOf } from "./origins.ts";
import type { BuildRequest } from "./request.ts";
import { withoutGiven } from "./root-tree.ts";
import { type ScannedFile, Scanner } from "./scan.ts";
import { solve } from "./solve.ts";
import type { StageState } from "./state.ts";
import type { FileTree } from "./tree.ts";
import { type BuildHouse, type BuildMaterial, BuildWork } from "./work.ts";

export interface BuildResult {
  readonly state: StageState;
  /** What it was made of, besides its context. */
  readonly materials: readonly BuildMaterial[];
  /** What of the cache it has used or made. */
  readonly records: readonly CacheRecord[];
  /** The image's files, while the build lasts. */
  files(): Promise<FileTree>;
  /** What a scanner that was asked for has written. */
  readonly scanned?: readonly ScannedFile[];
  /** The layer that each of these files of the image is from; those that are in none are left out. */
  layersOf(paths: Iterable<string>): Promise<ReadonlyMap<string, Digest>>;
  /** Makes the image, once or more often, under these references with tags. */
  register(names: readonly string[]): Promise<Digest>;
}

/** Everything that can be done with builds. */
export class Builds {
  readonly #house: BuildHouse;
  readonly #keeper: CacheKeeper;
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<unknown>>();

  constructor(backends: BuildBackends, cache: BuildCache) {
    this.#house = { backends, cache, steps: new KeyedLock(), mounts: new MountUse(), making: new KeyedLock() };
    sweep(backends);
    this.#keeper = new CacheKeeper(this.#house);
  }

  get backends(): BuildBackends {
    return this.#house.backends;
  }

  usage(): Promise<CacheUse[]> {
    return cacheUse(this.#house);
  }

  /** As somebody asks for it: into the trash, where there is one. */
  prune(options: PruneOptions): Promise<{ ids: string[]; bytes: number }> {
    return pruneCache(this.#house, options, this.#house.backends.bin.isOn ? this.#keeper : undefined);
  }

  /** Builds, and hands what came of it to `take` while it is certainly there. Nothing but the cache is left when it rejects. */
  async build<T>(request: BuildRequest, take: (result: BuildResult) => Promise<T>): Promise<T> {
    const result = await this.during(request.signal, (signal) => this.#build({ ...request, signal }, take));
    await this.#collect();
    return result;
  }

  /** Work of a build: its signal aborts with the one given, and when the engine stops, which waits for it. */
  async during<T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const running = work(AbortSignal.any([signal, this.#closing.signal]));
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  /** Ends every build; resolves when nothing of them runs. */
  async close(): Promise<void> {
    this.#closing.abort(new EngineError("cancelled", "the engine is stopping"));
    await Promise.allSettled(this.#running);
  }

  async #build<T>(request: BuildRequest, take: (result: BuildResult) => Promise<T>): Promise<T> {
    const { builder } = this.#house.backends;
    await using _hold = builder.hold();
    await using work = new BuildWork(this.#house, request);
    const scanner = request.scanner === undefined ? undefined : await Scanner.find(work, request.scanner);
    const { state, scanTargets } = await solve(work);
    const scanned = await scanner?.scan(await scanTargets());
    request.signal.throwIfAborted();
    return await take({
      state,
      ...(scanned === undefined ? {} : { scanned }),
      layersOf: (paths) => layersOf(builder, { diffIds: state.diffIds, paths, signal: request.signal }),
      materials: [...(request.materials ?? []), ...work.materials.values()],
      records: [...work.records.values()],
      files: async () => withoutGiven(await work.roots.tree(state.diffIds)),
      register: (names) => this.#register(state, names),
    });
  }

  /** Cuts the cache down to what the configuration lets it be, for good. A rule without a size forgets all that it matches. */
  async #collect(): Promise<void> {
    const { config, journal, paths } = this.#house.backends;
    try {
      for (const rule of config.buildGc) await pruneCache(this.#house, { ...rule, bounds: boundsOn(diskOf(paths.builds), rule.bounds) });
    } catch (error) {
      journal.warn("the build cache could not be cut down", error);
    }
  }

  async #register(state: StageState, names: readonly string[]): Promise<Digest> {
    const { builder, images } = this.#house.backends;
    if (state.flavor === "classic" && state.history.length === 0) throw new EngineError("invalidArgument", "No image was generated. Is your Dockerfile empty?");
    if (state.base === undefined) return await builder.register({ ...state.image(), names });
    for (const name of names) await images.tag(state.base, name);
    return state.base;
  }
}

/** Takes away what a killed engine left of its builds; their roots, tasks and networks are nobody's, and go as those of containers do. */
function sweep({ paths, kernel, trash }: BuildBackends): void {
  mkdirSync(paths.buildMounts, { recursive: true, mode: 0o700 });
  for (const mount of kernel.mountsUnder(paths.buildWork)) kernel.umount(mount, MNT.DETACH);
  // The directory stays: on a full disk there is no room for another.
  mkdirSync(paths.buildWork, { recursive: true, mode: 0o700 });
  for (const name of readdirSync(paths.buildWork)) trash.move(join(paths.buildWork, name));
  for (const name of readdirSync(paths.buildMounts)) if (!/^[0-9a-f]{64}(-\d+)?$/.test(name)) trash.move(join(paths.buildMounts, name));
}
