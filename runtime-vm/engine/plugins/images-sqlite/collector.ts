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
    // What is under way may count on it.
    if (this.#holders > 0) throw new EngineError("conflict", "images are being pulled, loaded or saved; remove the platform when that has ended");
    this.#parts.content.remove(manifest.digest);
    this.#parts.documents.forget(manifest.digest);
    const kept = await this.#reach(this.#targets());
    this.#remove(gone, kept);
  }

  /** Bytes of blobs and layers that only `target` refers to, of all images and those in the trash. */
  async weigh(target: Descriptor): Promise<number> {
    const others = this.#targets().filter(({ digest }) => digest !== target.digest);
    const { content, layers } = this.#parts;
    const [own, kept] = [await this.#reach([target]), this.#withCache(await this.#reach(others))];
    const blobs = [...own.blobs].filter((digest) => !kept.blobs.has(digest)).map((digest) => content.stat(digest)?.size ?? 0);
    const diffIds = [...own.diffIds].filter((diffId) => !kept.diffIds.has(diffId)).map((diffId) => layers.unpackedSize(diffId));
    return [...blobs, ...diffIds].reduce((sum, bytes) => sum + bytes, 0);
  }

  #targets(): Descriptor[] {
    return [...this.#parts.names.all().map(({ target }) => target), ...this.#parts.trashed()];
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
    const gone = { blobs: new Set(layers.map(({ blob }) => blob.digest)), diffIds: new Set(layers.map(({ diffId }) => diffId)) };
    const kept = await this.#undisturbed(() => this.#kept());
    // Something under way may build on them; they go with the next sweep.
    return kept === undefined ? 0 : this.#remove(gone, kept);
  }

  async layersInImages(): Promise<ReadonlySet<Digest>> {
    return (await this.#reach(this.#parts.names.all().map(({ target }) => target))).diffIds;
  }

  /** Undefined where something was under way meanwhile, be it over by now: what was read then may lack what it gave a name. */
  async #undisturbed<T>(read: () => Promise<T>): Promise<T | undefined> {
    const begun = this.#begun;
    if (this.#holders > 0) return undefined;
    const found = await read();
    return this.#begun === begun ? found : undefined;
  }

  async #kept(): Promise<Reach> {
    return this.#withCache(await this.#reach(this.#targets()));
  }

  #withCache(kept: Reach): Reach {
    for (const { blob, diffId } of this.#parts.cached()) {
      kept.blobs.add(blob.digest);
      kept.diffIds.add(diffId);
    }
    return kept;
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
    const reach: Reach = { blobs: new Set(), diffIds: new Set() };
    for (const target of targets) await this.#parts.documents.reach(target, reach);
    return reach;
  }
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
