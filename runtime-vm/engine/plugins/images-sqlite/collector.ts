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
  #due: Descriptor[] = [];

  constructor(parts: CollectorParts) {
    this.#parts = parts;
  }

  /** Until it is disposed, nothing is collected. */
  hold(): AsyncDisposable {
    this.#holders += 1;
    return {
      [Symbol.asyncDispose]: async () => {
        this.#holders -= 1;
        if (this.#holders > 0 || this.#due.length === 0) return;
        await this.collect(this.#due.splice(0));
      },
    };
  }

  /** Removes what only `targets`, which have lost their names, referred to. Returns the bytes of blobs and layers it took. */
  async collect(targets: readonly Descriptor[]): Promise<number> {
    if (this.#holders > 0) {
      this.#due.push(...targets);
      return 0;
    }
    const gone = await this.#reach(targets);
    const kept = await this.#kept();
    // A pull may have begun while documents were read.
    if (this.#holders > 0) {
      this.#due.push(...targets);
      return 0;
    }
    return this.#remove(gone, kept);
  }

  /** Removes one manifest of an index that stays, and what only that manifest referred to. */
  async discard(manifest: Descriptor): Promise<void> {
    const gone = await this.#reach([manifest]);
    // What is under way may count on it.
    if (this.#holders > 0) throw new EngineError("conflict", "images are being pulled, loaded or saved; remove the platform when that has ended");
    this.#parts.content.remove(manifest.digest);
    this.#parts.documents.forget(manifest.digest);
    const kept = await this.#reach(this.#parts.names.all().map(({ target }) => target));
    this.#remove(gone, kept);
  }

  /** At start: what an engine that was killed in a pull left without a name. A download of the last day is kept for the next attempt. */
  async sweep(isOld: (digest: Digest) => boolean): Promise<void> {
    const kept = await this.#kept();
    const blobs = new Set([...this.#parts.content.list()].map(({ digest }) => digest).filter(isOld));
    this.#remove({ blobs, diffIds: new Set(this.#parts.layers.list()) }, kept);
  }

  /** Layers that the build cache has let go of. */
  async collectLayers(layers: readonly BuiltLayer[]): Promise<number> {
    const gone = { blobs: new Set(layers.map(({ blob }) => blob.digest)), diffIds: new Set(layers.map(({ diffId }) => diffId)) };
    const kept = await this.#kept();
    // Something under way may build on them; they go at the next start.
    return this.#holders > 0 ? 0 : this.#remove(gone, kept);
  }

  async layersInImages(): Promise<ReadonlySet<Digest>> {
    return (await this.#reach(this.#parts.names.all().map(({ target }) => target))).diffIds;
  }

  async #kept(): Promise<Reach> {
    const kept = await this.#reach(this.#parts.names.all().map(({ target }) => target));
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
