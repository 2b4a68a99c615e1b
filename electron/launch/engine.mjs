// `npm run engine`: the engine natively on this Linux, as root, in the foreground. Brings tool tree and bundle up to date, then
// becomes the launcher (runtime-vm/guest/native.sh), a shell that costs nothing to keep.
// Dependency-free on purpose: `npm run` may start it with an older Node.
import { existsSync, mkdirSync, readdirSync, realpathSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { become } from "./become.mjs";
import { buildImage } from "./image.mjs";

const repository = resolve(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "..", "..");
const out = join(repository, "runtime-vm/image/out", process.arch === "arm64" ? "arm64" : "amd64");
const tree = join(out, "rootfs");
const bundle = join(out, "engine");
const launcher = join(repository, "runtime-vm/guest/native.sh");
const usage = "usage: npm run engine -- --root DIR --socket PATH [--config FILE] [--isolate NAME] [--debug]";

/** Splits off what is the launcher's; the rest goes to the engine as it is. */
export function parseEngineArguments(args) {
  const own = { root: "", socket: "", isolate: "" };
  const rest = [];
  for (let i = 0; i < args.length; i += 1) {
    const [, name, inline] = /^--(root|socket|isolate|config)(?:=(.*))?$/s.exec(args[i]) ?? [];
    if (name === undefined) rest.push(args[i]);
    else {
      const value = inline ?? args[(i += 1)];
      if (value === undefined || value === "") throw new Error(`--${name} wants a value\n${usage}`);
      // The engine sees the host's files below /host; its root and socket have their own paths there.
      if (name === "config") rest.push("--config", `/host${resolve(value)}`);
      else own[name] = value;
    }
  }
  if (own.root === "" || own.socket === "") throw new Error(usage);
  if (!/^[\w.-]{0,64}$/.test(own.isolate) || /^\.+$/.test(own.isolate)) throw new Error(`--isolate ${own.isolate}: at most 64 letters, digits, _ . and -`);
  return { ...own, root: resolve(own.root), socket: resolve(own.socket), rest };
}

/** Whether a source of the engine is newer than its bundle was when last looked at. */
function isStale() {
  const stamp = join(out, ".engine.inputs");
  if (!existsSync(join(bundle, "main.mjs")) || !existsSync(stamp)) return true;
  const looked = statSync(stamp).mtimeMs;
  const newer = (directory) =>
    readdirSync(directory, { withFileTypes: true }).some((entry) => {
      const path = join(directory, entry.name);
      return entry.isDirectory() ? newer(path) : /(?<!\.test|\.suite)\.ts$/.test(entry.name) && statSync(path).mtimeMs > looked;
    });
  const sources = ["engine", "link", "api", "base", "client"].map((area) => join(repository, "runtime-vm", area));
  const alone = ["package-lock.json", "runtime-vm/image/bundle.ts"];
  return alone.some((file) => statSync(join(repository, file)).mtimeMs > looked) || sources.some(newer);
}

async function upToDate() {
  const say = { onLine: (line) => console.error(line) };
  const fresh = !existsSync(join(tree, "usr/bin/crun"));
  if (fresh) await (await import("./setup.mjs")).prepareImage(undefined, say.onLine);
  for (const [due, part] of [
    [fresh, "tree"],
    [isStale(), "engine"],
  ]) {
    if (due && (await buildImage(["--only", part], say)) !== 0) throw new Error("the engine could not be built: see above");
  }
}

/** The path with its links followed, so that it means the same inside. */
function made(directory) {
  mkdirSync(directory, { recursive: true });
  return realpathSync(directory);
}

/** What the arguments of `npm run engine` become once all is up to date: program and arguments. */
export function launcherCommand(given) {
  const { root, socket, isolate, rest } = parseEngineArguments(given);
  const args = ["start", tree, bundle, made(root), join(made(dirname(socket)), socket.slice(dirname(socket).length + 1)), isolate, ...rest];
  return [join(tree, "usr/bin/busybox"), ["sh", launcher, ...args]];
}

async function main() {
  if (process.platform !== "linux") throw new Error("runs natively on Linux only; elsewhere `npm run machine` boots a VM");
  const args = process.argv.slice(2);
  parseEngineArguments(args);
  if (process.getuid() !== 0) throw new Error(`namespaces and mounts need root: sudo npm run engine -- ${args.join(" ")}`);
  await upToDate();
  become(...launcherCommand(args));
}

if (process.argv[1] && resolve(process.argv[1]) === join(repository, "electron", "launch", "engine.mjs")) {
  main().catch((error) => {
    console.error(`engine: ${error.message}`);
    process.exit(1);
  });
}
