import { closeSync, mkdirSync, rmdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Digest } from "#core/content/content.ts";
import { MNT, MS, type Kernel } from "#core/kernel/kernel.ts";
import { codeOf } from "#base/errors.ts";

/** How this kernel mounts a file that holds an EROFS image with a second file as its device. */
export type MountMethod = { readonly kind: "file"; readonly directio: boolean } | { readonly kind: "loop" } | { readonly kind: "directories" };

/** Up to here a layer's tar may be in memory a second time: its many small files come sooner from there than one by one from the disk. */
const cachedBytesMax = 4 * 1024 * 1024;

/** Mounts `index` over `tar` at `target` by the method. Throws KernelError when the kernel cannot. */
export function mountIndex(kernel: Kernel, method: MountMethod, what: { index: string; tar: string; target: string }): void {
  if (method.kind === "file") {
    const direct = method.directio && statSync(what.tar).size > cachedBytesMax;
    const data = `device=${what.tar}${direct ? ",directio" : ""}`;
    return kernel.mount({ source: what.index, target: what.target, type: "erofs", flags: MS.RDONLY, data });
  }
  const index = kernel.loop(what.index, true);
  try {
    const tar = kernel.loop(what.tar, true);
    try {
      kernel.mount({ source: index.device, target: what.target, type: "erofs", flags: MS.RDONLY, data: `device=${tar.device}` });
    } finally {
      closeSync(tar.fd);
    }
  } finally {
    closeSync(index.fd);
  }
}

/**
 * Layers that are mounted because a root stands on them, or stood: an unused one stays for the next container of its image
 * until the layer is removed. What an earlier engine left is taken over by `adopt`, the rest of it unmounted by `sweep`.
 */
export class LayerMounts {
  readonly method: MountMethod;
  readonly #kernel: Kernel;
  readonly #directory: string;
  /** Every mounted layer with the roots that stand on it. */
  readonly #users = new Map<Digest, Set<string>>();

  constructor(kernel: Kernel, directory: string, method: MountMethod) {
    this.#kernel = kernel;
    this.#directory = directory;
    this.method = method;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  /** The layer's directory, mounted if it is not yet; counted for `user` until `release`. */
  acquire(diffId: Digest, user: string, files: { index: string; tar: string }): string {
    const target = this.#target(diffId);
    let users = this.#users.get(diffId);
    if (users === undefined) {
      mkdirSync(target, { recursive: true, mode: 0o700 });
      mountIndex(this.#kernel, this.method, { ...files, target });
      users = new Set();
      this.#users.set(diffId, users);
    }
    users.add(user);
    return target;
  }

  /** Where layers are mounted. */
  points(): readonly string[] {
    return this.#kernel.mountsUnder(this.#directory).filter((path) => path !== this.#directory);
  }

  /** An overlay needs something below; an image without layers stands on this. */
  emptyDirectory(): string {
    const path = join(this.#directory, "empty");
    mkdirSync(path, { recursive: true, mode: 0o755 });
    return path;
  }

  release(diffId: Digest, user: string): void {
    this.#users.get(diffId)?.delete(user);
  }

  /** The layer goes: unmounts it. Nobody uses it any more. */
  drop(diffId: Digest): void {
    if (this.#users.delete(diffId)) this.#unmount(this.#target(diffId));
  }

  /** Counts a root that an earlier engine mounted. */
  adopt(diffId: Digest, user: string): void {
    this.#users.set(diffId, (this.#users.get(diffId) ?? new Set<string>()).add(user));
  }

  /** Unmounts what nobody uses: an earlier engine may have been killed between the two steps of a release. */
  sweep(): void {
    const used = new Set([...this.#users.keys()].map((diffId) => this.#target(diffId)));
    for (const target of this.#kernel.mountsUnder(this.#directory)) if (!used.has(target)) this.#unmount(target);
  }

  #target(diffId: Digest): string {
    return join(this.#directory, diffId.slice("sha256:".length));
  }

  #unmount(target: string): void {
    // Detached, so that a process that still looks into it does not keep the engine from going on.
    this.#kernel.umount(target, MNT.DETACH);
    try {
      rmdirSync(target);
    } catch (error) {
      if (codeOf(error) !== "ENOENT") throw error;
    }
  }
}
