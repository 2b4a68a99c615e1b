import { closeSync, constants } from "node:fs";
import { EngineError, codeOf } from "#base/errors.ts";
import type { IdentityMap } from "../userns/identity.ts";
import type { ContainerBackends } from "./backends.ts";
import { makeDirectory } from "./prepare-root.ts";

/**
 * Makes the directory that a container starts in when the container is made, so that `docker cp` finds it before the first start.
 * Class invalidArgument when something else stands there.
 */
export async function makeWorkingDirectory(
  { kernel, snapshots }: Pick<ContainerBackends, "kernel" | "snapshots">,
  { id, path, map }: { id: string; path: string; map: IdentityMap | undefined },
): Promise<void> {
  if (path === "" || path === "/") return;
  const rootfs = await snapshots.mount(id);
  try {
    if (!makeDirectory(kernel, rootfs, path, map) && isBlocked(kernel, rootfs, path))
      throw new EngineError("invalidArgument", `Cannot mkdir: ${path} is not a directory`);
  } finally {
    await snapshots.unmount(id);
  }
}

/** By a file: what a dangling link leads to may come with a mount. */
function isBlocked(kernel: Pick<ContainerBackends["kernel"], "openInRoot">, rootfs: string, path: string): boolean {
  try {
    closeSync(kernel.openInRoot(rootfs, path, constants.O_RDONLY | constants.O_DIRECTORY));
    return false;
  } catch (error) {
    return codeOf(error) === "ENOTDIR";
  }
}
