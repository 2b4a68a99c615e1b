import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import type { Digest } from "../content/content.ts";
import type { LayerStore, Snapshotter } from "./layers.ts";
import { packTar, type TarFile } from "./tar-writer.ts";

/** A store under test. `reopen` ends the engine's objects and makes new ones over the same files and mounts. */
export interface OpenedLayerStore extends AsyncDisposable {
  readonly layers: LayerStore;
  readonly snapshots: Snapshotter;
  /** A directory of its file system. */
  readonly root: string;
  /** Mount points below the store's root. */
  mounts(): string[];
  reopen(): Promise<void>;
}

const signal = new AbortController().signal;
export const digestOf = (bytes: Uint8Array): Digest => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
export const dir = (name: string, more: Partial<TarFile> = {}): TarFile => ({ name: `${name}/`, type: "5", mode: 0o755, ...more });
export const file = (name: string, text: string, more: Partial<TarFile> = {}): TarFile => ({ name, body: Buffer.from(text), ...more });
export const symlink = (name: string, linkName: string): TarFile => ({ name, type: "2", linkName });

/** What a test does with the mounted root of some layers, upper ones last. */
export type WithRoot = <T>(layers: readonly (readonly TarFile[])[], look: (root: string, opened: OpenedLayerStore) => T | Promise<T>) => Promise<T>;

export const rootOf =
  (open: () => Promise<OpenedLayerStore>): WithRoot =>
  async (layers, look) => {
    await using opened = await open();
    const ids: Digest[] = [];
    for (const files of layers) ids.push((await opened.layers.ingest(Readable.from([packTar(files)]), { signal })).diffId);
    await opened.snapshots.prepare("box", ids);
    const root = await opened.snapshots.mount("box");
    return await look(root, opened);
  };
