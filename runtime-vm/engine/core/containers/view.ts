import { closeSync, constants, existsSync, mkdirSync, openSync, readdirSync, readlinkSync, rmdirSync } from "node:fs";
import { join, posix } from "node:path";
import { codeOf } from "#base/errors.ts";
import { MNT, MS } from "../kernel/kernel.ts";
import { Directory } from "./at.ts";
import type { ContainerBackends } from "./backends.ts";
import type { Container } from "./container.ts";
import { specMounts } from "./mounts.ts";
import { prepareMountPoint } from "./prepare-root.ts";
import { withRoot } from "./root.ts";
import { containerFiles } from "./start.ts";
import type { Supervisor } from "./supervisor.ts";

const openPath = 0o10000000;

/** A container's files: its root directory with volumes, binds and network files over it, as dockerd's copies see it. What the runtime mounts besides (proc, dev, tmpfs) is not there. */
export class View {
  /** Held open: stays the same root whatever happens to the container. */
  readonly root: string;
  readonly #kernel: Pick<ContainerBackends["kernel"], "openInRoot">;

  constructor(root: string, kernel: Pick<ContainerBackends["kernel"], "openInRoot">) {
    this.root = root;
    this.#kernel = kernel;
  }

  /** The directory that holds the last name of `path`, links on the way followed inside the container. Throws KernelError. */
  parent(path: string): { directory: Directory; name: string } {
    const absolute = posix.resolve("/", path);
    // The root has no parent: it is the name "." in itself.
    const [dir, name] = absolute === "/" ? ["/", "."] : [posix.dirname(absolute), posix.basename(absolute)];
    return { directory: this.directory(dir), name };
  }

