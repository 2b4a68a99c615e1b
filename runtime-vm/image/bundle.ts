import { copyFileSync, existsSync, globSync, mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

/**
 * The engine as plain files that Node runs without node_modules: `main.mjs`, one `NAME.worker.mjs` a worker thread, and
 * koffi's addon beside them. A worker is found by its URL: `./NAME.worker.ts` next to its source, `./NAME.worker.mjs` here.
 */
const repository = resolve(import.meta.dirname, "../..");
const engine = join(repository, "runtime-vm/engine");

export const bundleSources = (): string[] =>
  ["engine", "link", "api", "base", "client"]
    .flatMap((area) => globSync(join(repository, "runtime-vm", area, "**/*.ts")))
    .filter((file) => !/\.(test|suite|d)\.ts$/.test(file));

/** Builds into `target` (absent parts replaced as a whole) and returns the path of main.mjs. */
export async function bundleEngine(target: string, arch: "x64" | "arm64"): Promise<string> {
  const workers = globSync(join(engine, "**/*.worker.ts"));
  const half = `${target}.half`;
  rmSync(half, { recursive: true, force: true });
  mkdirSync(half, { recursive: true });
  const entries: [string, string][] = [["main", join(engine, "main.ts")], ...workers.map((file): [string, string] => [basename(file, ".ts"), file])];
  // One build an entry: shared chunks would cost the main file a second read at start.
  for (const [name, file] of entries) await bundleEntry(half, name, file);
  copyFileSync(join(repository, `node_modules/@koromix/koffi-linux-${arch}/linux_${arch}/koffi.node`), join(half, "koffi.node"));
  rmSync(target, { recursive: true, force: true });
  renameSync(half, target);
  return join(target, "main.mjs");
}

async function bundleEntry(directory: string, name: string, file: string): Promise<void> {
  await build({
    configFile: false,
    root: repository,
    logLevel: "error",
    ssr: { noExternal: true },
    build: {
      ssr: file,
      target: "node24",
      outDir: directory,
      emptyOutDir: false,
      minify: false,
      sourcemap: false,
      reportCompressedSize: false,
      rolldownOptions: { output: { format: "es", entryFileNames: `${name}.mjs`, codeSplitting: false } },
    },
  });
}

/** Whether `target` is older than any source. */
function stale(target: string): boolean {
  if (!existsSync(target)) return true;
  const made = statSync(target).mtimeMs;
  return [...bundleSources(), fileURLToPath(import.meta.url), join(repository, "package-lock.json")].some((file) => statSync(file).mtimeMs > made);
}

// As a program: brings the bundle up to date and prints the path of its main file.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const target = join(repository, "runtime-vm/image/out/engine");
  const main = join(target, "main.mjs");
  if (stale(main)) {
    mkdirSync(dirname(target), { recursive: true });
    await bundleEngine(target, process.arch === "arm64" ? "arm64" : "x64");
  }
  console.log(main);
}
