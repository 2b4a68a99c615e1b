import { randomUUID } from "node:crypto";
import { createReadStream, renameSync, rmSync } from "node:fs";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Readable } from "node:stream";
import type { Digest } from "#core/content/content.ts";
import type { Files } from "#core/kernel/kernel.ts";
import type { LayerEntry } from "#core/layers/layer-entry.ts";
import { type BlobFile, GrowthLost, type LayerFault, type LayerStore } from "#core/layers/layers.ts";
import type { Trash } from "#core/trash/trash.ts";
import { EngineError } from "#base/errors.ts";
import { KeyedLock } from "#base/lock.ts";
import type { LayerMounts } from "./layer-mounts.ts";
import { faultsOf, type Standing } from "./faults.ts";
import { isPlain, share } from "./layer-file.ts";
import { LayerSync } from "./layer-sync.ts";
import { bootId, isWhole, layerFiles, readRecords, writeRecord, type LayerRecord } from "./records.ts";
import { finishSpecials } from "./specials.ts";
import { readTarFile, readTree } from "./tar-files.ts";
import { isKnown, isSmall, unpackedHere } from "./plain-tar.ts";
import type { UnpackPool } from "./unpack-pool.ts";
import { ThreadLost } from "./unpack-thread.ts";
import type { Unpacked } from "./unpack.worker.ts";

interface UnpackWishes {
  readonly expected?: Digest;
  readonly signal: AbortSignal;
  readonly onProgress?: (bytes: number) => void;
}

export interface LayerStoreParts {
  readonly layers: string;
  readonly trash: Trash;
  readonly kernel: Files;
  readonly pool: UnpackPool;
  readonly mounts: LayerMounts;
  readonly log: (message: string) => void;
  /** A root that stands on the layer, mounted or not. */
  readonly userOf: (diffId: Digest) => string | undefined;
  /** Roots, and what of them is mounted. */
  readonly standing: () => Pick<Standing, "roots" | "rootMounts">;
  /** The layer is no more; what was made for roots on it goes too. */
  readonly dropped: (diffId: Digest) => void;
}

/** Layers as `<hex>.tar` with `<hex>.erofs`, an index of it, or `<hex>.d`, its files; `<hex>.json` says which. */
export class ErofsLayerStore implements LayerStore, AsyncDisposable {
  readonly #parts: LayerStoreParts;
  readonly #records: Map<Digest, LayerRecord>;
  readonly #lock = new KeyedLock();
  readonly #boot = bootId();
  readonly #sync: LayerSync;

  constructor(parts: LayerStoreParts) {
    this.#parts = parts;
    this.#records = readRecords(parts.layers, this.#boot, parts.trash);
    this.#sync = new LayerSync({ ...parts, records: this.#records, busy: () => parts.pool.busy });
  }

  get method(): string {
    return this.#parts.mounts.method.kind === "directories" ? "directories" : `erofs ${this.#parts.mounts.method.kind}`;
  }

  has(diffId: Digest): boolean {
    return this.#records.has(diffId);
  }

  size(diffId: Digest): number {
    return this.record(diffId).size;
  }

  unpackedSize(diffId: Digest): number {
    return this.#records.get(diffId)?.unpackedBytes ?? 0;
  }

