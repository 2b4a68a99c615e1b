import { closeSync, constants, mkdirSync, openSync, readlinkSync, statSync } from "node:fs";
import { posix } from "node:path";
import { codeOf } from "#base/errors.ts";
import { MNT, MS } from "../kernel/kernel.ts";
import type { ContainerBackends } from "./backends.ts";
import { Directory } from "./at.ts";
import type { Container } from "./container.ts";
import { specMounts } from "./mounts.ts";
import type { Supervisor } from "./supervisor.ts";

const openPath = 0o10000000;

/** A container's files as it sees them itself, volumes and binds included. */
export class View {
  /** Held open: stays the same root whatever happens to the container. */
  readonly root: string;
  readonly #kernel: ContainerBackends["kernel"];

  constructor(root: string, kernel: ContainerBackends["kernel"]) {
    this.root = root;
    this.#kernel = kernel;
  }

  /** The directory that holds the last name of `path`, links on the way followed inside the container. Undefined: there is none. */
  parent(path: string): { directory: Directory; name: string } | undefined {
    const absolute = posix.resolve("/", path);
    // The root has no parent: it is the name "." in itself.
    const [dir, name] = absolute === "/" ? ["/", "."] : [posix.dirname(absolute), posix.basename(absolute)];
    const directory = this.open(dir);
    return directory === undefined ? undefined : { directory, name };
  }

  /** The directory at `path`, its last name followed too. */
  open(path: string): Directory | undefined {
    try {
      return new Directory(this.#kernel.openInRoot(this.root, path, constants.O_RDONLY | constants.O_DIRECTORY));
    } catch (error) {
      if (["ENOENT", "ENOTDIR", "ELOOP"].includes(codeOf(error) ?? "")) return undefined;
      throw error;
    }
  }
}

/** Runs `work` on the files of a container. One that does not run is put together for it, and cannot be started meanwhile. */
export async function withView<T>(supervisor: Supervisor, container: Container, work: (view: View) => Promise<T>): Promise<T> {
  const { run } = container;
  if (run !== undefined) return await held(supervisor, `/proc/${run.task.pid}/root`, work);
  using _lock = await supervisor.locks.acquire(container.id);
  if (container.run !== undefined) return await held(supervisor, `/proc/${container.run.task.pid}/root`, work);
  await container.settled;
  const { snapshots, kernel } = supervisor.backends;
  const rootfs = await snapshots.mount(container.id);
  const mounted: string[] = [];
  try {
    for (const mount of await specMounts(supervisor.backends, container)) {
      // Single files are left out: they are seldom what somebody copies.
      if (mount.source === undefined || !statSync(mount.source).isDirectory()) continue;
      mounted.push(bind(kernel, rootfs, mount.source, mount.destination));
    }
    return await held(supervisor, rootfs, work);
  } finally {
    for (const target of mounted.reverse()) kernel.umount(target, MNT.DETACH);
    await snapshots.unmount(container.id);
  }
}

/** As `withView` for what is read piece by piece: the view is held until the reader is done. */
export async function* streamView(
  supervisor: Supervisor,
  container: Container,
  signal: AbortSignal,
  read: (view: View) => AsyncIterable<Buffer>,
): AsyncGenerator<Buffer> {
  const opened = Promise.withResolvers<View>();
  const finished = Promise.withResolvers<void>();
  const holding = withView(supervisor, container, async (view) => {
    opened.resolve(view);
    await finished.promise;
  });
  holding.catch(opened.reject);
  try {
    for await (const chunk of read(await opened.promise)) {
      if (signal.aborted) return;
      yield chunk;
    }
  } finally {
    finished.resolve();
    await holding;
  }
}

async function held<T>(supervisor: Supervisor, root: string, work: (view: View) => Promise<T>): Promise<T> {
  const fd = openSync(root, openPath | constants.O_DIRECTORY);
  try {
    return await work(new View(`/proc/self/fd/${fd}`, supervisor.backends.kernel));
  } finally {
    closeSync(fd);
  }
}

/** Binds a directory over where it belongs in the root; returns the place to unmount. */
function bind(kernel: ContainerBackends["kernel"], rootfs: string, source: string, destination: string): string {
  using place = makeDirectories(kernel, rootfs, destination);
  const path = readlinkSync(`/proc/self/fd/${place.fd}`);
  kernel.mount({ source, target: `/proc/self/fd/${place.fd}`, flags: MS.BIND | MS.REC });
  return path;
}

/** The directory `path` inside the root, made where it is missing. */
function makeDirectories(kernel: ContainerBackends["kernel"], rootfs: string, path: string): Directory {
  const open = (below: string): Directory => new Directory(kernel.openInRoot(rootfs, below, constants.O_RDONLY | constants.O_DIRECTORY));
  let at = open("/");
  let below = "";
  for (const name of posix.resolve("/", path).split("/")) {
    if (name === "") continue;
    below = `${below}/${name}`;
    using parent = at;
    if (parent.lstat(name) === undefined) mkdirSync(parent.at(name), { mode: 0o755 });
    at = open(below);
  }
  return at;
}
