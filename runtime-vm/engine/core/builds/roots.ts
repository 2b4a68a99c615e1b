import { constants } from "node:fs";
import { Directory } from "../containers/at.ts";
import { generateId } from "../containers/names.ts";
import type { Digest } from "../content/content.ts";
import type { BuildBackends } from "./backends.ts";
import { RootTree } from "./root-tree.ts";

/** A root of its own, to write into. */
export interface WritableRoot {
  readonly id: string;
  readonly rootfs: string;
  readonly upper: string;
}

type RootBackends = Pick<BuildBackends, "snapshots" | "kernel">;

/** Roots that a build looks into: one a stack of layers, mounted when it is first asked for, gone when the build ends. */
export class Roots implements AsyncDisposable {
  readonly #backends: RootBackends;
  readonly #trees = new Map<string, Promise<{ id: string; tree: RootTree }>>();

  constructor(backends: RootBackends) {
    this.#backends = backends;
  }

  /** Files of these layers, lowest first. */
  async tree(layers: readonly Digest[]): Promise<RootTree> {
    return (await this.#root(layers)).tree;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const opening of this.#trees.values()) {
      const root = await opening.catch(() => undefined);
      if (root !== undefined) await this.#backends.snapshots.remove(root.id);
    }
  }

  #root(layers: readonly Digest[]): Promise<{ id: string; tree: RootTree }> {
    const key = layers.join(" ");
    const known = this.#trees.get(key);
    if (known !== undefined) return known;
    const opening = this.#open(layers);
    this.#trees.set(key, opening);
    return opening;
  }

  async #open(layers: readonly Digest[]): Promise<{ id: string; tree: RootTree }> {
    const { id, rootfs } = await openRoot(this.#backends, layers);
    return { id, tree: new RootTree(rootfs, this.#backends.kernel) };
  }
}

/** `mapped`: for commands whose users are mapped. The caller removes the snapshot, without mounting it again; one that a killed engine leaves goes at the next start, as no container has its id. */
export async function openRoot(
  { snapshots }: RootBackends,
  layers: readonly Digest[],
  { id = generateId(), mapped = false }: { readonly id?: string; readonly mapped?: boolean } = {},
): Promise<WritableRoot> {
  await snapshots.prepare(id, layers, { mapped, transient: true });
  try {
    return { id, rootfs: await snapshots.mount(id), upper: snapshots.upperDir(id) };
  } catch (error) {
    await snapshots.remove(id);
    throw error;
  }
}

export const openDirectory = (kernel: RootBackends["kernel"], path: string): Directory =>
  new Directory(kernel.openInRoot(path, "/", constants.O_RDONLY | constants.O_DIRECTORY));
