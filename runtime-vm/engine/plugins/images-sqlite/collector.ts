import type { ContentStore, Descriptor, Digest } from "#core/content/content.ts";
import type { BuiltLayer } from "#core/images/building.ts";
import type { LayerStore } from "#core/layers/layers.ts";
import { EngineError, isClass } from "#base/errors.ts";
import type { Documents } from "./documents.ts";
import type { ImageNames } from "./names.ts";

export interface CollectorParts {
  readonly content: ContentStore;
  readonly layers: LayerStore;
  readonly documents: Documents;
  readonly names: ImageNames;
  /** Layers that the build cache keeps, though no image has them. */
  readonly cached: () => Iterable<BuiltLayer>;
  /** What images in the trash stand for. */
  readonly trashed: () => readonly Descriptor[];
  /** Layers of build cache in the trash. */
  readonly trashedLayers: () => Iterable<BuiltLayer>;
}

interface Reach {
  readonly blobs: Set<Digest>;
  readonly diffIds: Set<Digest>;
}

/**
 * Takes away what no image refers to any more. While a pull or load is under way nothing goes: what it brought has no
 * name yet. What was due meanwhile goes when the last one ends.
 */
export class Collector {
  readonly #parts: CollectorParts;
  #holders = 0;
  /** How many there have been. */
  #begun = 0;
  #due: Descriptor[] = [];
  #sweepDue: ((digest: Digest) => boolean) | undefined;

  constructor(parts: CollectorParts) {
    this.#parts = parts;
  }

