import { constants, rmdirSync, unlinkSync } from "node:fs";
import { codeOf } from "#base/errors.ts";
import { Directory } from "../containers/at.ts";
import { prepareMountPoint } from "../containers/prepare-root.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { IdentityMap } from "../userns/identity.ts";
import { RootTree } from "./root-tree.ts";
import { nameOf, parentOf, resolved } from "./tree.ts";

type PointKernel = Pick<Kernel, "openInRoot" | "getxattrs" | "mount" | "umount" | "mountsUnder">;

/** Places in a step's root that are there for its mounts alone: made before it runs, taken away after it, so that its layer has none of them. */
export class MountPoints {
  readonly #kernel: PointKernel;
  readonly #rootfs: string;
  /** Deepest last. */
  readonly #made: readonly string[];

  private constructor(kernel: PointKernel, rootfs: string, made: readonly string[]) {
    this.#kernel = kernel;
    this.#rootfs = rootfs;
    this.#made = made;
  }

  static make(
    kernel: PointKernel,
    rootfs: string,
    mounts: readonly { destination: string; source?: string | undefined }[],
    map: IdentityMap | undefined,
  ): MountPoints {
    const tree = new RootTree(rootfs, kernel);
    const made: string[] = [];
    for (const mount of mounts) {
      const path = resolved(tree, mount.destination);
      const missing = ancestors(path).filter((one) => tree.lstat(one) === undefined);
      prepareMountPoint(kernel, rootfs, { ...mount, destination: `/${path}` }, map);
      made.push(...missing);
    }
    return new MountPoints(kernel, rootfs, made);
  }

  /** What the step has put something into stays. */
  remove(): void {
    const tree = new RootTree(this.#rootfs, this.#kernel);
    for (const path of this.#made.toReversed()) {
      const entry = tree.lstat(path);
      if (entry === undefined) continue;
      using parent = new Directory(this.#kernel.openInRoot(this.#rootfs, `/${parentOf(path)}`, constants.O_RDONLY | constants.O_DIRECTORY));
      try {
        if (entry.type === "directory") rmdirSync(parent.at(nameOf(path)));
        else if (entry.type === "file" && entry.size === 0) unlinkSync(parent.at(nameOf(path)));
      } catch (error) {
        if (codeOf(error) !== "ENOTEMPTY") throw error;
      }
    }
  }
}

/** `a`, `a/b`, `a/b/c`. */
const ancestors = (path: string): string[] => path.split("/").map((_, i, parts) => parts.slice(0, i + 1).join("/"));
