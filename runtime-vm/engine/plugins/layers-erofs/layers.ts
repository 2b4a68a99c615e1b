import { mkdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import type { Digest } from "#core/content/content.ts";
import type { Kernel } from "#core/kernel/kernel.ts";
import type { LayerStore, Snapshotter } from "#core/layers/layers.ts";
import type { Trash } from "#core/trash/trash.ts";
import { LayerMounts, type MountMethod } from "./layer-mounts.ts";
import { ErofsLayerStore } from "./layer-store.ts";
import { Outfits } from "./outfits.ts";
import { probeMounts } from "./probe.ts";
import { OverlaySnapshotter } from "./snapshots.ts";
import { UnpackPool } from "./unpack-pool.ts";

export interface LayersOptions {
  /** From enginePaths: `layers`, `snapshots` and the trash on one file system. */
  readonly paths: { readonly layers: string; readonly snapshots: string; readonly layerMounts: string; readonly outfits: string };
  readonly trash: Trash;
  readonly kernel: Kernel;
  readonly log: (message: string) => void;
  /** Puts into a root what every root has, whatever its image: into one that all roots of an image share, and before they are made. */
  readonly outfit?: (root: string) => void;
  /** Skips the probe, for tests of a method. */
  readonly method?: MountMethod;
  /** Pinned file of the user namespace that mapped roots are mounted by. */
  readonly userns?: string;
}

export interface OpenedLayers extends AsyncDisposable {
  readonly layers: LayerStore;
  readonly snapshots: Snapshotter;
}

/**
 * Opens the layer store and the writable roots over it, taking up what an earlier engine left mounted. Disposing ends
 * the worker threads and waits for the disk; mounted roots stay for the containers that live in them.
 */
export function openLayers({ paths, trash, kernel, log, outfit = () => undefined, method, userns }: LayersOptions): OpenedLayers {
  for (const path of [paths.layers, paths.snapshots, paths.layerMounts]) mkdirSync(path, { recursive: true, mode: 0o700 });
  const mounts = new LayerMounts(kernel, paths.layerMounts, method ?? probeMounts(kernel, paths.layers, paths.layerMounts, log));
  // The engine's own thread wants a core, too.
  const limits = { layersMax: Math.max(3, availableParallelism()), threadsMax: Math.max(1, availableParallelism() - 1) };
  const pool = new UnpackPool(limits, () => kernel.releaseMemory());
  const userOf = (diffId: Digest): string | undefined => snapshots.userOf(diffId);
  const dropped = (diffId: Digest): void => outfits.drop(diffId);
  const store = new ErofsLayerStore({ layers: paths.layers, trash, kernel, pool, mounts, log, userOf, dropped, standing: () => snapshots.standing() });
  const outfits: Outfits = new Outfits({ directory: paths.outfits, make: outfit }, kernel, (diffId) => store.has(diffId));
  const snapshots: OverlaySnapshotter = new OverlaySnapshotter({
    snapshots: paths.snapshots,
    layers: paths.layers,
    trash,
    kernel,
    store,
    mounts,
    outfits,
    ...(userns === undefined ? {} : { userns }),
  });
  return {
    layers: store,
    snapshots,
    async [Symbol.asyncDispose]() {
      await pool[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    },
  };
}