  /** Until it is disposed, nothing is collected. */
  hold(): AsyncDisposable {
    this.#holders += 1;
    this.#begun += 1;
    return {
      [Symbol.asyncDispose]: async () => {
        this.#holders -= 1;
        if (this.#holders > 0) return;
        if (this.#due.length > 0) await this.collect(this.#due.splice(0));
        if (this.#sweepDue !== undefined) await this.sweep(this.#sweepDue);
      },
    };
  }

  /** What a pull under way has brought, and will give no name. */
  abandon(targets: readonly Descriptor[]): void {
    this.#due.push(...targets);
  }

  /** Removes what only `targets`, which have lost their names, referred to. Returns the bytes of blobs and layers it took. */
  async collect(targets: readonly Descriptor[]): Promise<number> {
    const read = await this.#undisturbed(async () => ({ gone: await this.#reach(targets), kept: await this.#kept() }));
    if (read !== undefined) return this.#remove(read.gone, read.kept);
    if (this.#holders === 0) return await this.collect(targets);
    this.#due.push(...targets);
    return 0;
  }

  /** Removes one manifest of an index that stays, and what only that manifest referred to. */
  async discard(manifest: Descriptor): Promise<void> {
    const gone = await this.#reach([manifest]);
    this.withdraw(manifest);
    this.#remove(gone, await this.#kept());
  }

  /** Removes one manifest of an index that stays, and nothing else: what it referred to is held otherwise. */
  withdraw({ digest }: Descriptor): void {
    // What is under way may count on it.
    if (this.#holders > 0) throw new EngineError("conflict", "images are being pulled, loaded or saved; remove the platform when that has ended");
    this.#parts.content.remove(digest);
    this.#parts.documents.forget(digest);
  }

  /** Bytes of blobs and layers that only `targets` refer to, of all images and those in the trash. */
  async weigh(targets: readonly Descriptor[]): Promise<number> {
    const own = new Set(targets.map(({ digest }) => digest));
    const others = this.#targets().filter(({ digest }) => !own.has(digest));
    return this.#weight(await this.#reach(targets), withLayers(await this.#reach(others), this.#cached()));
  }

  /** Bytes of blobs and layers that only these are made of, beside all images and `staying`. */
  async weighLayers(layers: readonly BuiltLayer[], staying: Iterable<BuiltLayer>): Promise<number> {
    return this.#weight(withLayers(nothing(), layers), withLayers(await this.#reach(this.#targets()), staying));
  }

  #weight(own: Reach, kept: Reach): number {
    const { content, layers } = this.#parts;
    const blobs = [...own.blobs].filter((digest) => !kept.blobs.has(digest)).map((digest) => content.stat(digest)?.size ?? 0);
    const diffIds = [...own.diffIds].filter((diffId) => !kept.diffIds.has(diffId) && layers.has(diffId)).map((diffId) => layers.unpackedSize(diffId));
    return [...blobs, ...diffIds].reduce((sum, bytes) => sum + bytes, 0);
  }

  /** Bytes of blobs and layers that nothing but the trash refers to. */
  async trashedBytes(): Promise<number> {
    const { cached, trashed, trashedLayers } = this.#parts;
    return this.#weight(withLayers(await this.#reach(trashed()), trashedLayers()), withLayers(await this.#reach(this.#named()), cached()));
  }

  #named(): Descriptor[] {
    return this.#parts.names.all().map(({ target }) => target);
  }

  #targets(): Descriptor[] {
    return [...this.#named(), ...this.#parts.trashed()];
  }

  #cached(): BuiltLayer[] {
    return [...this.#parts.cached(), ...this.#parts.trashedLayers()];
  }

  /**
   * Removes what has no name, of blobs those that `isOld` says: what a pull left that was cancelled, or whose engine was killed. Returns the
   * bytes it took; while something is under way none, and it is done after that.
   */
  async sweep(isOld: (digest: Digest) => boolean): Promise<number> {
    const kept = await this.#undisturbed(() => this.#kept());
    if (kept === undefined && this.#holders === 0) return await this.sweep(isOld);
    this.#sweepDue = kept === undefined ? isOld : undefined;
    if (kept === undefined) return 0;
    const blobs = new Set([...this.#parts.content.list()].map(({ digest }) => digest).filter(isOld));
    return this.#remove({ blobs, diffIds: new Set(this.#parts.layers.list()) }, kept);
  }

  /** Layers that the build cache has let go of. */
  async collectLayers(layers: readonly BuiltLayer[]): Promise<number> {
    const kept = await this.#undisturbed(() => this.#kept());
    // Something under way may build on them; they go with the next sweep.
    return kept === undefined ? 0 : this.#remove(withLayers(nothing(), layers), kept);
  }

  async layersInImages(): Promise<ReadonlySet<Digest>> {
    return (await this.#reach(this.#named())).diffIds;
  }

  /** Undefined where something was under way meanwhile, be it over by now: what was read then may lack what it gave a name. */
  async #undisturbed<T>(read: () => Promise<T>): Promise<T | undefined> {
    const begun = this.#begun;
    if (this.#holders > 0) return undefined;
    const found = await read();
    return this.#begun === begun ? found : undefined;
  }

  async #kept(): Promise<Reach> {
    return withLayers(await this.#reach(this.#targets()), this.#cached());
  }

  #remove(gone: Reach, kept: Reach): number {
    const { content, layers } = this.#parts;
    let bytes = 0;
    for (const digest of gone.blobs) {
      if (kept.blobs.has(digest)) continue;
      bytes += content.stat(digest)?.size ?? 0;
      content.remove(digest);
    }
    for (const diffId of gone.diffIds) {
      if (kept.diffIds.has(diffId) || !layers.has(diffId)) continue;
      const size = layers.unpackedSize(diffId);
      if (removed(layers, diffId)) bytes += size;
    }
    return bytes;
  }

  async #reach(targets: readonly Descriptor[]): Promise<Reach> {
    const reach = nothing();
    for (const target of targets) await this.#parts.documents.reach(target, reach);
    return reach;
  }
}

const nothing = (): Reach => ({ blobs: new Set(), diffIds: new Set() });

function withLayers(reach: Reach, layers: Iterable<BuiltLayer>): Reach {
  for (const { blob, diffId } of layers) {
    reach.blobs.add(blob.digest);
    reach.diffIds.add(diffId);
  }
  return reach;
}

/** False for a layer that a container still stands on; it goes at a later sweep. */
function removed(layers: LayerStore, diffId: Digest): boolean {
  try {
    layers.remove(diffId);
    return true;
  } catch (error) {
    if (isClass(error, "conflict")) return false;
    throw error;
  }
}
