import { createHash } from "node:crypto";
import { chownSync, chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Kernel } from "../kernel/kernel.ts";
import { type IdentityMap, mappedRoot } from "./identity.ts";

/** The user namespace of the containers whose users are mapped. */
export interface Userns {
  readonly map: IdentityMap;
  /** Its pinned file; containers are in it. */
  readonly path: string;
  /** The one that their roots are mounted by: in it the engine has an id of its own, so that it can write there. */
  readonly mounts: string;
}

/** What the engine makes in a mapped root belongs to this id until it says whose it is: nobody's in any container. */
const engineId = 0xffff_0000;

type UsernsKernel = Pick<Kernel, "createUserns" | "isMountPoint" | "removeNetns">;

/**
 * Takes up the namespaces that an earlier engine pinned for the same map, or makes them. `ways` are directories that containers'
 * roots and files lie below: who is root in a container may pass through them, and nobody else.
 */
export async function openUserns(
  kernel: UsernsKernel,
  paths: { readonly userns: string; readonly ways: readonly string[] },
  map: IdentityMap,
): Promise<Userns> {
  const directory = join(paths.userns, createHash("sha256").update(JSON.stringify(map)).digest("hex").slice(0, 16));
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const found = { map, path: join(directory, "containers"), mounts: join(directory, "mounts") };
  const own = { container: engineId, host: 0, size: 1 };
  for (const [path, ids] of [
    [found.path, map],
    [found.mounts, { uid: [...map.uid, own], gid: [...map.gid, own] }],
  ] as const) {
    if (kernel.isMountPoint(path)) continue;
    // A plain file, of before a reboot.
    kernel.removeNetns(path);
    await kernel.createUserns(path, ids);
  }
  for (const way of paths.ways) {
    mkdirSync(way, { recursive: true, mode: 0o710 });
    chownSync(way, 0, mappedRoot(map).gid);
    chmodSync(way, 0o710);
  }
  return found;
}
