// What `npm start` and `npm test` need on this computer, step by step. Each step looks first and does nothing when all
// is there, so that a second start goes straight on.
// Dependency-free on purpose: it runs under whatever Node a fresh machine has, before node_modules exists.
import { execFileSync, spawn } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync, symlinkSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { buildImage, imagePackages } from "./image.mjs";
import { appPackages, chromiumPackages, foreignPlatformAdvice, parseOsRelease, staleNpmPackages, systemPackagePlan } from "./plan.mjs";
import { buildRenderer } from "./renderer.mjs";

export const repository = resolve(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "..", "..");
/** Node 24 from the npm packages: everything of ours runs under it. */
export const node = join(repository, "node_modules", ".bin", process.platform === "win32" ? "node.exe" : "node");
const isRoot = process.getuid?.() === 0;

/** Set-up that cannot go on: its message says what the person can do. */
export class SetupError extends Error {}

/** Prints a step's name, then what it says indented, then how long it took. */
export async function step(title, work, say = console.log) {
  const began = performance.now();
  say(`» ${title}`);
  const result = await work((line) => say(`    ${line}`));
  const seconds = (performance.now() - began) / 1000;
  if (seconds >= 1) say(`  done in ${seconds.toFixed(1)} s`);
  return result;
}

/** Everything `npm start` needs. */
export async function prepareApp() {
  await prepareWindow([...appPackages(process.arch, imagePackages), ...browserPackages()]);
}

/** Everything `npm test` needs; `packages` are Debian packages beside those of the app. */
export async function prepareForTests({ packages = [] } = {}) {
  if (process.platform !== "linux") throw new SetupError("the tests run on Linux: they need namespaces, and QEMU with the system image");
  await prepareWindow([...new Set([...appPackages(process.arch, imagePackages), ...packages])]);
}

/** What a virtual machine needs, and the window served over it; `say` gets the progress. */
export async function prepareWindow(packages = appPackages(process.arch, imagePackages), say = console.log) {
  await prepareMachine(packages, say);
  if (process.platform === "linux") await step("window", (line) => buildRenderer({ log: line }), say);
}

/** What a virtual machine needs; elsewhere than on Linux it is only looked for. */
export async function prepareMachine(packages = appPackages(process.arch, imagePackages), say = console.log) {
  if (process.platform !== "linux") {
    requireNode();
    return await prepareElsewhere();
  }
  await prepareImage(packages, say);
  await step("system image of the virtual machine", buildSystemImage, say);
}

/** The npm packages, Node 24 among them: all that checking and building the sources needs. */
export async function preparePackages(say = console.log) {
  requireNode();
  await step("npm packages", installNpmPackages, say);
}

/** What building the system image needs, the engine's tool tree among it. */
export async function prepareImage(packages = imagePackages, say = console.log) {
  await preparePackages(say);
  await step("system packages", (line) => installSystemPackages(packages, line), say);
}

function requireNode() {
  const [major] = process.versions.node.split(".").map(Number);
  if (major < 20) throw new SetupError(`Node ${process.versions.node} is too old: Node 20 or newer is needed to start, everything else comes by npm`);
}

