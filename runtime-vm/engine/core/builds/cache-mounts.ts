import { execFile } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { EngineError } from "#base/errors.ts";
import { type IdentityMap, ownerOutside } from "../userns/identity.ts";
import { cacheKey } from "./cache.ts";
import type { StepMount } from "./mount-flags.ts";
import { mountKeyOf } from "./mount-directories.ts";
import { removeGiven } from "./root-tree.ts";
import { openRoot } from "./roots.ts";
import type { Source } from "./sources.ts";
import { resolved, treePath } from "./tree.ts";
import type { BuildWork } from "./work.ts";

export type SourcedMount = StepMount & { readonly tree: Source | undefined };

/** Which directories of cache mounts steps use now. A name has one, and more where a step may not see what is in use by others. */
export class MountUse {
  readonly #used = new Map<string, { readonly name: string; readonly shared: boolean; steps: number }>();
  readonly #waiting = new Set<() => void>();

  has(directory: string): boolean {
    return this.#used.has(directory);
  }

  /** One of `known` that nobody uses, or a new one; a shared one may be used by others who share it. `locked` waits until nobody uses any. */
  async take(
    name: string,
    { sharing, known, signal }: { sharing: StepMount["sharing"]; known: () => readonly string[]; signal: AbortSignal },
  ): Promise<Disposable & { readonly directory: string }> {
    let directory = this.#free(name, sharing, known());
    while (directory === undefined) {
      await this.#change(signal);
      directory = this.#free(name, sharing, known());
    }
    const taken = directory;
    const use = this.#used.get(taken) ?? { name, shared: sharing === "shared", steps: 0 };
    use.steps += 1;
    this.#used.set(taken, use);
    return { directory: taken, [Symbol.dispose]: () => this.#release(taken) };
  }

  #free(name: string, sharing: StepMount["sharing"], known: readonly string[]): string | undefined {
    const used = [...this.#used].filter(([, use]) => use.name === name);
    const joined = sharing === "shared" ? used.find(([, { shared }]) => shared)?.[0] : undefined;
    const free = joined ?? known.find((directory) => !this.#used.has(directory));
    if (free !== undefined || (sharing === "locked" && used.length > 0)) return free;
    const names = [name, ...Array.from({ length: known.length + used.length }, (_, i) => `${name}-${i + 1}`)];
    return names.find((one) => !known.includes(one) && !this.#used.has(one));
  }

  #release(directory: string): void {
    const use = this.#used.get(directory);
    if (use === undefined) return;
    use.steps -= 1;
    if (use.steps > 0) return;
    this.#used.delete(directory);
    for (const wake of [...this.#waiting]) wake();
  }

  async #change(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add(resolve);
    signal.addEventListener("abort", () => resolve(), { once: true });
    await promise;
    this.#waiting.delete(resolve);
    signal.throwIfAborted();
  }
}

interface Into {
  readonly undo: AsyncDisposableStack;
  /** Whose ids the step's users have. */
  readonly map: IdentityMap | undefined;
  /** What the step runs, for people. */
  readonly command: string;
}

/**
 * Directories of a step's cache mounts, which the next build finds again. What it wants for itself comes first, each once and in one order:
 * two steps that want the same do not wait for each other for ever.
 */
export async function openCacheMounts(work: BuildWork, mounts: readonly SourcedMount[], into: Into): Promise<ReadonlyMap<StepMount, string>> {
  const named = await Promise.all(mounts.map(async (mount) => ({ mount, name: await nameOf(mount, into.map) })));
  const order = ({ mount, name }: { mount: StepMount; name: string }): string => `${mount.sharing === "locked" ? 0 : 1}${name}`;
  const locked = new Map<string, string>();
  const directories = new Map<StepMount, string>();
  for (const { mount, name } of named.toSorted((a, b) => (order(a) < order(b) ? -1 : 1))) {
    const own = mount.sharing === "locked" ? locked.get(name) : undefined;
    const directory = own ?? (await taken(work, mount, name, into.undo));
    if (mount.sharing === "locked") locked.set(name, directory);
    directories.set(mount, await made(work, mount, directory, into));
  }
  return directories;
}

/** One that begins as another image's files begins anew when those change. */
async function nameOf({ id, from, source, tree }: SourcedMount, map: IdentityMap | undefined): Promise<string> {
  const base = from === "" ? "" : ((await tree?.layers()) ?? []);
  return cacheKey("mount", id, base, source, ...(map === undefined ? [] : [map]));
}

async function taken({ house, backends, request }: BuildWork, { sharing }: StepMount, name: string, undo: AsyncDisposableStack): Promise<string> {
  const known = (): string[] =>
    readdirSync(backends.paths.buildMounts)
      .filter((one) => one.startsWith(name))
      .toSorted();
  const held = await house.mounts.take(name, { sharing, known, signal: request.signal });
  undo.defer(() => held[Symbol.dispose]());
  return held.directory;
}

/** Where the directory is; made by the first of those who share it. */
async function made(work: BuildWork, mount: SourcedMount, name: string, { map, command }: Into): Promise<string> {
  const { backends, cache, making } = work.house;
  const directory = join(backends.paths.buildMounts, name);
  using _lock = await making.acquire(name, work.request.signal);
  if (!existsSync(directory)) await make(work, mount, directory, map);
  const description = `cached mount ${mount.target} from exec ${command} with id "/${mount.id}"`;
  const key = mountKeyOf(name);
  if (cache.find(key, new Date()) === undefined) cache.put({ key, kind: "mount", description, created: new Date().toISOString() });
  return directory;
}

async function make(work: BuildWork, mount: SourcedMount, directory: string, map: IdentityMap | undefined): Promise<void> {
  const half = work.scratch();
  mkdirSync(half);
  if (mount.from === "") {
    chmodSync(half, mount.mode ?? 0o755);
    const { uid, gid } = ownerOutside(map, { uid: mount.uid ?? 0, gid: mount.gid ?? 0 });
    chownSync(half, uid, gid);
  } else await fill(work, mount, half, map !== undefined);
  renameSync(half, directory);
}

/** Copies another image's files. */
async function fill(work: BuildWork, { tree, source }: SourcedMount, into: string, mapped: boolean): Promise<void> {
  const { backends, roots, request } = work;
  const layers = (await tree?.layers()) ?? [];
  const { id, rootfs } = await openRoot(backends, layers, { mapped });
  try {
    removeGiven(rootfs, backends.kernel);
    const files = await roots.tree(layers);
    const path = resolved(files, treePath(source));
    if (files.lstat(path)?.type !== "directory") throw new EngineError("notFound", `failed to compute cache key: "/${path}": not found`);
    await promisify(execFile)("cp", ["-a", "--", `${join(rootfs, path)}/.`, into], { signal: request.signal });
  } finally {
    await backends.snapshots.remove(id);
  }
}
