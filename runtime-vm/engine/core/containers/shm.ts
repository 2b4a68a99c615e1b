import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { codeOf, EngineError } from "#base/errors.ts";
import { MNT, MS } from "../kernel/kernel.ts";
import type { ContainerBackends } from "./backends.ts";
import type { Catalog } from "./catalog.ts";
import { mappedRoot } from "../userns/identity.ts";
import type { Container } from "./container.ts";
import { containerJoined } from "./endpoints.ts";
import { mapOf } from "./mapped-users.ts";

/** /dev/shm of a container that shares its own is mounted by the engine, where others can be given it. */

type Backends = Pick<ContainerBackends, "paths" | "kernel" | "userns">;

const shmPath = ({ paths }: Backends, id: string): string => join(paths.containers, id, "shm");

/** The directory to bind at /dev/shm; undefined: the runtime makes one. */
export function openShm(backends: Backends, container: Container): string | undefined {
  const { IpcMode, ShmSize } = container.spec.hostConfig;
  if (IpcMode !== "shareable") return undefined;
  const target = shmPath(backends, container.id);
  const { uid, gid } = mappedRoot(mapOf(backends, container.spec));
  closeShm(backends, container.id);
  mkdirSync(target, { recursive: true });
  backends.kernel.mount({
    source: "shm",
    target,
    type: "tmpfs",
    flags: MS.NOSUID | MS.NODEV | MS.NOEXEC,
    data: `mode=1777,size=${ShmSize},uid=${uid},gid=${gid}`,
  });
  return target;
}

/** Nothing mounted is fine. */
export function closeShm(backends: Backends, id: string): void {
  try {
    backends.kernel.umount(shmPath(backends, id), MNT.DETACH);
  } catch (error) {
    if (!["EINVAL", "ENOENT"].includes(codeOf(error) ?? "")) throw error;
  }
}

/** The container whose IPC namespace `container` joins, with its /dev/shm; undefined when it has one of its own. */
export function joinedIpc(backends: Backends, catalog: Catalog, container: Container): { pid: number; shm: string } | undefined {
  const name = containerJoined(container.spec.hostConfig.IpcMode ?? "");
  if (name === undefined) return undefined;
  const other = catalog.find(name);
  if (other === undefined) throw new EngineError("invalidArgument", `failed to join IPC namespace: No such container: ${name}`);
  if (other.run === undefined) throw new EngineError("conflict", `failed to join IPC namespace: container ${other.id} is not running`);
  if (other.spec.hostConfig.IpcMode !== "shareable") {
    const hint = "non-shareable IPC (hint: use IpcMode:shareable for the donor container)";
    throw new EngineError("invalidArgument", `failed to join IPC namespace: container ${other.id}: ${hint}`);
  }
  return { pid: other.run.task.pid, shm: shmPath(backends, other.id) };
}
