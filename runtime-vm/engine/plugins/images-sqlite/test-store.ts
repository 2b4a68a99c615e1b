import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EventMessage } from "#api/events.ts";
import type { PullProgress } from "#api/images.ts";
import type { ImageStore } from "#core/images/images.ts";
import type { LayerStore, Snapshotter } from "#core/layers/layers.ts";
import type { Registries } from "#core/registry/registry.ts";
import { openContent } from "#plugins/content-ocilayout/layout.ts";
import { MemoryEventLog } from "#plugins/events-memory/events.ts";
import { createKernel } from "#plugins/kernel-koffi/kernel.ts";
import { openLayers } from "#plugins/layers-erofs/layers.ts";
import { openSqliteState } from "#plugins/state-sqlite/state.ts";
import { openTrash } from "#plugins/trash-directory/trash.ts";
import { openImages } from "./store.ts";

/** A whole image store on real parts, for int tests. */
export interface TestStore extends AsyncDisposable {
  readonly root: string;
  readonly images: ImageStore;
  readonly layers: LayerStore;
  readonly snapshots: Snapshotter;
  /** Ends the store and opens it again over the same directory, as a restarted engine does. */
  reopen(): Promise<void>;
  /** `action id name` of the events since the last call. */
  events(): Promise<string[]>;
}

export async function openTestStore(registries: Registries): Promise<TestStore> {
  const root = mkdtempSync(join(tmpdir(), "images-"));
  const kernel = createKernel();
  const trash = openTrash(join(root, "trash"), () => {});
  const log = new MemoryEventLog();
  let heard = 0;
  const start = async () => {
    const state = openSqliteState(join(root, "state.db"));
    const content = await openContent({ content: join(root, "content"), ingest: join(root, "ingest"), trash });
    const paths = { layers: join(root, "layers"), snapshots: join(root, "snapshots"), layerMounts: join(root, "run") };
    const opened = openLayers({ paths, trash, kernel, log: () => {} });
    const { images, swept } = openImages({ state, content, layers: opened.layers, registries, events: log, architecture: process.arch });
    await swept;
    return { state, opened, images };
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
    reopen: async () => {
      await stop();
      running = await start();
    },
    events: async () => {
      const all: EventMessage[] = [];
      for await (const event of log.follow({ sinceNano: 0n, untilNano: BigInt(Date.now()) * 1_000_000n, signal: new AbortController().signal }))
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
