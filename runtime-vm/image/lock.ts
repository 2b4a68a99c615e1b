import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { EngineError, isClass } from "#base/errors.ts";
import { hasPackage, type Mirrors, type Package, PrivateApt } from "./apt.ts";
import { type Arch, kernelPackage, recipe } from "./recipe.ts";

/** The exact package files an image is made of. */
export interface Lock {
  readonly suite: "trixie";
  readonly arch: Arch;
  /** The kernel's version as its modules' directory is named. */
  readonly kernel: string;
  readonly packages: readonly Package[];
}

export const lockPath = (arch: Arch): string => join(import.meta.dirname, `${arch}.lock.json`);

export function readLock(arch: Arch): Lock | undefined {
  return existsSync(lockPath(arch)) ? (JSON.parse(readFileSync(lockPath(arch), "utf8")) as Lock) : undefined;
}

/** The lock as a recipe whose packages are still those of `lock` sees it; undefined when the recipe asks for others. */
export function usable(lock: Lock | undefined, arch: Arch): Lock | undefined {
  const wanted = [...recipe(arch).packages, lock ? `linux-image-${lock.kernel}` : ""].toSorted();
  const pinned = lock?.packages.map(({ name }) => name).toSorted();
  return pinned && wanted.join() === pinned.join() ? lock : undefined;
}

export interface FetchOptions {
  readonly arch: Arch;
  /** Where package files are kept between builds. */
  readonly cache: string;
  readonly mirrors: Mirrors;
  /** Pin what the archive has today instead of what the lock says. */
  readonly update: boolean;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

/**
 * Brings the pinned package files into the cache and returns what was pinned. Without a usable lock the archive's
 * newest versions are pinned and written down. A version the archive no longer has (it keeps only the newest) gives way
 * to its successor, verified by the archive's signature; the lock on disk then stays as it is.
 */
export async function fetchPackages(options: FetchOptions): Promise<Lock> {
  const { arch, cache, update, signal } = options;
  const lock = update ? undefined : usable(readLock(arch), arch);
  if (lock && (await isCached(lock, cache))) return lock;
  const apt = await PrivateApt.open(join(cache, `apt-${arch}`), options);
  if (lock && (await fetchPinned(apt, lock, options))) return lock;
  const fresh = await resolveNewest(apt, arch, signal);
  await apt.fetch(fresh.packages, cache, { signal });
  if (!lock) writeFileSync(lockPath(arch), `${JSON.stringify(fresh, undefined, 2)}\n`);
  return fresh;
}

async function isCached(lock: Lock, cache: string): Promise<boolean> {
  for (const one of lock.packages) if (!(await hasPackage(cache, one))) return false;
  return true;
}

async function fetchPinned(apt: PrivateApt, lock: Lock, { cache, signal, say }: FetchOptions): Promise<boolean> {
  try {
    await apt.fetch(lock.packages, cache, { signal });
    return true;
  } catch (error) {
    if (!isClass(error, "notFound")) throw error;
    say("the archive has newer packages than the lock pins; building with those (npm run image -- --update pins them)");
    return false;
  }
}

async function resolveNewest(apt: PrivateApt, arch: Arch, signal: AbortSignal): Promise<Lock> {
  const image = (await apt.dependencies(kernelPackage(arch), { signal })).find((name) => name.startsWith("linux-image-"));
  if (!image) throw new EngineError("unavailable", `the archive's ${kernelPackage(arch)} names no kernel image`);
  const packages = await apt.resolve([...recipe(arch).packages, image], { signal });
  return { suite: "trixie", arch, kernel: image.slice("linux-image-".length), packages: packages.toSorted((a, b) => (a.file < b.file ? -1 : 1)) };
}
