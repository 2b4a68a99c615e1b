import { close, existsSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Digest } from "#core/content/content.ts";
import { MNT, type Kernel, KernelError } from "#core/kernel/kernel.ts";
import type { Snapshotter } from "#core/layers/layers.ts";
import type { Trash } from "#core/trash/trash.ts";
import { EngineError } from "#base/errors.ts";
import { KeyedLock } from "#base/lock.ts";
import type { Standing } from "./faults.ts";
import type { ErofsLayerStore } from "./layer-store.ts";
import type { LayerMounts } from "./layer-mounts.ts";
import type { Outfits } from "./outfits.ts";
import { layerFiles } from "./records.ts";
import { diskUsage, isWhole, projectOf, snapshotPaths, type SnapshotPaths, writeDurably } from "./snapshot-files.ts";

export interface SnapshotParts {
  readonly snapshots: string;
  readonly layers: string;
  readonly trash: Trash;
  readonly kernel: Kernel;
  readonly store: ErofsLayerStore;
  readonly mounts: LayerMounts;
  readonly outfits: Outfits;
  /** Pinned file of the user namespace that mapped roots are mounted by. */
  readonly userns?: string;
}

const idPattern = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

/** Roots at `<id>/merged`: an overlay of `<id>/upper` over the outfit of the layers named in `<id>/layers.json`, over those layers. */
export class OverlaySnapshotter implements Snapshotter {
  readonly #parts: SnapshotParts;
  readonly #mounted = new Set<string>();
  readonly #stacks = new Map<string, readonly Digest[]>();
  readonly #lock = new KeyedLock();
  readonly #transient = new Set<string>();
  /** Roots whose file system the kernel is still taking down. */
  readonly #going = new Map<string, Promise<void>>();

  /** Finds the roots that an earlier engine mounted and counts their layers; half-made ones go into the trash. */
  constructor(parts: SnapshotParts) {
    this.#parts = parts;
    const mountPoints = new Set(parts.kernel.mountsUnder(parts.snapshots));
    for (const path of mountPoints) if (path.includes("/mapped/")) parts.kernel.umount(path, MNT.DETACH);
    for (const name of readdirSync(parts.snapshots)) {
      if (!isWhole(join(parts.snapshots, name, "layers.json"))) {
        parts.trash.move(join(parts.snapshots, name));
      } else if (mountPoints.has(this.#paths(name).merged)) {
        this.#mounted.add(name);
        for (const diffId of this.#indexed(name)) parts.mounts.adopt(diffId, name);
      }
    }
    parts.mounts.sweep();
  }

  prepare(id: string, layers: readonly Digest[], { mapped = false, transient = false }: { mapped?: boolean; transient?: boolean } = {}): Promise<void> {
    return this.#lock.with(id, async () => {
      const paths = this.#paths(id);
      if (existsSync(paths.root)) throw new EngineError("conflict", `snapshot ${id} exists already`);
      for (const diffId of layers) {
        // A root that is for good needs such layers.
        if (transient) this.#parts.store.record(diffId);
        else await this.#parts.store.settled(diffId);
      }
      this.#stacks.delete(id);
      // The directory that overlay makes in its own: without room for it at a start it would mount read-only, and silently.
      for (const directory of [paths.root, paths.upper, paths.work, join(paths.work, "work"), paths.merged]) mkdirSync(directory, { mode: 0o755 });
      if (mapped) mkdirSync(paths.mapped, { mode: 0o700 });
      // One sync: a file system with a journal takes the directories above along, and half a list is no list at the next start.
      if (!transient) return await writeDurably(paths.layers, JSON.stringify(layers));
      writeFileSync(paths.layers, JSON.stringify(layers), { flag: "wx" });
      this.#transient.add(id);
    });
  }

  limit(id: string, bytes: number): void {
    const { upper, work } = this.#known(id);
    try {
      // All that overlay renames between must be of one project.
      this.#parts.kernel.limitProject(projectOf(id), bytes, [upper, work, join(work, "work")]);
    } catch (cause) {
      if (!(cause instanceof KernelError)) throw cause;
      throw new EngineError("invalidArgument", "--storage-opt is supported only for overlay over xfs with 'pquota' mount option", { cause });
    }
  }

