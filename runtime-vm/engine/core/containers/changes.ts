import type { Stats } from "node:fs";
import { codeOf } from "#base/errors.ts";
import type { Directory } from "./at.ts";
import type { ContainerBackends } from "./backends.ts";
import { openRootDirectory } from "./base-root.ts";

/** One line of `docker diff`. */
export interface Change {
  readonly Path: string;
  /** Modified, added, deleted. */
  readonly Kind: 0 | 1 | 2;
}

export interface Trees {
  readonly kernel: Pick<ContainerBackends["kernel"], "openInRoot" | "getxattrs">;
  /** Writable directory of the container's overlay: what is not in it has not changed. */
  readonly upper: string;
  /** The container's root as it is. */
  readonly current: string;
  /** The root as it was when the container was made, and its writable directory. */
  readonly base: string;
  readonly baseUpper: string;
}

/** How many names are looked at before everybody else has a turn. */
const namesAtOnce = 500;

/**
 * What a container changed of its image, in dockerd's terms: files by mode, owner, device, size, time and capabilities, directories
 * without size and time; a directory with changes below is itself modified; of a deleted directory only its own name is told.
 */
export async function changesOf(trees: Trees): Promise<Change[]> {
  using upper = openRootDirectory(trees.kernel, trees.upper);
  using current = openRootDirectory(trees.kernel, trees.current);
  using base = openRootDirectory(trees.kernel, trees.base);
  using baseUpper = openRootDirectory(trees.kernel, trees.baseUpper);
  const walk = new Walk(trees.kernel);
  await walk.below({ upper, current, base, baseUpper }, "");
  return walk.changes;
}

interface Level {
  /** Absent: all names of both others are compared. */
  readonly upper: Directory | undefined;
  readonly current: Directory;
  readonly base: Directory | undefined;
  /** What was put into a fresh root leaves no trace in `upper` when it is removed. */
  readonly baseUpper: Directory | undefined;
}

class Walk {
  readonly changes: Change[] = [];
  readonly #kernel: Trees["kernel"];
  #looked = 0;

  constructor(kernel: Trees["kernel"]) {
    this.#kernel = kernel;
  }

  async below(level: Level, path: string): Promise<void> {
    for (const name of namesOf(level, this.#isOpaque(level.upper))) {
      this.#looked += 1;
      if (this.#looked % namesAtOnce === 0) await new Promise((resolve) => setImmediate(resolve));
      await this.#name(level, name, `${path}/${name}`);
    }
  }

  async #name(level: Level, name: string, path: string): Promise<void> {
    const now = level.current.lstat(name);
    const before = level.base?.lstat(name);
    if (now === undefined) {
      if (before !== undefined) this.changes.push({ Path: path, Kind: 2 });
      return;
    }
    if (before === undefined) this.changes.push({ Path: path, Kind: 1 });
    else if (differs(before, now) || this.#capabilityDiffers(level, name, now)) this.changes.push({ Path: path, Kind: 0 });
    if (!now.isDirectory()) return;
    const listed = this.changes.length;
    const itself = this.changes.at(-1)?.Path === path;
    await this.#directory(level, { name, path, hadDirectory: before?.isDirectory() === true });
    if (!itself && this.changes.length > listed) this.changes.splice(listed, 0, { Path: path, Kind: 0 });
  }

  async #directory({ upper, current, base, baseUpper }: Level, what: { name: string; path: string; hadDirectory: boolean }): Promise<void> {
    using nextCurrent = opened(current, what.name);
    if (nextCurrent === undefined) return;
    using nextUpper = upper === undefined ? undefined : opened(upper, what.name);
    using nextBase = base === undefined || !what.hadDirectory ? undefined : opened(base, what.name);
    using nextBaseUpper = baseUpper === undefined ? undefined : opened(baseUpper, what.name);
    await this.below({ upper: nextUpper, current: nextCurrent, base: nextBase, baseUpper: nextBaseUpper }, what.path);
  }

  /** An opaque directory hides what is below it in the image: its names alone do not tell what is gone. */
  #isOpaque(upper: Directory | undefined): boolean {
    return upper !== undefined && this.#kernel.getxattrs(upper.at(".")).get("trusted.overlay.opaque")?.toString() === "y";
  }

  #capabilityDiffers({ current, base }: Level, name: string, now: Stats): boolean {
    if (base === undefined || !now.isFile()) return false;
    const of = (directory: Directory): string => this.#kernel.getxattrs(directory.at(name)).get("security.capability")?.toString("hex") ?? "";
    return of(current) !== of(base);
  }
}

function namesOf({ upper, current, base, baseUpper }: Level, opaque: boolean): string[] {
  const names =
    upper === undefined || opaque || base === undefined ? [...current.names(), ...(base?.names() ?? [])] : [...upper.names(), ...(baseUpper?.names() ?? [])];
  return [...new Set(names)].toSorted();
}

function differs(before: Stats, now: Stats): boolean {
  if (before.mode !== now.mode || before.uid !== now.uid || before.gid !== now.gid || before.rdev !== now.rdev) return true;
  return !now.isDirectory() && (before.size !== now.size || before.mtimeMs !== now.mtimeMs);
}

function opened(parent: Directory, name: string): Directory | undefined {
  try {
    return parent.directory(name);
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "ELOOP"].includes(codeOf(error) ?? "")) return undefined;
    throw error;
  }
}
