// `npm start`: sets this computer up, then opens the app: in Electron when its binary is there, else in a browser.
// Dependency-free on purpose: it runs under whatever Node a fresh machine has, before node_modules exists.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chooseWindow } from "./plan.mjs";
import { SetupError, findChromium, findElectron, node, prepareApp, repository, step } from "./setup.mjs";
import { buildShell } from "./shell.mjs";

const given = process.argv.slice(2);
// A terminal that was closed must not cost the machine its orderly end.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});

/** Signals of the terminal reach the child by themselves; we only outlive it. */
function untilEnd(child) {
  for (const name of ["SIGINT", "SIGHUP"]) process.on(name, () => {});
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  return new Promise((done) => {
    child.on("error", (error) => {
      console.error(`could not be started: ${error.message}`);
      done(1);
    });
    child.on("close", (code) => done(code ?? 1));
  });
}

async function openElectron({ binary }) {
  await step("desktop shell", (say) => buildShell({ log: say }));
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return await untilEnd(spawn(binary, [...args, repository, ...given], { cwd: repository, stdio: "inherit" }));
}

/** Browser mode's server in the foreground; its first address opens the browser. */
async function openBrowser(window) {
  console.log(`${window.reason}: ${window.kind === "chromium" ? "opening the app in a browser" : "open the address below in a browser"}`);
  const server = spawn(node, ["--disable-warning=ExperimentalWarning", join(repository, "electron/web/main.ts"), "--reason", window.reason, ...given], {
    cwd: repository,
    stdio: ["inherit", "pipe", "inherit"],
  });
  let opened = false;
  createInterface({ input: server.stdout }).on("line", (line) => {
    console.log(line);
    const url = /(http:\/\/127\.0\.0\.1:\d+\/\S*)/.exec(line)?.[1];
    if (url === undefined || opened) return;
    opened = true;
    if (window.kind === "chromium") openChromium(window, url);
  });
  return await untilEnd(server);
}

/** A profile of its own, gone with the window: nothing is mixed with the person's browser, nothing is left of the key. */
function openChromium({ binary, args }, url) {
  const profile = mkdtempSync(join(tmpdir(), "slipway-window-"));
  const browser = spawn(binary, [`--app=${url}`, `--user-data-dir=${profile}`, ...args], { stdio: "ignore" });
  const gone = () => rmSync(profile, { recursive: true, force: true, maxRetries: 3 });
  browser.on("error", (error) => {
    gone();
    console.error(`${binary} could not be started (${error.message}): open the address above yourself`);
  });
  browser.on("close", () => {
    gone();
    console.log("the window was closed; Slipway runs on until Ctrl-C, and the newest address above opens it again");
  });
}

try {
  await prepareApp();
  const window = chooseWindow({
    electron: findElectron(),
    chromium: findChromium(),
    display: process.platform !== "linux" || Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY),
    isRoot: process.getuid?.() === 0,
  });
  process.exitCode = window.kind === "electron" ? await openElectron(window) : await openBrowser(window);
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(`\n${error.message}`);
  process.exitCode = 1;
}
