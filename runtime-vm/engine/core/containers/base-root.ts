import { constants } from "node:fs";
import { Directory } from "./at.ts";
import type { ContainerBackends } from "./backends.ts";
import type { Container } from "./container.ts";
import type { Supervisor } from "./supervisor.ts";

let bases = 0;

/** Runs `work` with a second, untouched root of the container's image, as the container's own was when it was made. */
export async function withBaseRoot<T>(
  { backends }: Supervisor,
  container: Container,
  work: (root: { rootfs: string; upper: string }) => Promise<T>,
): Promise<T> {
  const { snapshots } = backends;
  bases += 1;
  // Not beginning with the container's id: one that a killed engine left goes at the next start, though the container stays.
  const id = `base-${bases}-${container.id}`;
  try {
    await snapshots.prepare(id, container.spec.image.layers, { mapped: container.spec.mapped === true });
    const rootfs = await snapshots.mount(id);
    return await work({ rootfs, upper: snapshots.upperDir(id) });
  } finally {
    await snapshots.remove(id);
  }
}

export const openRootDirectory = (kernel: Pick<ContainerBackends["kernel"], "openInRoot">, path: string): Directory =>
  new Directory(kernel.openInRoot(path, "/", constants.O_RDONLY | constants.O_DIRECTORY));
