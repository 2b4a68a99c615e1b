import { execFile } from "node:child_process";
import { chmodSync, copyFileSync, globSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { promisify } from "node:util";
import { compileProfile, policyPath, profileSource } from "./apparmor.ts";
import type { Mirrors } from "./apt.ts";
import { bundleEngine, bundleSources, compileBundle } from "./bundle.ts";
import { writeInitrd } from "./initrd.ts";
import { allModules, kernelModules } from "./kernel.ts";
import { writeArchive } from "./archive.ts";
import { fetchPackages, type Lock, readLock } from "./lock.ts";
import { ModuleIndex, type ReadModule, writeModules } from "./modules.ts";
import { npmFile } from "./npm.ts";
import { type Arch, foreign, hostArch, nodeArch } from "./recipe.ts";
import { writeRootImage } from "./rootimage.ts";
import { digestOfFiles, type Stage, stampOf } from "./stage.ts";
import { writeStarter } from "./starter.ts";
import { assembleTree } from "./tree.ts";

/** What each stage makes, from what. */
export interface Build {
  readonly arch: Arch;
  readonly mirrors: Mirrors;
  readonly update: boolean;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

const run = promisify(execFile);
const repository = resolve(import.meta.dirname, "../..");
const guest = join(repository, "runtime-vm/guest");
const out = join(import.meta.dirname, "out");
const cache = join(out, "cache");
const pages = join(repository, "assets/starter/www");
const icon = join(repository, "assets/icons/icon.svg");
const moduleBytesMax = 64 * 1024 * 1024;

/** Everything the recipe makes, below runtime-vm/image/out. */
export const outputs = (arch: Arch) =>
  ({
    /** The tool tree; its kernel is in boot/. */
    rootfs: join(out, arch, "rootfs"),
    /** The engine's bundle. */
    engine: join(out, arch, "engine"),
    vmlinuz: join(out, arch, "vmlinuz"),
    initrd: join(out, arch, "initrd"),
    root: join(out, arch, "root.img"),
    /** Tool tree and engine for WSL. */
    archive: join(out, arch, "rootfs.tar"),
  }) as const;

/** All stages in order. Each is described when its turn comes: its inputs may be what the one before has made. */
export function imageStages(plan: Build): readonly (() => Stage)[] {
  const foreign = plan.arch === hostArch() ? [] : [() => treeStage({ ...plan, arch: hostArch(), update: false })];
  return [
    ...foreign,
    () => treeStage(plan),
    () => engineStage(plan),
    () => vmlinuzStage(plan),
    () => initrdStage(plan),
    () => rootStage(plan),
    () => archiveStage(plan),
  ];
}

const code = (...names: string[]): string => digestOfFiles(names.map((name) => join(import.meta.dirname, name)));
const guestFiles = ["boot.sh", "late.sh", "engine.sh", "compose.sh", "shutdown.sh", "inittab", "fstab"].map((name) => join(guest, name));

const starterFiles = (): string[] => [
  icon,
  ...globSync("**/*", { cwd: pages, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted(),
];

export function treeStage(plan: Build): Stage {
  const { arch, update, signal } = plan;
  // With --update the tree is made anew whatever it was made from.
  const pins = update ? process.hrtime.bigint().toString() : readLock(arch);
  return {
    name: `tool tree ${arch}`,
    target: outputs(arch).rootfs,
    inputs: [
      pins,
      code("apparmor.ts", "tree.ts", "recipe.ts", "kernel.ts", "modules.ts", "elf.ts", "busybox.ts", "starter.ts", "stages.ts"),
      digestOfFiles([profileSource, ...guestFiles, ...starterFiles()]),
    ],
    make: async (path) => {
      const lock = await fetchPackages({ ...plan, cache: join(cache, "packages") });
      const unpacked = `${path}.packages`;
      await unpack(lock, unpacked, signal);
      assembleTree(unpacked, path, { arch, node: await npmFile(`node-linux-${nodeArch(arch)}`, "bin/node", join(cache, "npm"), signal) });
      placeGuest(path, arch);
      await writeStarter(join(path, "usr/share/slipway/starter.tar"), { busybox: join(path, "usr/bin/busybox"), pages, icon, arch });
      await placeProfile(unpacked, path, arch, signal);
      await placeKernel(unpacked, path, lock, signal);
      rmSync(unpacked, { recursive: true, force: true });
    },
  };
}

async function unpack(lock: Lock, target: string, signal: AbortSignal): Promise<void> {
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  for (const { file } of lock.packages) await run("dpkg-deb", ["-x", join(cache, "packages", file), target], { signal });
}

/** The guest's own programs. */
function placeGuest(tree: string, arch: Arch): void {
  const home = join(tree, "usr/libexec/slipway");
  mkdirSync(home, { recursive: true });
  for (const file of guestFiles) {
    const target = file.endsWith(".sh") ? join(home, basename(file)) : join(tree, "etc", basename(file));
    copyFileSync(file, target);
    chmodSync(target, file.endsWith(".sh") ? 0o755 : 0o644);
  }
  const { early, late } = kernelModules(arch);
  writeFileSync(join(home, "modules-early"), `${early.join("\n")}\n`);
  writeFileSync(join(home, "modules-late"), `${late.join("\n")}\n`);
  writeFileSync(join(home, "foreign-programs"), foreign(arch).registration);
}

/** Another architecture's parser does not run here, and need not: the policy is the same. */
async function placeProfile(unpacked: string, tree: string, arch: Arch, signal: AbortSignal): Promise<void> {
  const policy = join(tree, policyPath);
  if (arch === hostArch()) await compileProfile(policy, { unpacked, tools: tree }, signal);
  else copyFileSync(join(outputs(hostArch()).rootfs, policyPath), policy);
}

async function placeKernel(unpacked: string, tree: string, { kernel, arch }: Lock, signal: AbortSignal): Promise<void> {
  const directory = join("usr/lib/modules", kernel);
  const decompress: ReadModule = async (path) => (await run("xz", ["-dc", path], { encoding: "buffer", maxBuffer: moduleBytesMax, signal })).stdout;
  const modules = await ModuleIndex.open(join(unpacked, directory), decompress).closure(allModules(kernelModules(arch)));
  writeModules(join(tree, directory), modules, join(unpacked, directory));
  copyFileSync(join(unpacked, "boot", `vmlinuz-${kernel}`), join(tree, "boot", "vmlinuz"));
}

function vmlinuzStage({ arch }: Build): Stage {
  const { rootfs, vmlinuz } = outputs(arch);
  return { name: "kernel", target: vmlinuz, inputs: stampOf(rootfs), make: async (path) => copyFileSync(join(rootfs, "boot/vmlinuz"), path) };
}

function initrdStage({ arch }: Build): Stage {
  const { rootfs, initrd } = outputs(arch);
  const script = join(guest, "initramfs.sh");
  return {
    name: "initramfs",
    target: initrd,
    inputs: [stampOf(rootfs), code("initrd.ts", "cpio.ts"), digestOfFiles([script])],
    make: async (path) => {
      const [release = ""] = readdirSync(join(rootfs, "usr/lib/modules"));
      const index = ModuleIndex.open(join(rootfs, "usr/lib/modules", release));
      writeInitrd(path, { busybox: join(rootfs, "usr/bin/busybox"), script, modules: await index.closure(kernelModules(arch).root) });
    },
  };
}

export function engineStage({ arch, signal }: Build): Stage {
  const lock = join(repository, "package-lock.json");
  return {
    name: `engine ${arch}`,
    target: outputs(arch).engine,
    inputs: [digestOfFiles([...bundleSources(), lock]), code("bundle.ts")],
    make: async (path) => {
      const addon = await npmFile(`@koromix/koffi-linux-${nodeArch(arch)}`, `linux_${nodeArch(arch)}/koffi.node`, join(cache, "npm"), signal);
      await bundleEngine(path, addon);
      if (arch === hostArch()) await compileBundle(path, join(outputs(arch).rootfs, "usr/bin/node"), signal);
    },
  };
}

function rootStage({ arch, signal }: Build): Stage {
  const { rootfs, engine, root } = outputs(arch);
  return {
    name: "root image",
    target: root,
    inputs: [stampOf(rootfs), stampOf(engine), code("rootimage.ts")],
    make: (path) => writeRootImage(path, { tree: rootfs, overlays: [["usr/lib/slipway", engine]], tools: outputs(hostArch()).rootfs }, signal),
  };
}

function archiveStage({ arch, signal }: Build): Stage {
  const { rootfs, engine, archive } = outputs(arch);
  return {
    name: "archive for WSL",
    target: archive,
    inputs: [stampOf(rootfs), stampOf(engine), code("archive.ts", "rootimage.ts")],
    make: (path) => writeArchive(path, { tree: rootfs, engine }, signal),
  };
}
