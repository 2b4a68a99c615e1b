import { execFile } from "node:child_process";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs, promisify } from "node:util";
import { EngineError, messageOf } from "#base/errors.ts";
import { defaultMirrors, type Mirrors } from "./apt.ts";
import { fetchPackages, type Lock, readLock } from "./lock.ts";
import { type Arch, hostArch, nodeArch, recipe } from "./recipe.ts";
import * as recipes from "./recipe.ts";
import { build } from "./stage.ts";
import { assembleTree } from "./tree.ts";

/**
 * `npm run image`: the tool tree, the engine's bundle, and the VM's kernel, initramfs and root image, into
 * runtime-vm/image/out. Each stage is made again only when what it is made from has changed.
 */
const repository = resolve(import.meta.dirname, "../..");
const out = join(import.meta.dirname, "out");
const run = promisify(execFile);

const { values: args } = parseArgs({
  options: {
    arch: { type: "string", default: hostArch() },
    update: { type: "boolean", default: false },
    mirror: { type: "string", default: defaultMirrors.debian },
    "security-mirror": { type: "string", default: defaultMirrors.security },
  },
});

const say = (line: string): void => console.log(line);

function parseArch(text: string): Arch {
  if (text !== "amd64" && text !== "arm64") throw new EngineError("invalidArgument", `--arch ${text}: the image is made for amd64 and arm64`);
  return text;
}

async function main(signal: AbortSignal): Promise<void> {
  const arch = parseArch(args.arch);
  const mirrors: Mirrors = { debian: args.mirror, security: args["security-mirror"] };
  const rootfs = join(out, arch, "rootfs");
  const recipeInputs = {
    lock: args.update ? Date.now() : readLock(arch),
    recipe: recipe(arch),
    more: [recipes.directories, recipes.links(arch), recipes.files],
  };
  await step(`tool tree ${arch}`, () =>
    build({
      target: rootfs,
      inputs: recipeInputs,
      make: async (path) => {
        const lock = await fetchPackages({ arch, cache: join(out, "cache", "packages"), mirrors, update: args.update, signal, say });
        const unpacked = `${path}.packages`;
        await unpack(lock, unpacked, signal);
        assembleTree(unpacked, path, { arch, node: nodeBinary(arch) });
        rmSync(unpacked, { recursive: true, force: true });
      },
    }),
  );
}

async function unpack(lock: Lock, target: string, signal: AbortSignal): Promise<void> {
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  for (const { file } of lock.packages) await run("dpkg-deb", ["-x", join(out, "cache", "packages", file), target], { signal });
}

function nodeBinary(arch: Arch): string {
  const path = join(repository, `node_modules/node-linux-${nodeArch(arch)}/bin/node`);
  if (!existsSync(path)) throw new EngineError("notFound", `${path} is missing: run npm ci`);
  return path;
}

async function step(name: string, work: () => Promise<boolean>): Promise<void> {
  const began = performance.now();
  const made = await work();
  say(made ? `${name}: made in ${((performance.now() - began) / 1000).toFixed(1)} s` : `${name}: up to date`);
}

const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => stop.abort(new EngineError("cancelled", `stopped by ${name}`)));
try {
  await main(stop.signal);
} catch (error) {
  console.error(`image: ${messageOf(error)}`);
  process.exitCode = 1;
}
