import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Digest } from "#core/content/content.ts";
import { type Mounts, MNT } from "#core/kernel/kernel.ts";
import { restoreImplicit, type StackedLayer } from "./implicit.ts";

/** What every root has over its image's layers, whatever the image. */
export interface OutfitOptions {
  /** For one directory an image; may be gone after a reboot. */
  readonly directory: string;
  /** Puts it into a root. */
  readonly make: (root: string) => void;
}

const pathsOf = (directory: string, name: string) => {
  const home = join(directory, name);
  return { home, root: join(home, "root"), work: join(home, "work"), merged: join(home, "merged"), layers: join(home, "layers.json") } as const;
};

/** One that is still being made. */
const unfinished = ".new";

/**
 * The directories between the layers of an image and the roots on them, one a stack of layers, shared by all of its roots: what is put
 * into every root is made once for an image and not once for a container, and so are the attributes that a layer without an entry for a
 * directory says nothing of.
 */
export class Outfits {
  readonly #options: OutfitOptions;
  readonly #mounts: Mounts;
  /** By name, the layers each is over. */
  readonly #made = new Map<string, ReadonlySet<Digest>>();

  /** Finds those of an earlier engine; half-made ones, and those over layers that are gone, are removed. */
  constructor(options: OutfitOptions, mounts: Mounts, has: (diffId: Digest) => boolean) {
    this.#options = options;
    this.#mounts = mounts;
    mkdirSync(options.directory, { recursive: true, mode: 0o700 });
    for (const path of mounts.mountsUnder(options.directory)) mounts.umount(path, MNT.DETACH);
    for (const name of readdirSync(options.directory)) {
      const layers = name.endsWith(unfinished) ? undefined : readLayers(pathsOf(options.directory, name).layers);
      if (layers?.every((diffId) => has(diffId)) === true) this.#made.set(name, new Set(layers));
      else this.#remove(name);
    }
  }

  /** The directory to mount over `lower`, whose layers are `stack`, all topmost first. */
  over(stack: readonly Digest[], layers: readonly StackedLayer[], lower: readonly string[]): string {
    const name = createHash("sha256").update(stack.join()).digest("hex");
    if (!this.#made.has(name)) {
      this.#make(`${name}${unfinished}`, stack, layers, lower);
      renameSync(pathsOf(this.#options.directory, `${name}${unfinished}`).home, pathsOf(this.#options.directory, name).home);
      this.#made.set(name, new Set(stack));
    }
    return pathsOf(this.#options.directory, name).root;
  }

  /** The layer goes: no root stands on it any more. */
  drop(diffId: Digest): void {
    for (const [name, layers] of this.#made) if (layers.has(diffId)) this.#remove(name);
  }

  #make(name: string, stack: readonly Digest[], layers: readonly StackedLayer[], lower: readonly string[]): void {
    const paths = pathsOf(this.#options.directory, name);
    this.#remove(name);
    for (const path of [paths.home, paths.root, paths.work, paths.merged]) mkdirSync(path, { mode: 0o755 });
    this.#mounts.mountOverlay({ target: paths.merged, lower, upper: paths.root, work: paths.work, volatile: true });
    try {
      restoreImplicit(paths.merged, layers);
      this.#options.make(paths.merged);
    } finally {
      this.#mounts.umount(paths.merged);
    }
    for (const path of [paths.merged, paths.work]) rmSync(path, { recursive: true });
    writeFileSync(paths.layers, JSON.stringify(stack));
  }

  #remove(name: string): void {
    this.#made.delete(name);
    const { home } = pathsOf(this.#options.directory, name);
    if (existsSync(home)) rmSync(home, { recursive: true });
  }
}

function readLayers(path: string): Digest[] | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Digest[];
  } catch {
    // Torn by a power cut, where the directory is on a disk.
    return undefined;
  }
}
