import { mkdir, stat } from "node:fs/promises";
import { EngineError, messageOf } from "#base/errors.ts";
import { type DaemonFilePlace, noticePrefix, readDaemonFile, writeCarried } from "#machine/daemon-file.ts";
import { planShares, type SharedFolder } from "#machine/files.ts";
import type { ImagePaths, MachinePaths } from "#machine/names.ts";
import type { StatusBoard } from "#machine/status.ts";
import type { BootSteps } from "#machine/steps.ts";
import { type FileServer, startVirtiofsd } from "#machine/virtiofsd.ts";
import type { Acceleration } from "./accelerator.ts";
import type { Accelerator, GuestArch, GuestPlan } from "./command.ts";
import { ensureDisk } from "./disk.ts";
import { endLeftover } from "./leftover.ts";

export interface QemuOptions {
  readonly root: string;
  readonly image: ImagePaths;
  readonly arch: GuestArch;
  readonly platform: NodeJS.Platform;
  readonly accelerator: Accelerator | "auto";
  readonly memoryMiB: number;
  readonly cpus: number;
  readonly diskBytes: number;
  /** Folders of the host that containers may mount. */
  readonly folders: readonly string[];
  /** Serves the folders by virtiofs; without one they are served by QEMU's 9p. */
  readonly fileServer?: FileServer;
  /** The engine's daemon.json; read at each boot, and again whenever it changes. */
  readonly daemonFile?: DaemonFilePlace;
  /** Whether containers may reach this computer's services by `host.docker.internal`; absent: they may. */
  readonly hostAccess?: boolean;
  readonly debug: boolean;
  readonly log: (line: string) => void;
}

export interface Preparation {
  readonly options: QemuOptions;
  readonly paths: MachinePaths;
  readonly steps: BootSteps;
  readonly board: StatusBoard;
  readonly acceleration: Acceleration;
  /** How long a guest that an earlier process left may take to shut down. */
  readonly stopGraceMs: number;
}

/** Everything that a guest needs before it is started, step by step; what runs for it meanwhile is put on `undo`. */
export async function prepareGuest(what: Preparation, undo: AsyncDisposableStack, signal: AbortSignal): Promise<GuestPlan> {
  const { options, paths, steps, board, acceleration, stopGraceMs } = what;
  const { image, arch, platform, memoryMiB, cpus, debug, diskBytes } = options;
  await steps.run("image", signal, () => imageExists(image));
  await steps.run("disk", signal, async () => {
    await mkdir(paths.root, { recursive: true, mode: 0o700 });
    if (await endLeftover(paths, stopGraceMs)) options.log("a virtual machine left by an earlier run was shut down");
    await ensureDisk(paths.disk, diskBytes);
  });
  const config = await steps.run("config", signal, () => carryConfig(what));
  const { accelerator, notice } = await steps.run("accelerator", signal, (s) => acceleration.find(s));
  if (notice !== undefined) board.notice(notice);
  board.set({ accelerator });
  const shares = await shareFolders(what, undo, signal);
  const { qmp, link, ctl, disk } = paths;
  const keepOwners = process.getuid?.() !== 0;
  return { arch, platform, accelerator, memoryMiB, cpus, image, disk, qmp, link, ctl, shares, keepOwners, debug, ...config };
}

/** Nothing at all for a file that says nothing: it would only cost the boot some time. */
async function carryConfig({ options: { daemonFile, debug }, paths, board }: Preparation): Promise<Pick<GuestPlan, "daemonConfig">> {
  const file = daemonFile === undefined ? undefined : await readDaemonFile(daemonFile, { debug });
  board.set({ notices: board.current.notices.filter((notice) => !notice.startsWith(noticePrefix)) });
  for (const notice of file?.notices ?? []) board.notice(notice);
  if (file === undefined || file.text === "") return {};
  await writeCarried(paths.daemonConfig, file);
  return { daemonConfig: paths.daemonConfig };
}

async function imageExists(image: ImagePaths): Promise<void> {
  for (const file of Object.values(image)) {
    await stat(file).catch((cause: unknown) => {
      throw new EngineError("notFound", `${file} is missing: build the image with \`npm run image\``, { cause });
    });
  }
}

/** By virtiofs where its daemon is there and starts, else by 9p. */
async function shareFolders({ options, paths, steps, board }: Preparation, undo: AsyncDisposableStack, signal: AbortSignal): Promise<GuestPlan["shares"]> {
  const { platform, fileServer } = options;
  if (options.folders.length === 0) {
    steps.skip("files", "no folder is shared");
    return [];
  }
  return await steps.run("files", signal, async (s) => {
    const plain = planShares(await presentFolders(options.folders, board), platform, "9p");
    if (!fileServer) return plain;
    try {
      return await serveFolders(plain, fileServer, paths, undo, s);
    } catch (error) {
      board.notice(`Shared folders are slower than they could be: ${messageOf(error)}`);
      return plain;
    }
  });
}

/** A folder that is gone, on a disk not plugged in perhaps, does not keep the machine from booting. */
async function presentFolders(folders: readonly string[], board: StatusBoard): Promise<readonly string[]> {
  const present: string[] = [];
  for (const folder of folders) {
    if (await isDirectory(folder)) present.push(folder);
    else board.notice(`${folder} is not shared with containers: there is no such folder on this computer`);
  }
  return present;
}

const isDirectory = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

async function serveFolders(
  folders: readonly SharedFolder[],
  server: FileServer,
  paths: MachinePaths,
  undo: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<GuestPlan["shares"]> {
  await mkdir(paths.run, { recursive: true, mode: 0o700 });
  return await Promise.all(
    folders.map(async (folder) => {
      const socket = paths.share(folder.tag);
      undo.use(await startVirtiofsd(server, socket, folder.hostPath, signal));
      return { ...folder, type: "virtiofs" as const, socket };
    }),
  );
}
