import { readdir, readFile, readlink } from "node:fs/promises";

const backlog = 1_024;
/** Numbers of system calls that are the same on every architecture (Linux 5.6). */
const SYS = { pidfd_open: 434, pidfd_getfd: 438 } as const;
const LISTEN = "0A";

/**
 * QEMU's user network listens with a backlog of 1: of several clients that come at once most would wait a second for their
 * next try. Linux lets the parent of a process take a copy of its socket, and listen again on that one. False where that
 * cannot be: another system, a security module that forbids it, no FFI.
 */
export async function lengthenBacklog(pid: number, address: string, port: number): Promise<boolean> {
  if (process.platform !== "linux") return false;
  try {
    const fd = await listenerOf(pid, address, port);
    return fd !== undefined && (await listenAgain(pid, fd));
  } catch {
    return false;
  }
}

/** The process's own descriptor. */
async function listenerOf(pid: number, address: string, port: number): Promise<number | undefined> {
  const inode = await listeningInode(address, port);
  for (const fd of inode === undefined ? [] : await readdir(`/proc/${pid}/fd`)) {
    // Others come and go meanwhile.
    const target = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => "");
    if (target === `socket:[${inode}]`) return Number(fd);
  }
  return undefined;
}

/** Lines of /proc/net/tcp: number, address:port in the machine's byte order, the far end, state, and in the tenth place the inode. */
async function listeningInode(address: string, port: number): Promise<string | undefined> {
  const bytes = address.split(".").toReversed().map(Number);
  const local = `${Buffer.from(bytes).toString("hex")}:${port.toString(16).padStart(4, "0")}`.toUpperCase();
  const lines = (await readFile("/proc/net/tcp")).toString().split("\n");
  return lines.map((line) => line.trim().split(/\s+/)).find(([, at, , state]) => at === local && state === LISTEN)?.[9];
}

async function listenAgain(pid: number, fd: number): Promise<boolean> {
  const { default: koffi } = await import("koffi");
  const libc = koffi.load(null);
  const syscall = libc.func("long syscall(long, long, long, long)") as (number: number, ...args: number[]) => number;
  const close = libc.func("int close(int)") as (fd: number) => number;
  const listen = libc.func("int listen(int, int)") as (fd: number, backlog: number) => number;
  const process = syscall(SYS.pidfd_open, pid, 0, 0);
  if (process < 0) return false;
  try {
    const copy = syscall(SYS.pidfd_getfd, process, fd, 0);
    if (copy < 0) return false;
    const done = listen(copy, backlog) === 0;
    close(copy);
    return done;
  } finally {
    close(process);
  }
}
