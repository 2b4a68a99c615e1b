// Builds with vite into a folder that is replaced whole, when the sources are newer than what was made from them.
import { spawn } from "node:child_process";
import { existsSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join, resolve } from "node:path";

const repository = resolve(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "..", "..");

/** Whether the file `made` is at least as new as every file of `sources`; paths are relative to the repository. */
export function isCurrent(made, sources) {
  const stat = statSync(join(repository, made), { throwIfNoEntry: false });
  return stat !== undefined && stat.mtimeMs >= Math.max(...sources.map((source) => newest(join(repository, source))));
}

/** Newest change at or below `path`, in milliseconds. */
function newest(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 0;
  if (!stat.isDirectory()) return stat.mtimeMs;
  let latest = stat.mtimeMs; // a file taken away changes its folder
  for (const name of readdirSync(path)) if (name !== "node_modules") latest = Math.max(latest, newest(join(path, name)));
  return latest;
}

/** Readers of the folder see the former build or the new one, never a mixture; two builds at a time do not disturb each other. */
export async function buildWith(config, output, { signal, modes = ["production"] } = {}) {
  const target = join(repository, output);
  const fresh = `${target}.${process.pid}`;
  const former = `${target}.former.${process.pid}`;
  try {
    for (const mode of modes) await vite(["build", "--config", join(repository, config), "--mode", mode, "--outDir", fresh, "--logLevel", "warn"], signal);
    replace(target, fresh, former);
  } finally {
    for (const path of [fresh, former]) rmSync(path, { recursive: true, force: true });
  }
}

/** Somebody else's build may take either place at the same time: theirs is as new as ours. */
function replace(target, fresh, former) {
  try {
    if (existsSync(target)) renameSync(target, former);
    renameSync(fresh, target);
  } catch (error) {
    if (!existsSync(target)) throw error;
  }
}

function vite(args, signal) {
  const node = join(repository, "node_modules", ".bin", "node");
  return new Promise((done, fail) => {
    const child = spawn(node, [join(repository, "node_modules", "vite", "bin", "vite.js"), ...args], {
      cwd: repository,
      stdio: ["ignore", "pipe", "pipe"],
      signal,
    });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (said = (said + text).slice(-8000)));
    child.on("error", fail);
    child.on("close", (code) => (code === 0 ? done() : fail(new Error(`the build by ${args[2]} failed:\n${said}`))));
  });
}