async function installNpmPackages(say) {
  const read = (path) => (existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : undefined);
  const stale = staleNpmPackages(read(join(repository, "package-lock.json")), read(join(repository, "node_modules", ".package-lock.json")));
  if (stale.length === 0 && existsSync(node)) return say("all there");
  say(`installing ${stale.length} ${stale.length === 1 ? "package" : "packages"} from the npm registry`);
  // No package of ours needs its install script: what is native comes built.
  await run(process.platform === "win32" ? "npm.cmd" : "npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], say);
  linkNode();
  if (!existsSync(node))
    throw new SetupError(`there is no Node 24 among the npm packages for ${process.platform} ${process.arch}: install Node 24 yourself and start with it`);
}

/** npm 9 leaves the program of the Node package out of node_modules/.bin. */
function linkNode() {
  const program = join(`node-linux-${process.arch}`, "bin", "node");
  if (process.platform === "linux" && !existsSync(node) && existsSync(join(repository, "node_modules", program))) symlinkSync(join("..", program), node);
}

export async function installSystemPackages(packages, say) {
  const missing = missingPackages(packages);
  const plan = systemPackagePlan({ platform: process.platform, os: thisSystem(), missing, isRoot, sudo: sudoKind() });
  if (plan.kind === "nothing") return say("all there");
  if (plan.kind === "tell") throw new SetupError(plan.text);
  say(`installing ${missing.join(", ")}${plan.asks ? " (sudo asks for your password)" : ""}`);
  const sayIfTelling = (line) => aptTells.test(line) && say(line);
  for (const [command, ...args] of plan.commands) await run(command, args, sayIfTelling, { DEBIAN_FRONTEND: "noninteractive" });
}

/** The lines of apt-get that show how far it is or why it failed, out of some thousands. */
const aptTells = /^(Need to get|Fetched|Setting up|E:|W:|Err:|dpkg: error)|unmet dependencies|Depends:/;

async function buildSystemImage(say) {
  const code = await buildImage([], { onLine: say });
  if (code !== 0) throw new SetupError("the system image could not be built; the lines above say why, and `npm run image` tries again");
}

async function prepareElsewhere() {
  const arch = process.arch === "arm64" ? "arm64" : "amd64";
  const advice = foreignPlatformAdvice(process.platform, {
    qemu: onPath(process.arch === "arm64" ? "qemu-system-aarch64" : "qemu-system-x86_64") !== undefined,
    wsl: onPath("wsl.exe") !== undefined,
    electron: findElectron() !== undefined,
    image: existsSync(join(repository, "runtime-vm", "image", "out", arch)),
  });
  if (advice.length > 0) throw new SetupError(`Slipway needs on this computer:\n${advice.map((line) => `  - ${line}`).join("\n")}`);
}

const thisSystem = () => parseOsRelease(existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "");

export const browserPackages = () => (findChromium() === undefined ? chromiumPackages(thisSystem()) : []);

/** Any Chromium or Chrome; undefined when there is none. */
export function findChromium() {
  if (process.env.SLIPWAY_CHROMIUM) return process.env.SLIPWAY_CHROMIUM;
  for (const name of ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "microsoft-edge-stable", "brave-browser"]) {
    const found = onPath(name);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Electron's binary, when it is on this disk. Never `require("electron")`: that would fetch it. */
export function findElectron() {
  const directory = process.env.ELECTRON_OVERRIDE_DIST_PATH || join(repository, "node_modules", "electron", "dist");
  const name = { darwin: "Electron.app/Contents/MacOS/Electron", win32: "electron.exe" }[process.platform] ?? "electron";
  const path = join(directory, name);
  return existsSync(path) ? path : undefined;
}

function onPath(name) {
  for (const directory of (process.env.PATH ?? "").split(delimiter)) {
    const path = join(directory, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      continue;
    }
  }
  return undefined;
}

function missingPackages(packages) {
  if (onPath("dpkg-query") === undefined) return packages.filter((name) => !name.startsWith("qemu-system") || onPath("qemu-system-x86_64") === undefined);
  const installed = new Set();
  const format = "$" + "{Package} $" + "{db:Status-Status}\n";
  for (const name of packages) {
    try {
      if (execFileSync("dpkg-query", ["-W", "-f", format, name], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).includes(" installed"))
        installed.add(name);
    } catch {
      continue; // dpkg does not know it
    }
  }
  return packages.filter((name) => !installed.has(name));
}

function sudoKind() {
  if (onPath("sudo") === undefined) return "none";
  try {
    execFileSync("sudo", ["-n", "true"], { stdio: "ignore" });
    return "silent";
  } catch {
    return process.stdin.isTTY ? "asks" : "none";
  }
}

const quietMs = 20_000;

/** Runs a command, its lines shown; fails with its last lines. */
function run(command, args, say, env = {}) {
  return new Promise((done, fail) => {
    const child = spawn(command, args, { cwd: repository, stdio: ["inherit", "pipe", "pipe"], env: { ...process.env, ...env } });
    const began = Date.now();
    // Some commands work for minutes without a word: nobody should wonder whether they still do.
    const quiet = setInterval(() => say(`still at it (${Math.round((Date.now() - began) / 1000)} s)`), quietMs);
    let rest = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        quiet.refresh();
        const lines = (rest + text).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) if (line.trim() !== "") say(line.trimEnd());
      });
    }
    for (const end of ["close", "error"]) child.on(end, () => clearInterval(quiet));
    child.on("error", (error) => fail(new SetupError(`${command} could not be started: ${error.message}`)));
    child.on("close", (code, signal) =>
      code === 0 ? done() : fail(new SetupError(`${[command, ...args].join(" ")} ended with ${signal ?? code}; its lines above say why`)),
    );
  });
}
