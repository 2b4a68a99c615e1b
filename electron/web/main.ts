import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { messageOf } from "#base/errors.ts";
import { openDesktop } from "#host/main.ts";
import { buildRenderer } from "../launch/renderer.mjs";
import { reportSteps } from "./report.ts";
import { serveWeb } from "./server.ts";
import { readFiles } from "./static.ts";

const usage = `npm run web -- [options]

  --root DIR      where everything is kept (default: the platform's app-data folder)
  --port N        port of 127.0.0.1 (default: 0, any that is free)
  --engine PATH   show the engine at this socket instead of booting a machine
  --driver NAME   qemu, wsl2 or native (default: by the platform)
  --accel NAME    kvm, hvf, whpx, tcg or auto (default: auto)
  --reason TEXT   why the app runs in a browser, for its About page`;

const repository = resolve(import.meta.dirname, "..", "..");

async function main(): Promise<number> {
  let values: ReturnType<typeof readArguments>;
  try {
    values = readArguments();
  } catch (error) {
    console.error(`${messageOf(error)}\n\n${usage}`);
    return 2;
  }
  // A terminal that was closed must not cost the machine its orderly end.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(name, () => {
      // A second signal means: not even the orderly end.
      if (stop.signal.aborted) process.exit(1);
      stop.abort();
    });
  try {
    const directory = await buildRenderer({ log: console.log });
    await using host = await openDesktop({
      ...values,
      imagesDirectory: join(repository, "runtime-vm", "image", "out"),
      nativeEngine: (root, socket, config) => ({
        command: process.execPath,
        args: [join(repository, "electron", "launch", "engine.mjs"), "--root", root, "--socket", socket, ...(config === undefined ? [] : ["--config", config])],
      }),
      version: versionOf(repository),
      mode: "browser",
      log: () => undefined,
    });
    await using server = await serveWeb({ port: values.port, files: await readFiles(directory), bridge: host.bridge });
    using _steps = reportSteps(host, console.log);
    console.log(`Slipway is at ${server.url()}`);
    server.onUsed(() => console.log(`for another window: ${server.url()}`));
    host.start().catch(() => undefined); // the status says why, in the window and here
    await aborted(stop.signal);
    console.log("shutting down");
    return 0;
  } catch (error) {
    console.error(messageOf(error));
    return 1;
  }
}

function readArguments() {
  const { values } = parseArgs({
    options: {
      root: { type: "string" },
      port: { type: "string", default: "0" },
      engine: { type: "string" },
      driver: { type: "string" },
      accel: { type: "string" },
      reason: { type: "string" },
    },
  });
  if (!/^\d{1,5}$/.test(values.port) || Number(values.port) > 65_535) throw new Error(`--port ${values.port}: a number up to 65535 is needed`);
  return { root: values.root, engine: values.engine, driver: values.driver, accelerator: values.accel, modeReason: values.reason, port: Number(values.port) };
}

const versionOf = (directory: string): string => (JSON.parse(readFileSync(join(directory, "package.json"), "utf8")) as { version: string }).version;

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) done();
    else signal.addEventListener("abort", () => done(), { once: true });
  });
}

process.exitCode = await main();
