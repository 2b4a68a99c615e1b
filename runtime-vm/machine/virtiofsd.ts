import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { access, rm } from "node:fs/promises";
import { join } from "node:path";
import { delay } from "#base/deadline.ts";
import { EngineError, messageOf } from "#base/errors.ts";

/** How to run a program of the tool tree on this Linux: with the tree's own loader and libraries, so any C library does. */
export interface FileServer {
  readonly command: string;
  readonly args: readonly string[];
}

const loaders: Readonly<Record<string, { loader: string; libraries: string }>> = {
  x64: { loader: "lib64/ld-linux-x86-64.so.2", libraries: "usr/lib/x86_64-linux-gnu" },
  arm64: { loader: "lib/ld-linux-aarch64.so.1", libraries: "usr/lib/aarch64-linux-gnu" },
};

/** The virtiofsd of the tool tree `tree`; undefined where there is none (not Linux, tree not built). */
export async function findVirtiofsd(tree: string, platform: NodeJS.Platform, arch: string): Promise<FileServer | undefined> {
  const native = loaders[arch];
  if (platform !== "linux" || !native) return undefined;
  const program = join(tree, "usr/libexec/virtiofsd");
  const loader = join(tree, native.loader.replace(/^lib/, "usr/lib"));
  try {
    await Promise.all([access(program), access(loader)]);
  } catch {
    return undefined;
  }
  return { command: loader, args: ["--library-path", join(tree, native.libraries), program] };
}

/** The user the daemon runs as; `0` keeps owners as they are. */
export interface FileOwner {
  readonly uid: number;
  readonly gid: number;
}

/** The whole range of ids a guest may name. */
const allIds = 4_294_967_295;

/** Options of one share. An ordinary user owns whatever the guest makes there; the guest itself keeps who owns it among its own (guest/shares). */
export function virtiofsdArguments(socket: string, directory: string, { uid, gid }: FileOwner): string[] {
  const asUser = ["--sandbox=namespace", ...[`--translate-uid=squash-guest:0:${uid}:${allIds}`, `--translate-gid=squash-guest:0:${gid}:${allIds}`]];
  return [
    `--socket-path=${socket}`,
    `--shared-dir=${directory}`,
    "--cache=auto",
    "--xattr",
    "--announce-submounts",
    "--log-level=warn",
    // Else each file that the guest knows of is an open descriptor, of which there may be too few for a large tree. Only root may do without.
    ...(uid === 0 ? ["--sandbox=chroot", "--inode-file-handles=prefer"] : [...asUser, "--inode-file-handles=never"]),
  ];
}

/** Serves `directory` at `socket` for one QEMU; the daemon ends by itself with QEMU's connection, or by disposal. */
export async function startVirtiofsd(server: FileServer, socket: string, directory: string, signal: AbortSignal): Promise<AsyncDisposable> {
  await rm(socket, { force: true });
  const args = [...server.args, ...virtiofsdArguments(socket, directory, { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 })];
  const child = spawn(server.command, args, { stdio: ["ignore", "ignore", "pipe"], detached: true });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors = (errors + text).slice(-2_000)));
  const ended = endOf(child);
  try {
    await Promise.race([
      listening(socket, signal),
      ended.then((why) => Promise.reject(new EngineError("unavailable", `virtiofsd cannot share ${directory}: ${errors.trim() || why}`))),
    ]);
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
  return {
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

async function endOf(child: ChildProcess): Promise<string> {
  try {
    const [code, by] = (await once(child, "exit")) as [number | null, string | null];
    return `it ended with ${by ?? code}`;
  } catch (error) {
    return messageOf(error);
  }
}

/** The daemon takes one connection only, so its socket is looked for, not tried. */
async function listening(socket: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    try {
      return await access(socket);
    } catch {
      await delay(20, signal);
    }
  }
}
