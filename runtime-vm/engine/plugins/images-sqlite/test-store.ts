import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EventMessage } from "#api/events.ts";
import type { PullProgress } from "#api/images.ts";
import type { Bin } from "#core/bin/bin.ts";
import type { TrashLimits } from "#core/bin/keeper.ts";
import { testBin } from "#core/bin/testing.ts";
import type { ImageStore } from "#core/images/images.ts";
import type { LayerStore, Snapshotter } from "#core/layers/layers.ts";
import type { ContentStore } from "#core/content/content.ts";
import type { EventLog } from "#core/events/events.ts";
import type { Kernel } from "#core/kernel/kernel.ts";
import type { Registries } from "#core/registry/registry.ts";
import type { State } from "#core/state/state.ts";
import type { Trash } from "#core/trash/trash.ts";
import { openImages } from "./store.ts";

/** A whole image store on real parts, for int tests. */
export interface TestStore extends AsyncDisposable {
  readonly root: string;
  readonly images: ImageStore;
  readonly layers: LayerStore;
  readonly snapshots: Snapshotter;
  /** Keeps what is removed only where the store was opened with limits. */
  readonly bin: Bin;
  /** Ends the store and opens it again over the same directory, as a restarted engine does. */
  reopen(): Promise<void>;
  /** `action id name` of the events since the last call. */
  events(): Promise<string[]>;
}

/** The plugins it stands on; a test names them, as main.ts does. */
export interface TestPlugins {
  readonly kernel: Kernel;
  readonly registries: Registries;
  readonly events: () => EventLog;
  readonly state: (path: string) => State;
  readonly trash: (directory: string) => Trash & { drained(): Promise<void> };
  readonly content: (paths: { content: string; ingest: string; trash: Trash }) => Promise<ContentStore>;
  readonly layers: (opts: {
    paths: { layers: string; snapshots: string; layerMounts: string; outfits: string };
    trash: Trash;
    kernel: Kernel;
    log: (message: string) => void;
  }) => AsyncDisposable & { readonly layers: LayerStore; readonly snapshots: Snapshotter };
}

export async function openTestStore({ kernel, registries, ...plugins }: TestPlugins, limits?: TrashLimits): Promise<TestStore> {
  const root = mkdtempSync(join(tmpdir(), "images-"));
  const trash = plugins.trash(join(root, "trash"));
  const log = plugins.events();
  let heard = 0;
  const start = async () => {
    const state = plugins.state(join(root, "state.db"));
    const content = await plugins.content({ content: join(root, "content"), ingest: join(root, "ingest"), trash });
    const paths = { layers: join(root, "layers"), snapshots: join(root, "snapshots"), layerMounts: join(root, "run"), outfits: join(root, "outfits") };
    const opened = plugins.layers({ paths, trash, kernel, log: () => {} });
    const bin = testBin(state, limits);
    const { images, swept } = openImages({ state, bin, content, layers: opened.layers, registries, events: log, architecture: process.arch });
    await swept;
    return { state, bin, opened, images };
  };
  let running = await start();
  const stop = async () => {
    await running.opened[Symbol.asyncDispose]();
    running.state[Symbol.dispose]();
  };
  return {
    root,
    get images() {
      return running.images;
    },
    get layers() {
      return running.opened.layers;
    },
    get snapshots() {
      return running.opened.snapshots;
    },
    get bin() {
      return running.bin;
    },
    reopen: async () => {
      await stop();
      running = await start();
    },
    events: async () => {
      const all: EventMessage[] = [];
      for await (const event of log.follow({ sinceNano: 0n, untilNano: BigInt(Date.now() + 2) * 1_000_000n, signal: new AbortController().signal }))
        all.push(event);
      const fresh = all.slice(heard);
      heard = all.length;
      return fresh.map(({ Action, Actor }) => `${Action} ${Actor.ID} ${Actor.Attributes["name"] ?? ""}`);
    },
    async [Symbol.asyncDispose]() {
      await stop();
      for (const mount of kernel.mountsUnder(root)) kernel.umount(mount, 2);
      await trash.drained();
      rmSync(root, { recursive: true });
    },
  };
}

/** Everything a pull or load says. */
export async function said(progress: AsyncIterable<PullProgress>): Promise<PullProgress[]> {
  const all: PullProgress[] = [];
  for await (const message of progress) all.push(message);
  return all;
}
