import type { Digest } from "#core/content/content.ts";
import type { Files } from "#core/kernel/kernel.ts";
import { messageOf } from "#base/errors.ts";
import { syncFile } from "./layer-file.ts";
import { layerFiles, settleRecord, type LayerRecord } from "./records.ts";

/** So long after the last layer a pull has named its image: its own writes would wait for the layers on the disk. */
const quietMs = 1_000;

export interface LayerSyncParts {
  readonly layers: string;
  readonly kernel: Files;
  /** Of the layers that are here; a layer's is replaced when the layer is on the disk. */
  readonly records: Map<Digest, LayerRecord>;
  /** Whether layers are being unpacked. */
  readonly busy: () => boolean;
  readonly log: (message: string) => void;
}

/**
 * Brings layers to the disk while others work: a layer's blob is there, so until then a power cut costs unpacking it again.
 * What a pull waits for goes first, so the rest waits until nothing is unpacked any more.
 */
export class LayerSync implements AsyncDisposable {
  readonly #parts: LayerSyncParts;
  readonly #waiting = new Set<Digest>();
  readonly #syncing = new Map<Digest, Promise<void>>();
  #quiet: NodeJS.Timeout | undefined;

  /** Begins with what an engine before this one left. */
  constructor(parts: LayerSyncParts) {
    this.#parts = parts;
    for (const [diffId, record] of parts.records) if (record.unsyncedIn !== undefined) this.#waiting.add(diffId);
    this.#syncAll();
  }

  /** A layer that is whole, and not on the disk yet. */
  add(diffId: Digest): void {
    this.#waiting.add(diffId);
    this.#syncWhenQuiet();
  }

  /** Resolves when the layer survives a power cut; whoever builds on it for good waits for this. */
  async settled(diffId: Digest): Promise<void> {
    this.#sync(diffId);
    await this.#syncing.get(diffId);
  }

  /** Waits for everything that is on its way to the disk. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#quiet);
    this.#syncAll();
    await Promise.allSettled(this.#syncing.values());
  }

  #syncWhenQuiet(): void {
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(() => (this.#parts.busy() ? this.#syncWhenQuiet() : this.#syncAll()), quietMs).unref();
  }

  #syncAll(): void {
    for (const diffId of this.#waiting) this.#sync(diffId);
  }

  #sync(diffId: Digest): void {
    if (!this.#waiting.delete(diffId)) return;
    const { layers, kernel, records, log } = this.#parts;
    const known = records.get(diffId);
    if (known === undefined) return;
    const { unsyncedIn: _, ...record } = known;
    const files = layerFiles(layers, diffId);
    const work = async (): Promise<void> => {
      await syncFile(files.tar);
      await (record.form === "index" ? syncFile(files.index) : kernel.syncFileSystem(files.directory));
      await settleRecord(files.record, layers, record, () => records.has(diffId) && records.set(diffId, record));
    };
    const syncing = work().finally(() => this.#syncing.delete(diffId));
    syncing.catch((error: unknown) => {
      // Removed meanwhile; else it stays unsynced, and the next boot unpacks it again.
      if (records.has(diffId)) log(`layer ${diffId} could not be brought to the disk: ${messageOf(error)}`);
    });
    this.#syncing.set(diffId, syncing);
  }
}
