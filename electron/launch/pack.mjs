// electron-builder's beforePack: what is packed is never older than its sources.
import { buildRenderer } from "./renderer.mjs";
import { buildShell } from "./shell.mjs";

export default async function beforePack() {
  await buildRenderer({ log: console.log });
  await buildShell({ log: console.log });
}
