// The window's build: made when it is missing or older than what it is made of.
// Dependency-free on purpose, as its neighbours.
import { join, resolve } from "node:path";
import { buildWith, isCurrent } from "./build.mjs";

const repository = resolve(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "..", "..");
const output = "dist/renderer";
const sources = ["renderer", "electron/bridge", "runtime-vm/api", "runtime-vm/base", "package-lock.json"];

/** Resolves to the folder of the built window. */
export async function buildRenderer({ log = () => {}, signal } = {}) {
  if (!isCurrent(`${output}/index.html`, sources)) {
    log("building the window");
    await buildWith("renderer/vite.config.ts", output, { signal });
  }
  return join(repository, output);
}