  /** The directory at `path`, its last name followed too. Throws KernelError: ENOENT, ENOTDIR, ELOOP among others. */
  directory(path: string): Directory {
    return new Directory(this.#kernel.openInRoot(this.root, path, constants.O_RDONLY | constants.O_DIRECTORY));
  }

  /** As `directory`; undefined when there is none. */
  open(path: string): Directory | undefined {
    try {
      return this.directory(path);
    } catch (error) {
      if (["ENOENT", "ENOTDIR", "ELOOP"].includes(codeOf(error) ?? "")) return undefined;
      throw error;
    }
  }

  /** The same with an open directory as the root, for as long as it is open. */
  below(directory: Directory): View {
    return new View(`/proc/self/fd/${directory.fd}`, this.#kernel);
  }

  /** Where an open directory of this view is, seen from inside the container. */
  pathOf(directory: Directory): string {
    const root = readlinkSync(this.root);
    return posix.join("/", readlinkSync(`/proc/self/fd/${directory.fd}`).slice(root.length));
  }
}

let views = 0;

/**
 * Runs `work` on the files of a container, running or not. They are bound together at a place of their own: neither the container
 * nor whoever starts, stops or removes it meanwhile notices.
 */
export async function withView<T>(supervisor: Supervisor, container: Container, work: (view: View) => Promise<T>): Promise<T> {
  return await withRoot(supervisor, container, async (rootfs) => {
    const { kernel, paths } = supervisor.backends;
    views += 1;
    const place = join(paths.views, `${container.id}-${views}`);
    mkdirSync(place, { recursive: true, mode: 0o700 });
    try {
      kernel.mount({ source: rootfs, target: place, flags: MS.BIND });
      try {
        kernel.mount({ source: "none", target: place, flags: MS.PRIVATE });
        await bindMounts(supervisor, container, place);
        return await held(supervisor, place, work);
      } finally {
        kernel.umount(place, MNT.DETACH);
      }
    } finally {
      rmdirSync(place);
    }
  });
}

/** Something held open by a `withView` or `withRoot` until it is released. Until it is kept, `signal` releases it as well. */
export interface Hold<T> {
  readonly held: T;
  keep(): void;
  /** Resolves when it is let go altogether. */
  release(): Promise<void>;
}

export async function openHold<T>(hold: (work: (held: T) => Promise<void>) => Promise<void>, signal: AbortSignal): Promise<Hold<T>> {
  const opened = Promise.withResolvers<T>();
  const finished = Promise.withResolvers<void>();
  const holding = hold(async (held) => {
    opened.resolve(held);
    await finished.promise;
  });
  holding.catch(opened.reject);
  const held = await opened.promise;
  const letGo = (): void => finished.resolve();
  if (signal.aborted) letGo();
  else signal.addEventListener("abort", letGo, { once: true });
  const keep = (): void => signal.removeEventListener("abort", letGo);
  return {
    held,
    keep,
    release: async () => {
      keep();
      letGo();
      await holding;
    },
  };
}

/** What is read of a hold piece by piece; it is let go at the end. */
export async function* streamOf<T>(hold: Hold<T>, signal: AbortSignal, chunks: AsyncIterable<Buffer>, { viewers }: Container): AsyncGenerator<Buffer> {
  hold.keep();
  try {
    if (signal.aborted) return;
    for await (const chunk of chunks) {
      if (signal.aborted) return;
      viewers.step();
      yield chunk;
    }
  } finally {
    await hold.release();
  }
}

/** Takes away what an engine that was killed left of its views. */
export function sweepViews({ kernel, paths }: Pick<ContainerBackends, "kernel" | "paths">): void {
  for (const place of kernel.mountsUnder(paths.views)) kernel.umount(place, MNT.DETACH);
  if (existsSync(paths.views)) for (const name of readdirSync(paths.views)) rmdirSync(join(paths.views, name));
}

async function held<T>(supervisor: Supervisor, root: string, work: (view: View) => Promise<T>): Promise<T> {
  const fd = openSync(root, openPath | constants.O_DIRECTORY);
  try {
    return await work(new View(`/proc/self/fd/${fd}`, supervisor.backends.kernel));
  } finally {
    closeSync(fd);
  }
}

interface Bind {
  readonly source: string;
  readonly destination: string;
  readonly readOnly: boolean;
  readonly nonRecursive: boolean;
}

async function bindMounts(supervisor: Supervisor, container: Container, root: string): Promise<void> {
  const { kernel } = supervisor.backends;
  const asked = (await specMounts(supervisor.backends, container)).flatMap(({ source, destination, readOnly, nonRecursive = false }): Bind[] =>
    source === undefined ? [] : [{ source, destination, readOnly, nonRecursive }],
  );
  for (const bind of [...networkFiles(supervisor.backends, container), ...asked]) {
    prepareMountPoint(kernel, root, bind);
    const fd = openPlace(kernel, root, bind.destination);
    if (fd === undefined) continue;
    const target = readlinkSync(`/proc/self/fd/${fd}`);
    closeSync(fd);
    kernel.mount({ source: bind.source, target, flags: MS.BIND | (bind.nonRecursive ? 0 : MS.REC) });
    kernel.mount({ source: "none", target, flags: MS.PRIVATE | MS.REC });
    if (bind.readOnly) kernel.mount({ source: "none", target, flags: MS.BIND | MS.REMOUNT | MS.RDONLY });
  }
}

/** The place a mount goes to; undefined where a link leads to nothing. */
function openPlace(kernel: ContainerBackends["kernel"], root: string, path: string): number | undefined {
  try {
    return kernel.openInRoot(root, path, openPath);
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "ELOOP"].includes(codeOf(error) ?? "")) return undefined;
    throw error;
  }
}

/** Written at its first start; a mount of its own over one of them wins. */
function networkFiles(backends: ContainerBackends, container: Container): Bind[] {
  const { hosts, hostname, resolvConf } = containerFiles(backends, container);
  const taken = new Set(container.spec.mounts.map(({ destination }) => destination));
  return Object.entries({ "/etc/hosts": hosts, "/etc/hostname": hostname, "/etc/resolv.conf": resolvConf })
    .filter(([destination, source]) => !taken.has(destination) && existsSync(source))
    .map(([destination, source]) => ({ source, destination, readOnly: false, nonRecursive: false }));
}
