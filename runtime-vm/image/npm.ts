import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { EngineError } from "#base/errors.ts";

const run = promisify(execFile);
const repository = resolve(import.meta.dirname, "../..");

/**
 * The path of a file of an npm package that package-lock.json pins: the installed one, or for an architecture that npm
 * does not install here, out of the package's archive, fetched into `cache` and held against the lock's digest.
 */
export async function npmFile(name: string, file: string, cache: string, signal: AbortSignal): Promise<string> {
  const installed = join(repository, "node_modules", name, file);
  if (existsSync(installed)) return installed;
  const { version, integrity } = pinned(name);
  const directory = join(cache, `${name.replaceAll("/", "-")}-${version}`);
  const wanted = join(directory, "package", file);
  if (existsSync(wanted)) return wanted;
  mkdirSync(directory, { recursive: true });
  const { stdout } = await run("npm", ["pack", "--silent", "--pack-destination", directory, `${name}@${version}`], { cwd: repository, signal });
  const archive = join(directory, stdout.trim());
  const digest = `sha512-${createHash("sha512").update(readFileSync(archive)).digest("base64")}`;
  if (digest !== integrity) {
    rmSync(directory, { recursive: true });
    throw new EngineError("unavailable", `the archive of ${name} ${version} is not what package-lock.json pins`);
  }
  await run("tar", ["-xzf", archive, "-C", directory], { signal });
  if (!existsSync(wanted)) throw new EngineError("notFound", `${name} ${version} has no file ${file}`);
  return wanted;
}

function pinned(name: string): { version: string; integrity: string } {
  const lock = JSON.parse(readFileSync(join(repository, "package-lock.json"), "utf8")) as {
    packages: Record<string, { version: string; integrity: string } | undefined>;
  };
  const entry = lock.packages[`node_modules/${name}`];
  if (!entry) throw new EngineError("notFound", `package-lock.json does not pin ${name}: add it to package.json`);
  return entry;
}
