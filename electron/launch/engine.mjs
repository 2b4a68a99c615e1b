// `npm run engine`: the engine natively on this Linux, as root, in the foreground. Not the engine's own process tree: it
// starts the launcher (runtime-vm/guest/native.sh), which becomes the engine, passes signals on, and tidies up behind it.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const repository = resolve(dirname(fileURLToPath(import.meta.url)), "..", "..");
const arch = process.arch === "arm64" ? "arm64" : "amd64";
const tree = join(repository, "runtime-vm/image/out", arch, "rootfs");
const launcher = join(repository, "runtime-vm/guest/native.sh");

function fail(message) {
  console.error(`engine: ${message}`);
  process.exit(1);
}

/** Splits off what is the launcher's; the rest goes to the engine as it is. */
function parse(args) {
  const own = { root: "", socket: "", isolate: "" };
  const rest = [];
  for (let i = 0; i < args.length; i += 1) {
    const [, name, inline] = /^--(root|socket|isolate)(?:=(.*))?$/.exec(args[i]) ?? [];
    if (name === undefined) rest.push(args[i]);
    else own[name] = inline ?? args[(i += 1)] ?? "";
  }
  return { ...own, rest };
}

const { root: givenRoot, socket: givenSocket, isolate, rest } = parse(process.argv.slice(2));
if (process.platform !== "linux") fail("runs natively on Linux only; elsewhere use `npm run machine`, which boots a VM");
if (givenRoot === "" || givenSocket === "") fail("usage: npm run engine -- --root DIR --socket PATH [--config FILE] [--isolate NAME] [--debug]");
if (!/^[\w.-]*$/.test(isolate)) fail(`--isolate ${isolate}: a name of letters, digits, _ . and -`);
if (process.getuid() !== 0) fail(`needs root for namespaces and mounts: sudo npm run engine -- ${process.argv.slice(2).join(" ")}`);
if (!existsSync(join(tree, "usr/bin/crun"))) fail("the tool tree is not built yet: npm run image");

const root = resolve(givenRoot);
const socket = resolve(givenSocket);
for (const [i, word] of rest.entries()) if (word === "--config" && rest[i + 1] !== undefined) rest[i + 1] = `/host${resolve(rest[i + 1])}`;
mkdirSync(root, { recursive: true });
const bundle = ensureBundle();
const engine = ["/usr/bin/node", `/host${bundle}`, "--root", root, "--socket", socket, "--host-prefix", "/host", ...rest];

/** The engine as one file, built again when a source is newer. */
function ensureBundle() {
  const node = join(repository, "node_modules/.bin/node");
  return execFileSync(node, [join(repository, "runtime-vm/image/bundle.ts")], { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }).trim();
}

const child = spawn("sh", [launcher, tree, root, socket, isolate, ...engine], {
  stdio: "inherit",
  env: { ...process.env, NODE_COMPILE_CACHE: join(root, "run", "compile-cache") },
});
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => child.kill(signal === "SIGHUP" ? "SIGTERM" : signal));
child.on("error", (error) => fail(`the launcher did not start: ${error.message}`));
child.on("exit", (code, signal) => {
  spawnSync("sh", [launcher, tree, root, socket, isolate, "cleanup"], { stdio: ["ignore", "ignore", "inherit"] });
  process.exit(signal ? 1 : (code ?? 1));
});
