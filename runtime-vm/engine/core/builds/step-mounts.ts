import { chmodSync, chownSync, mkdirSync, writeFileSync } from "node:fs";
import { join, posix } from "node:path";
import { EngineError } from "#base/errors.ts";
import { MNT, MS } from "../kernel/kernel.ts";
import type { SpecMount } from "../specs/builder.ts";
import { type IdentityMap, mappedRoot, ownerOutside } from "../userns/identity.ts";
import { openCacheMounts, type SourcedMount } from "./cache-mounts.ts";
import type { StepMount } from "./mount-flags.ts";
import { removeGiven } from "./root-tree.ts";
import { openRoot } from "./roots.ts";
import type { Source } from "./sources.ts";
import { resolved, treePath } from "./tree.ts";
import type { BuildWork } from "./work.ts";

/** Mounts of a step as they are when it runs. */
export interface OpenMounts {
  readonly mounts: readonly SpecMount[];
  /** Variables that hold secrets. */
  readonly env: readonly string[];
}

/** What of a mount decides a step's result; secrets, agents and cache contents do not. */
export async function mountKey(mount: StepMount, source: Source | undefined): Promise<unknown> {
  const { type, target, readOnly, id, from, uid, gid, mode, sizeBytes, env } = mount;
  const bound = source === undefined ? from : await source.key(mount.source);
  return [type, target, readOnly, id, bound, uid, gid, mode, sizeBytes, env];
}

/** Makes the mounts; what they need goes with `undo`, after the step. */
export async function openMounts(
  work: BuildWork,
  mounts: readonly SourcedMount[],
  { undo, workdir, map, command }: { undo: AsyncDisposableStack; workdir: string; map: IdentityMap | undefined; command: string },
): Promise<OpenMounts> {
  const made: SpecMount[] = [];
  const env: string[] = [];
  const kept = mounts.filter(({ type }) => type === "cache");
  const caches = await openCacheMounts(work, kept, { undo, map, command });
  for (const mount of mounts) {
    const named = mount.target !== "" || ["bind", "cache", "tmpfs"].includes(mount.type);
    const destination = named ? posix.resolve("/", workdir, mount.target) : "";
    if (destination === "/") throw new EngineError("invalidArgument", 'invalid mount target "/"');
    switch (mount.type) {
      case "bind":
        made.push(await bindMount(work, mount, { destination, undo, map }));
        break;
      case "cache":
        made.push({ type: "bind", source: caches.get(mount)!, destination, readOnly: mount.readOnly });
        break;
      case "tmpfs":
        made.push({ type: "tmpfs", destination, readOnly: false, options: mount.sizeBytes > 0 ? [`size=${mount.sizeBytes}`] : [] });
        break;
      case "secret":
        await secretMount(work, mount, { destination, made, env, undo, map });
        break;
      case "ssh":
        await sshMount(work, mount, { destination, made, env, undo, map });
        break;
    }
  }
  return { mounts: made, env };
}

async function bindMount(work: BuildWork, mount: SourcedMount, { destination, undo, map }: Pick<Into, "destination" | "undo" | "map">): Promise<SpecMount> {
  if (mount.tree === undefined) throw new EngineError("invalidArgument", `bind mount ${destination}: nothing to bind`);
  const layers = await mount.tree.layers();
  // A root of its own: what is written there is nobody's, and what every other has for a container's sake is not in it.
  const { id, rootfs } = await openRoot(work.backends, layers, { mapped: map !== undefined });
  undo.defer(() => work.backends.snapshots.remove(id));
  removeGiven(rootfs, work.backends.kernel);
  const tree = await work.roots.tree(layers);
  const path = resolved(tree, treePath(mount.source));
  if (tree.lstat(path) === undefined) throw new EngineError("notFound", `failed to compute cache key: "/${path}": not found`);
  return { type: "bind", source: join(rootfs, path), destination, readOnly: mount.readOnly };
}

interface Into {
  readonly destination: string;
  readonly made: SpecMount[];
  readonly env: string[];
  readonly undo: AsyncDisposableStack;
  /** Whose ids the step's users have. */
  readonly map: IdentityMap | undefined;
}

/** To the owner that the mount names, as the step sees it. */
function giveTo(path: string, { uid = 0, gid = 0 }: StepMount, map: IdentityMap | undefined): void {
  const owner = ownerOutside(map, { uid, gid });
  chownSync(path, owner.uid, owner.gid);
}

async function secretMount(work: BuildWork, mount: StepMount, { destination, made, env, undo, map }: Into): Promise<void> {
  const value = await work.request.secret(mount.id);
  if (value === undefined) {
    if (mount.required) throw new EngineError("invalidArgument", `secret ${mount.id}: not found`);
    return;
  }
  if (mount.env !== "") env.push(`${mount.env}=${value.toString("utf8")}`);
  if (destination === "") return;
  // In memory only: no disk ever has it.
  const directory = work.scratch();
  mkdirSync(directory, { mode: 0o700 });
  const { kernel } = work.backends;
  kernel.mount({ source: "tmpfs", target: directory, type: "tmpfs", flags: MS.NOSUID | MS.NODEV | MS.NOEXEC, data: `mode=0710,gid=${mappedRoot(map).gid}` });
  undo.defer(() => kernel.umount(directory, MNT.DETACH));
  const file = join(directory, "secret");
  writeFileSync(file, value, { mode: mount.mode ?? 0o400 });
  chmodSync(file, mount.mode ?? 0o400);
  giveTo(file, mount, map);
  made.push({ type: "bind", source: file, destination, readOnly: true });
}

async function sshMount(work: BuildWork, mount: StepMount, { destination, made, env, undo, map }: Into): Promise<void> {
  const socket = await work.request.ssh(mount.id);
  if (socket === undefined) {
    if (mount.required) throw new EngineError("invalidArgument", `unset ssh forward key ${mount.id}`);
    return;
  }
  undo.use(socket);
  chmodSync(socket.path, mount.mode ?? 0o600);
  giveTo(socket.path, mount, map);
  const target = destination === "" ? "/run/buildkit/ssh_agent.0" : destination;
  made.push({ type: "bind", source: socket.path, destination: target, readOnly: false });
  env.push(`SSH_AUTH_SOCK=${target}`);
}
