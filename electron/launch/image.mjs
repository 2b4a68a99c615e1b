// `npm run image`: runs the image's recipe under this repository's Node 24.
// Dependency-free on purpose: `npm run` may start it with an older Node.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";

/** Debian packages the recipe needs on the machine that builds the image. */
export const imagePackages = ["apt", "dpkg", "xz-utils", "util-linux", "debian-archive-keyring", "ca-certificates"];

const repository = resolve(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "..", "..");

/** Builds what is out of date; resolves to the exit code. `args` as on the command line, `onLine` gets each progress line. */
export function buildImage(args = [], { onLine = (line) => console.log(line), signal } = {}) {
  const node = join(repository, "node_modules", ".bin", "node");
  if (!existsSync(node)) throw new Error(`${node} is missing: run npm ci first`);
  const out = join(repository, "runtime-vm", "image", "out");
  mkdirSync(out, { recursive: true });
  return new Promise((done, fail) => {
    // One build at a time, however many ask for one: the next finds everything made.
    const recipe = [node, "--disable-warning=ExperimentalWarning", join(repository, "runtime-vm/image/main.ts")];
    const child = spawn("flock", ["--no-fork", out, ...recipe, ...args], {
      cwd: repository,
      stdio: ["ignore", "pipe", "inherit"],
      signal,
    });
    let rest = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) onLine(line);
    });
    child.on("error", fail);
    child.on("close", (code) => done(code ?? 1));
  });
}

async function main() {
  const { SetupError, prepareImage } = await import("./setup.mjs");
  try {
    await prepareImage();
    process.exitCode = await buildImage(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(`\n${error.message}`);
    process.exitCode = 1;
  }
}

// Not awaited here: the set-up imports this file.
if (process.argv[1] && resolve(process.argv[1]) === join(repository, "electron", "launch", "image.mjs")) void main();
