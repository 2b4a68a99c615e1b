// The window's build: made when it is missing or older than what it is made of.
// Dependency-free on purpose: the launch entries run before node_modules exists.
import { spawn } from "node:child_process";
import { existsSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join, resolve } from "node:path";

const repository = resolve(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "..", "..");
const output = join(repository, "dist", "renderer");
const sources = ["renderer", "electron/bridge", "runtime-vm/api", "runtime-vm/base", "package-lock.json"];

/** Newest change among the files at `path`, in milliseconds. */
function newest(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 0;
  if (!stat.isDirectory()) return stat.mtimeMs;
  let latest = stat.mtimeMs; // a file taken away changes its folder
  for (const name of readdirSync(path)) if (name !== "node_modules") latest = Math.max(latest, newest(join(path, name)));
  return latest;
}

export const rendererIsCurrent = () => {
  const built = statSync(join(output, "index.html"), { throwIfNoEntry: false });
  return built !== undefined && built.mtimeMs >= Math.max(...sources.map((source) => newest(join(repository, source))));
};

/** Resolves to the folder of the built window. A build replaces the former one whole, so that readers of either see no mixture. */
export async function buildRenderer({ log = () => {}, signal } = {}) {
  if (rendererIsCurrent()) return output;
  log("building the window");
  const fresh = `${output}.${process.pid}`;
  try {
    await vite(["build", "--config", join(repository, "renderer", "vite.config.ts"), "--outDir", fresh, "--emptyOutDir", "--logLevel", "warn"], signal);
    const former = `${output}.former.${process.pid}`;
    if (existsSync(output)) renameSync(output, former);
    renameSync(fresh, output);
    rmSync(former, { recursive: true, force: true });
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return output;
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
    child.on("close", (code) => (code === 0 ? done() : fail(new Error(`the window could not be built:\n${said}`))));
  });
}
