import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { EngineError } from "#base/errors.ts";
import type { HostInfo, Settings } from "#bridge/bridge.ts";
import { NativeMachine } from "#machine/drivers/native/native.ts";
import { QemuMachine } from "#machine/drivers/qemu/qemu.ts";
import { Wsl2Machine } from "#machine/drivers/wsl2/wsl2.ts";
import type { Machine } from "#machine/machine.ts";
import { imagePaths } from "#machine/names.ts";
import { findVirtiofsd } from "#machine/virtiofsd.ts";
import { type Host, openHost } from "./host.ts";
import { defaultRoot, hostPaths } from "./paths.ts";
import { machineAt } from "./remote.ts";

export interface DesktopOptions {
  /** Data directory; the platform's app-data folder when absent. */
  readonly root?: string | undefined;
  /** An engine that somebody else runs, instead of a machine of ours. */
  readonly engine?: string | undefined;
  /** `qemu`, `wsl2` or `native`; by the platform when absent. */
  readonly driver?: string | undefined;
  /** `auto`, or an accelerator of QEMU's. */
  readonly accelerator?: string | undefined;
  /** What `npm run image` made, one folder an architecture. */
  readonly imagesDirectory: string;
  /** How to start the engine natively on this Linux, given its data directory, socket, and daemon.json if there is one. */
  readonly nativeEngine?: (root: string, socket: string, config: string | undefined) => { readonly command: string; readonly args: readonly string[] };
  readonly version: string;
  readonly mode: HostInfo["mode"];
  readonly modeReason?: string | undefined;
  readonly log: (line: string) => void;
}

/**
 * The host core's composition root: the one file of the desktop that knows the machine's drivers and reads the
 * environment. Browser mode and the desktop app's host process both open the host core here.
 */
export async function openDesktop(options: DesktopOptions): Promise<Host> {
  const env = process.env;
  const root = resolve(options.root ?? env["SLIPWAY_ROOT"] ?? defaultRoot({ platform: process.platform, home: homedir(), env }));
  return await openHost({
    root,
    version: options.version,
    mode: options.mode,
    modeReason: options.modeReason,
    dockerConfig: env["DOCKER_CONFIG"] || join(homedir(), ".docker"),
    contextHiddenBy: ["DOCKER_HOST", "DOCKER_CONTEXT"].find((name) => env[name]),
    createMachine: await machineFactory(hostPaths(root).daemonConfig, {
      ...options,
      driver: options.driver ?? env["SLIPWAY_DRIVER"],
      accelerator: options.accelerator ?? env["SLIPWAY_ACCEL"],
    }),
    log: options.log,
  });
}

async function machineFactory(daemonConfig: string, options: DesktopOptions): Promise<(settings: Settings, directory: string) => Machine> {
  const { engine, imagesDirectory, nativeEngine, log } = options;
  const arch = process.arch === "arm64" ? "arm64" : "amd64";
  const image = join(imagesDirectory, arch);
  const driver = engine === undefined ? (options.driver ?? (process.platform === "win32" ? "wsl2" : "qemu")) : "remote";
  const accelerator = acceleratorOf(options.accelerator ?? "auto");
  const fileServer = driver === "qemu" ? await findVirtiofsd(join(image, "rootfs"), process.platform, process.arch) : undefined;
  return ({ memoryMiB, cpus, diskGiB, folders, hostAccess }, root) => {
    switch (driver) {
      case "remote":
        return machineAt(resolve(engine ?? ""));
      case "native": {
        if (nativeEngine === undefined) throw new EngineError("notImplemented", "the engine runs natively on Linux only, from a source tree");
        const socket = join(root, "engine.sock");
        const launch = (config: string | undefined) => nativeEngine(join(root, "engine"), socket, config);
        return new NativeMachine({ socket, launch, daemonFile: daemonConfig, log });
      }
      case "wsl2":
        return new Wsl2Machine({ root, archive: join(image, "rootfs.tar"), daemonFile: { path: daemonConfig, required: false }, debug: false, log });
      case "qemu":
        return new QemuMachine({
          root,
          image: imagePaths(image),
          arch,
          platform: process.platform,
          accelerator,
          memoryMiB,
          cpus,
          diskBytes: diskGiB * 2 ** 30,
          folders,
          hostAccess,
          daemonFile: { path: daemonConfig, required: false },
          ...(fileServer === undefined ? {} : { fileServer }),
          debug: false,
          log,
        });
      default:
        throw new EngineError("invalidArgument", `there is no driver ${driver}: name qemu, wsl2 or native`);
    }
  };
}

function acceleratorOf(name: string): "auto" | "kvm" | "hvf" | "whpx" | "tcg" {
  if (name === "auto" || name === "kvm" || name === "hvf" || name === "whpx" || name === "tcg") return name;
  throw new EngineError("invalidArgument", `there is no accelerator ${name}: name kvm, hvf, whpx, tcg or auto`);
}
