import { randomUUID } from "node:crypto";
import { chownSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { KeyedLock } from "#base/lock.ts";
import type { BuiltLayer } from "../images/building.ts";
import { mappedRoot } from "../userns/identity.ts";
import type { BuildBackends } from "./backends.ts";
import type { MountUse } from "./cache-mounts.ts";
import type { BuildCache, CacheRecord } from "./cache.ts";
import type { BuildRequest, StepWatch } from "./request.ts";
import { HistoryCache, type ToldStep } from "./history-cache.ts";
import { Roots } from "./roots.ts";

/** What all builds share. */
export interface BuildHouse {
  readonly backends: BuildBackends;
  readonly cache: BuildCache;
  /** One execution of the same step at a time, whichever builds ask for it. */
  readonly steps: KeyedLock;
  /** Cache mounts in use: none goes meanwhile. */
  readonly mounts: MountUse;
  /** Cache mounts are made by one step. */
  readonly making: KeyedLock;
}

/** Something from elsewhere that a build has used, and what it was. */
export interface BuildMaterial {
  /** As a package URL or an address. */
  readonly uri: string;
  readonly digest: Readonly<Record<string, string>>;
}

/** Work whose result is kept. */
interface Step {
  readonly key: string;
  readonly stage: string;
  readonly description: string;
  readonly watch: StepWatch;
  /** Is done although it is cached; what the request says of its stage where absent. */
  readonly fresh?: boolean;
  /** For a cache that goes by histories. */
  readonly told?: ToldStep;
}

/** One build while it runs. */
export class BuildWork implements AsyncDisposable {
  readonly house: BuildHouse;
  readonly request: BuildRequest;
  readonly roots: Roots;
  /** By their addresses. */
  readonly materials = new Map<string, BuildMaterial>();
  /** Records of the cache that it has used or made, by their keys. */
  readonly records = new Map<string, CacheRecord>();
  readonly #undo = new AsyncDisposableStack();
  readonly #directory: string;
  /** Instead of the cache here. */
  readonly #histories: HistoryCache | undefined;

  constructor(house: BuildHouse, request: BuildRequest) {
    this.house = house;
    this.request = request;
    this.roots = this.#undo.use(new Roots(house.backends));
    this.#directory = join(house.backends.paths.buildWork, randomUUID());
    mkdirSync(this.#directory, { recursive: true, mode: 0o710 });
    chownSync(this.#directory, 0, mappedRoot(house.backends.userns?.map).gid);
    this.#undo.defer(() => rmSync(this.#directory, { recursive: true, force: true }));
    const { cacheFrom = [] } = request;
    this.#histories = cacheFrom.length === 0 ? undefined : new HistoryCache(this, cacheFrom);
  }

  get backends(): BuildBackends {
    return this.house.backends;
  }

  /** Seconds: what files that the build itself makes have as their time. */
  get now(): number {
    return this.request.epoch ?? Math.floor(Date.now() / 1000);
  }

  /** A new name for a file or directory that goes with the build. */
  scratch(): string {
    return join(this.#directory, randomUUID());
  }

  /** Disposed when the build ends. */
  use<T extends AsyncDisposable>(thing: T): T {
    return this.#undo.use(thing);
  }

  /** The cached result of a step, or that of doing it now; one of two that ask for the same does it. */
  async once(step: Step, make: () => Promise<BuiltLayer | undefined>): Promise<Pick<CacheRecord, "layer" | "created">> {
    const { steps } = this.house;
    const fresh = step.fresh ?? this.request.ignoresCache(step.stage);
    using _lock = await steps.acquire(step.key, this.request.signal);
    this.request.signal.throwIfAborted();
    const known = fresh ? undefined : await this.known(step);
    if (known !== undefined) {
      step.watch.cached();
      return known;
    }
    const layer = await make();
    return this.keep({ key: step.key, kind: "layer", description: step.description, created: this.stamp(), ...(layer === undefined ? {} : { layer }) });
  }

  /** A step's record here or in a cache elsewhere. */
  async known({ key, description, told }: Pick<Step, "key" | "description" | "told">): Promise<CacheRecord | undefined> {
    const { cache } = this.house;
    if (this.#histories !== undefined && told !== undefined) {
      const found = await this.#histories.find(told);
      return found === undefined ? undefined : this.keep({ key, kind: found.layer === undefined ? "config" : "layer", description, ...found });
    }
    const here = cache.find(key, new Date());
    const found = here ?? (await this.request.imported?.(key));
    if (found === undefined) return undefined;
    if (here === undefined) cache.put(found);
    this.records.set(key, found);
    return found;
  }

  /** Puts a step's record into the cache. */
  keep(made: Pick<CacheRecord, "key" | "kind" | "description" | "layer" | "created">): CacheRecord {
    this.house.cache.put(made);
    const record = { ...made, lastUsed: made.created, usageCount: 1 };
    this.records.set(made.key, record);
    return record;
  }

  /** RFC 3339: when a step is done now, but nothing is younger than SOURCE_DATE_EPOCH. */
  stamp(): string {
    const { epoch } = this.request;
    return epoch === undefined ? new Date().toISOString() : new Date(epoch * 1000).toISOString().replace(".000Z", "Z");
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#undo.disposeAsync();
  }
}