  mount(id: string): Promise<string> {
    return this.#lock.with(id, async () => {
      const paths = this.#known(id);
      if (!this.#mounted.has(id)) {
        await this.#going.get(id);
        this.#mount(id, paths);
        this.#mounted.add(id);
      }
      return paths.merged;
    });
  }

  unmount(id: string): Promise<void> {
    return this.#lock.with(id, async () => await Promise.resolve(this.#unmount(id)));
  }

  remove(id: string): Promise<void> {
    return this.#lock.with(id, async () => {
      const { root } = this.#paths(id);
      if (!existsSync(root)) return;
      this.#unmount(id);
      this.#stacks.delete(id);
      this.#transient.delete(id);
      this.#parts.trash.move(root);
      await Promise.resolve();
    });
  }

  async usage(id: string): Promise<number> {
    return await diskUsage(this.#known(id).upper, new Set());
  }

  upperDir(id: string): string {
    return this.#known(id).upper;
  }

  /** Every root and what it stands on, as it should be, and what the kernel has mounted of them. */
  standing(): Pick<Standing, "roots" | "rootMounts"> {
    const roots = this.list().map((id) => ({ id, layers: this.#stack(id), mounted: this.#mounted.has(id) }));
    return { roots, rootMounts: this.#parts.kernel.mountsUnder(this.#parts.snapshots) };
  }

  /** A root that stands on the layer. */
  userOf(diffId: Digest): string | undefined {
    return this.list().find((id) => this.#stack(id).includes(diffId));
  }

  list(): readonly string[] {
    return readdirSync(this.#parts.snapshots).filter((id) => existsSync(this.#paths(id).layers));
  }

  /** Lets go of mounts only that no root uses any more; roots stay mounted for the containers in them. */
  #mount(id: string, paths: SnapshotPaths): void {
    const acquired: Digest[] = [];
    const { kernel, mounts, layers, outfits } = this.#parts;
    try {
      const diffIds = this.#stack(id);
      const stack = diffIds.map((diffId) => {
        const files = layerFiles(layers, diffId);
        const { form, implicitDirectories: implicit } = this.#parts.store.record(diffId);
        if (form === "directory") return { directory: files.directory, implicit };
        acquired.push(diffId);
        return { directory: mounts.acquire(diffId, id, files), implicit };
      });
      const lower = stack.length === 0 ? [mounts.emptyDirectory()] : stack.map(({ directory }) => directory);
      const volatile = this.#transient.has(id);
      const overlay = { target: paths.merged, lower: [outfits.over(diffIds, stack, lower), ...lower], upper: paths.upper, work: paths.work, volatile };
      if (existsSync(paths.mapped)) this.#mountMapped(paths, overlay);
      else kernel.mountOverlay(overlay);
    } catch (error) {
      for (const diffId of acquired) mounts.release(diffId, id);
      throw error;
    }
  }

  /** Overlay keeps what it stands on by itself: the mapped mounts of it are only for the moment. */
  #mountMapped(paths: SnapshotPaths, overlay: Parameters<Kernel["mountOverlay"]>[0]): void {
    const { kernel, userns } = this.#parts;
    if (userns === undefined) throw new EngineError("conflict", 'this root was made for mapped users, and daemon.json does not say "userns-remap" any more');
    using undo = new DisposableStack();
    const mapped = (source: string, name: string): string => {
      const target = join(paths.mapped, name);
      mkdirSync(target, { recursive: true });
      kernel.mountMapped({ source, target, userns });
      undo.defer(() => kernel.umount(target, MNT.DETACH));
      return target;
    };
    const home = mapped(paths.root, "home");
    const lower = overlay.lower.map((directory, i) => mapped(directory, String(i)));
    kernel.mountOverlay({ ...overlay, lower, upper: join(home, "upper"), work: join(home, "work") });
  }

  #unmount(id: string): void {
    if (!this.#mounted.delete(id)) return;
    const { merged } = this.#paths(id);
    // Taking an overlay down syncs the whole file system below it, tens of milliseconds on a busy disk. A descriptor of ours
    // keeps it until the root is detached, so that the last to let go is a thread of the pool and not this one.
    const held = openSync(merged, "r");
    this.#parts.kernel.umount(merged, MNT.DETACH);
    const gone = new Promise<void>((resolve) => close(held, () => resolve())).then(() => void this.#going.delete(id));
    this.#going.set(id, gone);
    for (const diffId of this.#indexed(id)) this.#parts.mounts.release(diffId, id);
  }

  /** Layers topmost first, as overlay wants them. A layer that comes twice counts where it is highest: it hides all its lower self has. */
  #stack(id: string): readonly Digest[] {
    const known = this.#stacks.get(id);
    if (known !== undefined) return known;
    const layers = JSON.parse(readFileSync(this.#paths(id).layers, "utf8")) as Digest[];
    const stack = [...new Set(layers.toReversed())];
    this.#stacks.set(id, stack);
    return stack;
  }

  #indexed(id: string): Digest[] {
    return this.#stack(id).filter((diffId) => this.#parts.store.has(diffId) && this.#parts.store.record(diffId).form === "index");
  }

  #known(id: string): SnapshotPaths {
    const paths = this.#paths(id);
    if (!existsSync(paths.layers)) throw new EngineError("notFound", `snapshot ${id}: not found`);
    return paths;
  }

  #paths(id: string): SnapshotPaths {
    if (!idPattern.test(id)) throw new EngineError("invalidArgument", `snapshot ${JSON.stringify(id)}: not a valid id`);
    return snapshotPaths(this.#parts.snapshots, id);
  }
}
