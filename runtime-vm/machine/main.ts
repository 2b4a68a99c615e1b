import { availableParallelism, homedir, totalmem } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { BootStep, MachineStatus } from "#api/machine.ts";
import { messageOf } from "#base/errors.ts";
import { type Accelerator, QemuMachine, type QemuOptions } from "./drivers/qemu/qemu.ts";
import { imagePaths } from "./names.ts";
import { serveSocket } from "./serve.ts";
import { errorLines, startError } from "./why/explain.ts";
import { findVirtiofsd } from "./virtiofsd.ts";

const usage = `npm run machine -- --root DIR --socket PATH [options]

  --root DIR        where the data disk and the console log live
  --socket PATH     unix socket (or Windows pipe) to serve the engine's API on
  --accel NAME      kvm, hvf, whpx, tcg or auto (default: auto)
  --memory MIB      memory of the virtual machine (default: a quarter of this computer's, 2048 to 8192)
  --cpus N          processors (default: all, at most 8)
  --disk GIB        size of the data disk; it takes only what is used (default: 64)
  --image DIR       system image (default: runtime-vm/image/out/ARCH)
  --config FILE     the engine's daemon.json (default: daemon.json in the root directory, if it is there); read again when it changes
  --share DIR       a folder containers may mount; may be repeated (default: your home directory)
  --no-host-access  containers cannot reach this computer's services by host.docker.internal
  --debug           the engine logs more, and the console is shown`;

interface Arguments {
  readonly socket: string;
  readonly machine: QemuOptions;
}

async function readArguments(argv: readonly string[]): Promise<Arguments> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      root: { type: "string" },
      socket: { type: "string" },
      accel: { type: "string", default: "auto" },
      memory: { type: "string", default: String(Math.min(8_192, Math.max(2_048, Math.floor(totalmem() / 2 ** 22)))) },
      cpus: { type: "string", default: String(Math.min(8, availableParallelism())) },
      disk: { type: "string", default: "64" },
      image: { type: "string" },
      config: { type: "string" },
      share: { type: "string", multiple: true, default: [homedir()] },
      "no-host-access": { type: "boolean", default: false },
      debug: { type: "boolean", default: false },
    },
  });
  if (values.root === undefined || values.socket === undefined) throw new Error("--root and --socket are needed");
  const arch = process.arch === "arm64" ? "arm64" : "amd64";
  const image = resolve(values.image ?? join(dirname(fileURLToPath(import.meta.url)), "../image/out", arch));
  const fileServer = await findVirtiofsd(join(image, "rootfs"), process.platform, process.arch);
  return {
    socket: values.socket.startsWith("\\\\") ? values.socket : resolve(values.socket),
    machine: {
      root: resolve(values.root),
      image: imagePaths(image),
      arch,
      platform: process.platform,
      accelerator: accelerator(values.accel),
      memoryMiB: count("--memory", values.memory),
      cpus: count("--cpus", values.cpus),
      diskBytes: count("--disk", values.disk) * 2 ** 30,
      daemonFile: { path: resolve(values.config ?? join(values.root, "daemon.json")), required: values.config !== undefined },
      folders: values.share.map((folder) => resolve(folder)),
      ...(fileServer ? { fileServer } : {}),
      hostAccess: !values["no-host-access"],
      debug: values.debug,
      log: values.debug ? (line) => console.error(line) : () => {},
    },
  };
}

function accelerator(name: string): Accelerator | "auto" {
  if (name === "auto" || name === "kvm" || name === "hvf" || name === "whpx" || name === "tcg") return name;
  throw new Error(`--accel ${name}: name kvm, hvf, whpx, tcg or auto`);
}

function count(option: string, text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new Error(`${option} ${text}: a positive whole number is needed`);
  return Number(text);
}

/** Prints each step once it is over, and what else there is to say. */
function printer(): (status: MachineStatus) => void {
  const said = new Set<string>();
  const say = (key: string, line: string): void => {
    if (said.has(key)) return;
    said.add(key);
    console.log(line);
  };
  return (status) => {
    for (const step of status.steps)
      if (step.state !== "waiting" && step.state !== "running") say(`${status.restarts} ${step.name} ${step.state}`, stepLine(step));
    for (const notice of status.notices) say(notice, notice);
    if (status.error) say(`${status.restarts} ${status.error.message}`, errorLines(status.error));
  };
}

function stepLine({ title, state, tookMs, reason }: BootStep): string {
  const took = tookMs === undefined ? "" : `${tookMs} ms`.padStart(9);
  return `${{ done: "ok", failed: "FAILED", skipped: "--" }[state as "done"] ?? state}`.padEnd(7) + took.padEnd(10) + title + (reason ? `: ${reason}` : "");
}

async function main(): Promise<number> {
  let given: Arguments;
  try {
    given = await readArguments(process.argv.slice(2));
  } catch (error) {
    console.error(`${messageOf(error)}\n\n${usage}`);
    return 2;
  }
  const interrupted = new AbortController();
  // A terminal that was closed must not cost the guest its orderly end.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => interrupted.abort(new Error(`stopped by ${name}`)));
  await using machine = new QemuMachine(given.machine);
  machine.onStatus(printer());
  try {
    // The socket first: a path that is in use must not cost a boot.
    await using served = await serveSocket(given.socket, () => machine.connect());
    await machine.start({ signal: interrupted.signal });
    console.log(`ready ${served.path}`);
    await new Promise<void>((done) => (interrupted.signal.aborted ? done() : interrupted.signal.addEventListener("abort", () => done(), { once: true })));
    console.log("shutting down");
  } catch (error) {
    if (!interrupted.signal.aborted) {
      const { platform, memoryMiB } = given.machine;
      const { error: told } = machine.status;
      // What the machine failed with has been said; what came before it has not.
      if (told?.message !== messageOf(error)) console.error(errorLines(startError({ error: messageOf(error), printed: [], platform, memoryMiB })));
      return 1;
    }
  }
  return 0;
}

process.exitCode = await main();
