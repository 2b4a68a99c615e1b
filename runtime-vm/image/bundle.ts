import { execFile } from "node:child_process";
import { copyFileSync, globSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { promisify } from "node:util";
import { build } from "vite";

/**
 * The engine as plain files that Node runs without node_modules: `main.mjs`, `shares.mjs` of guest/shares, one `NAME.worker.mjs` for each
 * `NAME.worker.ts`, and koffi's addon beside them as `koffi.node`. So a file names its worker
 * `new URL(import.meta.url.endsWith(".ts") ? "./NAME.worker.ts" : "./NAME.worker.mjs", import.meta.url)`: beside itself
 * in a source tree, beside main.mjs here. Names of workers are therefore unique in the whole engine.
 */
const run = promisify(execFile);
const repository = resolve(import.meta.dirname, "../..");
const engine = join(repository, "runtime-vm/engine");
const shares = join(repository, "runtime-vm/guest/shares");

/**
 * What Node runs the engine with, for the two that start it (guest/engine.sh, guest/native.sh): `node-flags` beside the bundle. V8 takes
 * a compile cache only with the flags it was made with. Small young generation: the engine makes little garbage at a time, and 16 MiB
 * semi-spaces would double its memory. One helper thread: more get in each other's way under software emulation. gc() for an engine at
 * rest (core/memory). A pattern of somebody else's (.dockerignore, COPY, filters) that would have V8 try for ever is handed to its linear
 * matcher after 50,000 steps back; not so one with the flags i, u or d or that looks around, which that matcher does not know.
 */
const nodeFlags: readonly string[] = [
  "--max-semi-space-size=2",
  "--v8-pool-size=1",
  "--expose-gc",
  "--enable-experimental-regexp-engine-on-excessive-backtracks",
];

export const bundleSources = (): string[] =>
  ["engine", "guest", "link", "api", "base", "client"]
    .flatMap((area) => globSync(join(repository, "runtime-vm", area, "**/*.ts")))
    .filter((file) => !/\.(test|suite|d)\.ts$/.test(file))
    .toSorted();

/** Writes the bundle into `target`. */
export async function bundleEngine(target: string, addon: string): Promise<void> {
  mkdirSync(target, { recursive: true });
  const workers = [engine, shares].flatMap((area) => globSync(join(area, "**/*.worker.ts"))).map((file): [string, string] => [basename(file, ".ts"), file]);
  // One build an entry, each without shared parts: a second file to read would cost every start.
  const programs = [["main", join(engine, "main.ts")] as const, ["shares", join(shares, "main.ts")] as const];
  for (const [name, file] of [...programs, ...workers]) await bundleEntry(target, name, file);
  copyFileSync(addon, join(target, "koffi.node"));
  writeFileSync(join(target, "node-flags"), `${nodeFlags.join(" ")}\n`);
}

/**
 * Has Node compile the bundle once, into compile-cache/ beside it, where the engine's starts find it read-only: by
 * NODE_COMPILE_CACHE, and by NODE_COMPILE_CACHE_PORTABLE since it moves. Such a cache belongs to one Node on one
 * architecture, and by its name to one user: root.
 */
export async function compileBundle(target: string, node: string, signal: AbortSignal): Promise<void> {
  const cache = join(target, "compile-cache");
  const env = { NODE_COMPILE_CACHE: cache, NODE_COMPILE_CACHE_PORTABLE: "1" };
  await run(node, [...nodeFlags, join(target, "main.mjs"), "--version"], { env, signal });
  for (const name of readdirSync(cache)) renameSync(join(cache, name), join(cache, name.replace(/-\d+$/, "-0")));
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
  const written = join(directory, `${name}.mjs`);
  writeFileSync(written, inAscii(takeBuiltins(readFileSync(written, "utf8"))));
}

/** One character outside Latin-1, and V8 keeps and looks through the whole text at two bytes each, at every start. */
function inAscii(code: string): string {
  return code.replace(/[^\0-\x7f]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/**
 * Node's own modules by `process.getBuiltinModule`. An import statement of node:http reads all its exports once, and with
 * the lazy ones loads a whole fetch and WebSocket implementation that the engine never uses: half the time of a start.
 */
export function takeBuiltins(code: string): string {
  let lazy = false;
  const taken = code.replace(
    /^import (?:([\w$]+)|\* as ([\w$]+)|(?:([\w$]+), )?\{([^}]*)\}) from "(node:[\w/]+)";$/gm,
    (_, ...found: (string | undefined)[]) => {
      const [alone, whole, beside, names, module = ""] = found;
      const object = alone ?? whole ?? beside;
      if (lateBuiltins.has(module) && object === undefined && names !== undefined) {
        lazy = true;
        return takenLate(module, names);
      }
      const builtin = `process.getBuiltinModule("${module}")`;
      return [
        ...(object === undefined ? [] : [`const ${object} = ${builtin};`]),
        ...(names === undefined ? [] : [`const {${names.replaceAll(" as ", ": ")}} = ${builtin};`]),
      ].join(" ");
    },
  );
  return lazy ? `${late}${taken}` : taken;
}

/** What a start can do without, some 50 ms of it altogether: TLS and HTTP/2 are large and may never be used, the others once there is work. */
const lateBuiltins: ReadonlySet<string> = new Set([
  "node:child_process",
  "node:crypto",
  "node:dgram",
  "node:dns/promises",
  "node:fs/promises",
  "node:http2",
  "node:https",
  "node:readline",
  "node:stream/consumers",
  "node:tls",
  "node:worker_threads",
  "node:zlib",
]);

/** Each name as something that is what the module exports from its first use on. */
function takenLate(module: string, names: string): string {
  const declared = names.split(",").map((name) => {
    const [exported = "", local = exported] = name.trim().split(" as ");
    const value = (process.getBuiltinModule(module) as unknown as Record<string, unknown>)[exported];
    // A worker's port to its engine, which has none itself: at work from the worker's first line.
    if (value === null) return `const ${local} = process.getBuiltinModule("${module}").${exported};`;
    const isList = Array.isArray(value);
    return `const ${local} = late("${module}", "${exported}"${isList ? ", []" : ""});`;
  });
  return declared.join(" ");
}

const late = `function late(module, name, shape = function () {}) {
  const real = () => process.getBuiltinModule(module)[name];
  return new Proxy(shape, {
    get: (_, key) => Reflect.get(real(), key),
    has: (_, key) => Reflect.has(real(), key),
    apply: (_, self, args) => Reflect.apply(real(), self, args),
    construct: (_, args) => Reflect.construct(real(), args),
  });
}
`;
