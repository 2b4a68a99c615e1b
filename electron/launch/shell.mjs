// The desktop shell's bundle: made when it is missing or older than what it is made of.
// Dependency-free on purpose, as its neighbours.
import { buildWith, isCurrent } from "./build.mjs";

const made = "dist/shell/main.js";
const sources = [
  "electron/shell",
  "electron/host",
  "electron/bridge",
  "runtime-vm/machine",
  "runtime-vm/link",
  "runtime-vm/api",
  "runtime-vm/base",
  "package-lock.json",
];

export async function buildShell({ log = () => {}, signal } = {}) {
  if (isCurrent(made, sources)) return;
  log("building the desktop shell");
  await buildWith("electron/shell/vite.config.ts", "dist/shell", { signal, modes: ["production", "preload"] });
}
