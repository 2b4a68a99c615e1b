import { copyFileSync, globSync, mkdirSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { build } from "vite";

/**
 * The engine as plain files that Node runs without node_modules: `main.mjs`, one `NAME.worker.mjs` for each
 * `NAME.worker.ts`, and koffi's addon beside them as `koffi.node`. So a file names its worker
 * `new URL(import.meta.url.endsWith(".ts") ? "./NAME.worker.ts" : "./NAME.worker.mjs", import.meta.url)`: beside itself
 * in a source tree, beside main.mjs here. Names of workers are therefore unique in the whole engine.
 */
const repository = resolve(import.meta.dirname, "../..");
const engine = join(repository, "runtime-vm/engine");

export const bundleSources = (): string[] =>
  ["engine", "link", "api", "base", "client"]
    .flatMap((area) => globSync(join(repository, "runtime-vm", area, "**/*.ts")))
    .filter((file) => !/\.(test|suite|d)\.ts$/.test(file))
    .toSorted();

/** Writes the bundle into `target`; `main` is the program's first file. */
export async function bundleEngine(target: string, addon: string, main = join(engine, "main.ts")): Promise<void> {
  mkdirSync(target, { recursive: true });
  const workers = globSync(join(engine, "**/*.worker.ts")).map((file): [string, string] => [basename(file, ".ts"), file]);
  // One build an entry, each without shared parts: a second file to read would cost every start.
  for (const [name, file] of [["main", main] as const, ...workers]) await bundleEntry(target, name, file);
  copyFileSync(addon, join(target, "koffi.node"));
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
