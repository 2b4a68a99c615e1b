import { chmodSync, chownSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, posix } from "node:path";
import { EngineError } from "#base/errors.ts";
import { MNT, MS } from "../kernel/kernel.ts";
import type { SpecMount } from "../specs/builder.ts";
import { type IdentityMap, mappedRoot, ownerOutside } from "../userns/identity.ts";
import { cacheKey } from "./cache.ts";
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
  const bound = type === "bind" && source !== undefined ? await source.key(mount.source) : from;
  return [type, target, readOnly, id, bound, uid, gid, mode, sizeBytes, env];
}

/** Makes the mounts; what they need goes with `undo`, after the step. */
export async function openMounts(
  work: BuildWork,
  mounts: readonly (StepMount & { readonly tree: Source | undefined })[],
  { undo, workdir, map }: { undo: AsyncDisposableStack; workdir: string; map: IdentityMap | undefined },
): Promise<OpenMounts> {
  const made: SpecMount[] = [];
  const env: string[] = [];
  await lockMounts(work, mounts, { undo, map });
  for (const mount of mounts) {
    const named = mount.target !== "" || ["bind", "cache", "tmpfs"].includes(mount.type);
    const destination = named ? posix.resolve("/", workdir, mount.target) : "";
    if (destination === "/") throw new EngineError("invalidArgument", 'invalid mount target "/"');
    switch (mount.type) {
      case "bind":
        made.push(await bindMount(work, mount, { destination, undo, map }));
        break;
      case "cache":
        made.push({ type: "bind", source: await cacheMount(work, mount, { undo, map }), destination, readOnly: mount.readOnly });
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

async function bindMount(
  work: BuildWork,
  mount: StepMount & { tree: Source | undefined },
  { destination, undo, map }: Pick<Into, "destination" | "undo" | "map">,
): Promise<SpecMount> {
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

const mountName = ({ id, from, source }: StepMount, map: IdentityMap | undefined): string =>
  cacheKey("mount", id, from, source, ...(map === undefined ? [] : [map]));

/** All that the step wants for itself, each once and in one order: two steps that want the same do not wait for each other for ever. */
async function lockMounts(work: BuildWork, mounts: readonly StepMount[], { undo, map }: Pick<Into, "undo" | "map">): Promise<void> {
  const locked = mounts.filter(({ type, sharing }) => type === "cache" && sharing === "locked");
  for (const name of [...new Set(locked.map((mount) => mountName(mount, map)))].toSorted()) {
    const held = await work.house.mounts.acquire(name, work.request.signal);
    undo.defer(() => held[Symbol.dispose]());
  }
}

/** A directory that the next build finds again. */
async function cacheMount(work: BuildWork, mount: StepMount & { tree: Source | undefined }, { undo, map }: Pick<Into, "undo" | "map">): Promise<string> {
  const { backends, privateMounts, cache } = work.house;
  const name = mountName(mount, map);
  let number = 0;
  const nameOf = (): string => (number === 0 ? name : `${name}-${number}`);
  if (mount.sharing === "private") {
    while (privateMounts.has(nameOf())) number += 1;
    const own = nameOf();
    privateMounts.add(own);
    undo.defer(() => void privateMounts.delete(own));
  }
  countUse(work, nameOf(), undo);
  const directory = join(backends.paths.buildMounts, nameOf());
  if (mount.from !== "" && mount.tree !== undefined) return await filledMount(work, mount, { directory, mapped: map !== undefined });
  if (!existsSync(directory)) {
    mkdirSync(directory, { recursive: true });
    chmodSync(directory, mount.mode ?? 0o755);
    giveTo(directory, mount, map);
  }
  const key = `mount:${nameOf()}`;
  if (cache.find(key, new Date()) === undefined) cache.put({ key, kind: "mount", description: `cached mount ${mount.id}`, created: new Date().toISOString() });
  return directory;
}

function countUse({ house: { usedMounts } }: BuildWork, name: string, undo: AsyncDisposableStack): void {
  usedMounts.set(name, (usedMounts.get(name) ?? 0) + 1);
  undo.defer(() => {
    const others = (usedMounts.get(name) ?? 1) - 1;
    if (others > 0) usedMounts.set(name, others);
    else usedMounts.delete(name);
  });
}

/** Begins as a copy of another image's files: a root of its own, kept between builds by its name. */
async function filledMount(
  work: BuildWork,
  mount: StepMount & { tree: Source | undefined },
  { directory, mapped }: { directory: string; mapped: boolean },
): Promise<string> {
  const id = `mount-${directory.slice(directory.lastIndexOf("/") + 1)}`;
  const { snapshots } = work.backends;
  if (!snapshots.list().includes(id)) await snapshots.prepare(id, (await mount.tree?.layers()) ?? [], { mapped });
  return join(await snapshots.mount(id), treePath(mount.source));
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
