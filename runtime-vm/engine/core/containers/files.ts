import type { Readable } from "node:stream";
import { EngineError } from "#base/errors.ts";
import { type PathStat, type Place, archivePath, baseOf, statPath } from "./archive-path.ts";
import { exportArchive, readArchive } from "./archive-read.ts";
import { writeArchive } from "./archive-write.ts";
import type { Container } from "./container.ts";
import type { FileList } from "#api/files.ts";
import { publishEvent } from "./events.ts";
import { listDirectory } from "./list-directory.ts";
import { mapOf } from "./mapped-users.ts";
import { withRoot } from "./root.ts";
import type { Supervisor } from "./supervisor.ts";
import { type View, openHold, streamOf, withView } from "./view.ts";

export interface WriteOptions {
  readonly noOverwriteDirNonDir: boolean;
  /** Everything gets the container's own user. */
  readonly copyOwner: boolean;
}

/** What can be done with a container's files from outside: `docker cp` both ways and `docker export`. */
export class ContainerFiles {
  readonly #supervisor: Supervisor;

  constructor(supervisor: Supervisor) {
    this.#supervisor = supervisor;
  }

  stat(container: Container, place: Place): Promise<PathStat> {
    return withView(this.#supervisor, container, async (view) => await Promise.resolve(statPath(view, place)));
  }

  list(container: Container, place: Place): Promise<FileList> {
    const map = mapOf(this.#supervisor.backends, container.spec);
    return withView(this.#supervisor, container, async (view) => await Promise.resolve(listDirectory(view, place, map)));
  }

  /** The container is not removed before the archive has been read, or `signal` aborts. */
  async read(container: Container, place: Place, signal: AbortSignal): Promise<{ stat: PathStat; tar: AsyncIterable<Buffer> }> {
    const { backends } = this.#supervisor;
    const hold = await openHold((work: (view: View) => Promise<void>) => withView(this.#supervisor, container, work), signal);
    try {
      const stat = statPath(hold.held, place, baseOf(archivePath(place.path)));
      publishEvent(backends.events, container, "archive-path");
      const tar = readArchive(hold.held, backends.kernel, place, mapOf(backends, container.spec));
      return { stat, tar: streamOf(hold, signal, tar, container) };
    } catch (error) {
      await hold.release();
      throw error;
    }
  }

  /** The container's own root, without volumes and other mounts; held as by `read`. */
  async export(container: Container, signal: AbortSignal): Promise<AsyncIterable<Buffer>> {
    const { backends } = this.#supervisor;
    const hold = await openHold((work: (rootfs: string) => Promise<void>) => withRoot(this.#supervisor, container, work), signal);
    publishEvent(backends.events, container, "export");
    return streamOf(hold, signal, exportArchive(hold.held, backends.kernel, mapOf(backends, container.spec)), container);
  }

  async write(container: Container, what: Place & { readonly tar: Readable }, options: WriteOptions): Promise<void> {
    const { kernel, events } = this.#supervisor.backends;
    await withView(this.#supervisor, container, async (view) => {
      const owner = options.copyOwner ? this.#ownerIn(view, container) : undefined;
      await writeArchive(view, kernel, what, {
        noOverwriteDirNonDir: options.noOverwriteDirNonDir,
        map: mapOf(this.#supervisor.backends, container.spec),
        check: (target) => checkWritable(container, target),
        step: () => container.viewers.step(),
        ...(owner === undefined ? {} : { owner }),
      });
    });
    publishEvent(events, container, "extract-to-dir");
  }

  #ownerIn(view: View, container: Container): { uid: number; gid: number } | undefined {
    const { config, hostConfig } = container.spec;
    if (!config.User) return undefined;
    return this.#supervisor.backends.specs.execProcess({ rootfs: view.root, config, hostConfig, exec: { Cmd: ["true"] } }).user;
  }
}

/** A read-only volume, or a read-only root where no volume is, takes nothing. */
function checkWritable(container: Container, target: string): void {
  const above = container.spec.mounts.filter(({ type, destination }) => type !== "tmpfs" && (target === destination || target.startsWith(`${destination}/`)));
  const mount = above.toSorted((a, b) => b.destination.length - a.destination.length)[0];
  if (mount?.readOnly === true) throw new EngineError("invalidArgument", "mounted volume is marked read-only");
  if (mount === undefined && container.spec.hostConfig.ReadonlyRootfs === true)
    throw new EngineError("invalidArgument", "container rootfs is marked read-only");
}
