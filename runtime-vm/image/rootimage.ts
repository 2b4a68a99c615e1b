import { execFile } from "node:child_process";
import { linkSync, lstatSync, mkdirSync, readdirSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { type Arch, hostArch, loader, triplet } from "./recipe.ts";

const run = promisify(execFile);

/** All root images have the same UUID and dates, so that the same inputs make the same bytes. */
const uuid = "51a75e0a-0000-4000-8000-000000000001";
export const dateSeconds = 1_735_689_600;
/** Blocks compressed together: larger is smaller on disk and slower to read from. */
const clusterBytes = 65_536;
/** Lines of CLUSTER_BYTES ALGORITHM REGEX, 0: as it is. Node is read at every boot, where software emulation makes unpacking dear. */
const compressionHints = "0 0 usr/bin/node$\n";

export interface RootImageParts {
  /** The tool tree. */
  readonly tree: string;
  /** Directories laid over it: path in the image, and where its files come from. */
  readonly overlays: readonly (readonly [path: string, source: string])[];
  /** The tool tree of this machine's architecture, whose mkfs.erofs does the work. */
  readonly tools: string;
}

/** Writes the VM's read-only root file system: the tree with the engine in it, as EROFS with lz4. */
export async function writeRootImage(path: string, { tree, overlays, tools }: RootImageParts, signal: AbortSignal): Promise<void> {
  const staging = `${path}.staging`;
  rmSync(staging, { recursive: true, force: true });
  linkTree(tree, staging);
  for (const [at, source] of overlays) linkTree(source, join(staging, at));
  const hints = `${path}.hints`;
  writeFileSync(hints, compressionHints);
  const options = ["--quiet", `--compress-hints=${hints}`, "-zlz4hc", `-C${clusterBytes}`, "-x-1", "--all-root", `-T${dateSeconds}`, `-U${uuid}`];
  await runInTree(tools, "usr/bin/mkfs.erofs", [...options, path, staging], signal);
  for (const leftover of [staging, hints]) rmSync(leftover, { recursive: true, force: true });
}

/** Runs a program of a tool tree, or one elsewhere by its absolute path, on this machine's kernel with the tree's own loader and libraries. */
export async function runInTree(tree: string, program: string, args: readonly string[], signal: AbortSignal): Promise<string> {
  const arch: Arch = hostArch();
  const libraries = join(tree, "usr/lib", triplet(arch));
  const { stdout } = await run(join(tree, "usr", loader(arch)), ["--library-path", libraries, resolve(tree, program), ...args], { signal });
  return stdout;
}

/** A copy of a tree that shares its files' bytes. */
export function linkTree(source: string, target: string): void {
  mkdirSync(target, { recursive: true });
  for (const name of readdirSync(source)) {
    const from = join(source, name);
    const to = join(target, name);
    const info = lstatSync(from);
    if (info.isDirectory()) linkTree(from, to);
    else if (info.isSymbolicLink()) symlinkSync(readlinkSync(from), to);
    else linkSync(from, to);
  }
}
