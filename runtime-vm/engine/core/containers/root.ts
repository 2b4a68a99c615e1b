import type { Container } from "./container.ts";
import { releaseMounts } from "./mounts.ts";
import type { Supervisor } from "./supervisor.ts";

/** Runs `work` with the container's own root mounted, and nothing over it. It stays mounted as long as anybody uses it. */
export async function withRoot<T>(supervisor: Supervisor, container: Container, work: (rootfs: string) => Promise<T>): Promise<T> {
  const rootfs = await enter(supervisor, container);
  try {
    return await work(rootfs);
  } finally {
    await leave(supervisor, container);
  }
}

async function enter(supervisor: Supervisor, container: Container): Promise<string> {
  if (container.run !== undefined) {
    container.viewers.enter();
    return container.run.rootfs;
  }
  using _lock = await supervisor.locks.acquire(container.id);
  await container.settled;
  // Its removal may have been before us in the line.
  supervisor.catalog.get(container.id);
  const rootfs = await supervisor.backends.snapshots.mount(container.id);
  container.viewers.enter();
  return rootfs;
}

async function leave(supervisor: Supervisor, container: Container): Promise<void> {
  container.viewers.leave();
  if (container.viewers.any || container.run !== undefined) return;
  using _lock = await supervisor.locks.acquire(container.id);
  await container.settled;
  if (container.run === undefined) await releaseRoot(supervisor, container);
}

/** Unmounts a root unless somebody reads in it, who does it then. */
export async function releaseRoot({ backends }: Supervisor, container: Container): Promise<void> {
  if (container.viewers.any) return;
  await releaseMounts(backends, container);
  await backends.snapshots.unmount(container.id);
}