  list(): readonly Digest[] {
    return [...this.#records.keys()];
  }

  faults(): readonly LayerFault[] {
    const layers = [...this.#records].map(([diffId, record]) => [diffId, { whole: isWhole(layerFiles(this.#parts.layers, diffId), record) }] as const);
    return faultsOf({ layers: new Map(layers), layerMounts: this.#parts.mounts.points(), ...this.#parts.standing() });
  }

  record(diffId: Digest): LayerRecord {
    const record = this.#records.get(diffId);
    if (record === undefined) throw new EngineError("notFound", `layer ${diffId}: not found`);
    return record;
  }

  /** Resolves when the layer survives a power cut. */
  async settled(diffId: Digest): Promise<void> {
    await this.#sync.settled(diffId);
    this.record(diffId);
  }

  /** Waits for everything that is on its way to the disk. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sync[Symbol.asyncDispose]();
  }

  openTar(diffId: Digest): Readable {
    this.record(diffId);
    return createReadStream(layerFiles(this.#parts.layers, diffId).tar, { highWaterMark: 1024 * 1024 });
  }

  async tree(diffId: Digest, { signal }: { signal: AbortSignal }): Promise<{ root: LayerEntry; entries: number }> {
    this.record(diffId);
    return await readTree(layerFiles(this.#parts.layers, diffId).tar, signal);
  }

  openFile(diffId: Digest, entry: LayerEntry): Readable {
    this.record(diffId);
    return readTarFile(layerFiles(this.#parts.layers, diffId).tar, entry);
  }

  async ingest(tar: Readable, opts: { expected?: Digest; signal: AbortSignal }): Promise<{ diffId: Digest; size: number }> {
    const path = join(this.#parts.layers, `ingest-${randomUUID()}`);
    try {
      await this.#store(tar, path, opts.signal);
      const done = await this.#unpack({ path }, { signal: opts.signal, ...(opts.expected === undefined ? {} : { expected: opts.expected }) });
      // There is no blob that it could be made from again.
      await this.settled(done.diffId);
      return done;
    } finally {
      await rm(path, { force: true });
    }
  }

  async unpack(
    blob: BlobFile,
    opts: { expected: Digest; signal: AbortSignal; onProgress?: (bytes: number) => void },
  ): Promise<{ diffId: Digest; size: number }> {
    // A growing file is renamed when it is whole; under a name of its own it stays where it is.
    const own = blob.growth === undefined ? undefined : join(this.#parts.layers, `blob-${randomUUID()}`);
    try {
      if (own !== undefined) share(blob.path, own);
      return await this.#lock.with(opts.expected, async () => {
        const known = this.#records.get(opts.expected);
        if (known !== undefined) return { diffId: opts.expected, size: known.size };
        return await this.#unpack(own === undefined ? blob : { ...blob, path: own }, opts);
      });
    } finally {
      blob.hashed?.(undefined);
      if (own !== undefined) rmSync(own, { force: true });
    }
  }

  remove(diffId: Digest): void {
    if (!this.#records.has(diffId)) return;
    const user = this.#parts.userOf(diffId);
    if (user !== undefined) throw new EngineError("conflict", `layer ${diffId} is in use by ${user}; remove that first`);
    this.#records.delete(diffId);
    this.#parts.dropped(diffId);
    this.#parts.mounts.drop(diffId);
    const files = layerFiles(this.#parts.layers, diffId);
    // The record first: without it the rest is swept at the next start.
    for (const path of [files.record, files.index, files.directory, files.tar]) this.#parts.trash.move(path);
  }

  async #store(tar: Readable, path: string, signal: AbortSignal): Promise<void> {
    const file = await open(path, "wx", 0o644);
    try {
      await pipeline(
        tar,
        async (chunks: AsyncIterable<Buffer>) => {
          for await (const chunk of chunks) await file.appendFile(chunk);
        },
        { signal },
      );
    } finally {
      await file.close();
    }
  }

  /** One that had to share a lost thread is tried once more by itself: another may have been too large for it. */
  async #unpack(blob: BlobFile, opts: UnpackWishes): Promise<{ diffId: Digest; size: number }> {
    try {
      return await this.#unpackOnce(blob, opts, { alone: false });
    } catch (error) {
      if (!(error instanceof ThreadLost)) throw error;
      if (blob.growth !== undefined) throw new GrowthLost(error.message, { cause: error });
      return await this.#unpackOnce(blob, opts, { alone: true });
    }
  }

  async #unpackOnce(blob: BlobFile, opts: UnpackWishes, thread: { alone: boolean }): Promise<{ diffId: Digest; size: number }> {
    const name = join(this.#parts.layers, `unpack-${randomUUID()}`);
    const made = { tar: `${name}.tar`, index: `${name}.erofs`, directory: `${name}.d` };
    try {
      const plain = await isPlain(blob.path);
      if (plain) share(blob.path, made.tar);
      const wantsIndex = this.#parts.mounts.method.kind !== "directories";
      const { growth, hashed, digest } = blob;
      const request = {
        source: blob.path,
        directory: made.directory,
        ...(plain ? {} : { tar: made.tar }),
        ...(plain && growth === undefined && digest !== undefined && digest === opts.expected ? { digest } : {}),
        ...(wantsIndex ? { index: made.index } : {}),
      };
      const options = { ...opts, ...(growth === undefined ? {} : { growth }), ...(hashed === undefined ? {} : { onHashed: hashed }) };
      const unpacked = isKnown(request) && isSmall(request) ? unpackedHere(request, options) : await this.#parts.pool.run(request, options, thread);
      if (opts.expected !== undefined && unpacked.digest !== opts.expected) {
        throw new EngineError("invalidArgument", `layer ${opts.expected}: the tar has digest ${unpacked.digest}; the source sent something else`);
      }
      finishSpecials(this.#parts.kernel, made.directory, unpacked.specials);
      this.#commit(made, unpacked);
      return { diffId: unpacked.digest, size: unpacked.size };
    } finally {
      for (const path of Object.values(made)) rmSync(path, { recursive: true, force: true });
    }
  }

  #commit(made: { tar: string; index: string; directory: string }, unpacked: Unpacked): void {
    if (this.#records.has(unpacked.digest)) return;
    const { layers } = this.#parts;
    const files = layerFiles(layers, unpacked.digest);
    const { entries, unpackedBytes, implicitDirectories, unpackReason } = unpacked.report;
    const form = unpacked.indexBytes === undefined ? "directory" : "index";
    renameSync(made.tar, files.tar);
    renameSync(made[form], files[form]);
    const record: LayerRecord = {
      unsyncedIn: this.#boot,
      size: unpacked.size,
      form,
      indexBytes: unpacked.indexBytes ?? 0,
      entries,
      unpackedBytes,
      implicitDirectories,
      ...(unpackReason === undefined ? {} : { unpackReason }),
    };
    writeRecord(files.record, record);
    this.#records.set(unpacked.digest, record);
    this.#sync.add(unpacked.digest);
  }
}
